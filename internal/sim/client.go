// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// client is a process's access to the server: one session at a time, over one connection at a time. It does what
// go-zookeeper does: after a loss it connects again to the same session, or to a new one if that has expired, and
// requests that waited meanwhile are then carried out in whatever session there is. (The registry forbids itself the
// latter; the checks in the transactions must hold without.)
type client struct {
	*world
	process *process
	// session is 0 while there is none, epoch counts them.
	session int64
	epoch   uint64
	conn    *connection
	waiting []*request
	// blocked is until when no connection comes about.
	blocked time.Duration
	closed  bool
}

// connection is one TCP connection. Requests arrive in order, and so do answers.
type connection struct {
	client  *client
	session *zsession
	// up is what the client believes, open what the server does.
	up, open bool
	// deaf connections lose everything without a word.
	deaf bool
	// slow is what this connection adds to every latency.
	slow time.Duration
	// requestAt and answerAt are when the last message arrived, each way.
	requestAt, answerAt time.Duration
	outstanding         []*request
}

// request is carried out by the server in some session, then comes back; or fails, and nobody knows whether it was
// carried out.
type request struct {
	carryOut func(session int64)
	answer   func(ok bool)
	// bound requests are of their session, and not sent in another.
	bound   int64
	settled bool
}

func (r *request) settle(ok bool) {
	if !r.settled {
		r.settled = true
		r.answer(ok)
	}
}

// send sends a request, now or once there is a connection. Without one it may also fail at once.
func (c *client) send(r *request) {
	switch {
	case c.closed:
		r.settle(false)
	case c.conn != nil:
		c.conn.send(r)
	case c.chance(0.3):
		c.process.later(time.Millisecond, func() { r.settle(false) })
	default:
		c.waiting = append(c.waiting, r)
	}
}

// latency is usually short, and now and then a tenfold of that.
func (c *connection) latency() time.Duration {
	w := c.client.world
	d := w.between(w.profile.latency/4, w.profile.latency)
	if w.rand.IntN(64) == 0 {
		d *= 10
	}
	return d + c.slow
}

func (c *connection) send(r *request) {
	w := c.client.world
	c.outstanding = append(c.outstanding, r)
	if c.deaf {
		return
	}
	c.requestAt = max(c.requestAt, w.now+c.latency())
	w.at(c.requestAt, func() { c.arrive(r) })
}

// arrive is where the server takes a request: only from the connection that its session has now.
func (c *connection) arrive(r *request) {
	w := c.client.world
	if !c.open || c.session.over || c.session.conn != c || w.server.down {
		return
	}
	w.server.touch(c.session)
	w.steps++
	r.carryOut(c.session.id)
	if c.deaf {
		return
	}
	c.answerAt = max(c.answerAt, w.now+c.latency())
	w.at(c.answerAt, func() {
		c.client.process.post(func() {
			if c.up {
				c.forget(r)
				r.settle(true)
			}
		})
	})
}

func (c *connection) forget(r *request) {
	for i, other := range c.outstanding {
		if other == r {
			c.outstanding = append(c.outstanding[:i], c.outstanding[i+1:]...)
			return
		}
	}
}

// news travels to the client: something that it watches has changed.
func (c *connection) news(watched string) {
	w := c.client.world
	if !c.open || c.deaf {
		return
	}
	late := c.latency()
	if w.profile.blind > 0 && w.rand.IntN(8) == 0 {
		late += w.between(0, w.profile.session/2)
	}
	c.answerAt = max(c.answerAt, w.now+c.latency())
	w.at(max(c.answerAt, w.now+late), func() {
		c.client.process.post(func() {
			switch {
			case !c.up:
			case watched == layout.Topics:
				c.client.process.follow(followPause)
			default:
				c.client.process.hint()
			}
		})
	})
}

// closed is the server's end of a connection going away. What the client has sent by then is not taken any more.
func (c *connection) closed() {
	if c.open {
		c.open = false
		c.client.after(c.latency(), func() { c.client.process.post(c.lose) })
	}
}

// lose is the client learning that its connection is gone: nothing that is outstanding will be answered. What is on its
// way may still arrive for a moment.
func (c *connection) lose() {
	if !c.up {
		return
	}
	c.up = false
	w := c.client.world
	w.after(w.between(0, 2*w.profile.latency), func() { c.open = false })
	c.client.conn = nil
	lost := c.outstanding
	c.outstanding = nil
	c.client.process.hint()
	c.client.process.follow(followPause)
	for _, r := range lost {
		r.settle(false)
	}
	c.client.connect(w.between(time.Millisecond, 300*time.Millisecond))
}

// connect tries to get a connection after a while, again and again.
func (c *client) connect(wait time.Duration) {
	c.process.later(wait, func() {
		switch {
		case c.closed || c.conn != nil:
		case c.server.down || c.now < c.blocked:
			c.connect(c.between(50*time.Millisecond, 500*time.Millisecond))
		default:
			c.shakeHands()
		}
	})
}

// shakeHands presents the session there is, or asks for a new one.
func (c *client) shakeHands() {
	conn := &connection{client: c, open: true}
	presented := c.session
	c.after(conn.latency(), func() {
		switch known := c.server.sessions[presented]; {
		case c.server.down || c.process.dead:
			conn = nil
		case known == nil:
			conn.session = c.server.open(c.process.name, conn)
		case !known.over:
			c.server.touch(known)
			if known.conn != nil {
				known.conn.open = false
			}
			known.conn, conn.session = conn, known
		}
		c.after(c.between(c.profile.latency/4, c.profile.latency), func() {
			c.process.post(func() { c.established(conn, presented) })
		})
	})
}

func (c *client) established(conn *connection, presented int64) {
	switch {
	case c.closed:
	case conn == nil || conn.session != nil && !conn.open:
		c.connect(c.between(50*time.Millisecond, 500*time.Millisecond))
	case conn.session == nil: // refused: it has expired
		c.expired()
	default:
		c.conn, conn.up = conn, true
		c.disturbed(presented)
		c.flush()
		if c.session != conn.session.id {
			c.session = conn.session.id
			c.epoch++
			c.process.sessionUp()
		}
		c.ping(conn)
	}
}

// disturbed notes that the trouble of an earlier connection is over only now.
func (c *client) disturbed(presented int64) {
	if presented != 0 {
		c.disturbance(c.process.name + " is connected again")
	}
}

func (c *client) expired() {
	c.session = 0
	c.process.sessionLost()
	c.connect(time.Millisecond)
}

// flush sends what waited, in whatever session there is now.
func (c *client) flush() {
	waiting := c.waiting
	c.waiting = nil
	for _, r := range waiting {
		if r.bound != 0 && r.bound != c.conn.session.id {
			r.settle(false)
			continue
		}
		c.conn.send(r)
	}
}

// ping keeps the session alive, as the library does, three times per session. A connection on which nothing comes back
// for two thirds of a session is given up.
func (c *client) ping(conn *connection) {
	if !conn.up || c.closed {
		return
	}
	if conn.deaf {
		c.process.later(c.profile.session*2/3, conn.lose)
		return
	}
	conn.requestAt = max(conn.requestAt, c.now+conn.latency())
	c.at(conn.requestAt, func() {
		if conn.open && !conn.session.over && conn.session.conn == conn && !c.server.down {
			c.server.touch(conn.session)
		}
	})
	c.process.later(c.profile.session/3, func() { c.ping(conn) })
}

// abandon ends the session from this side, and begins another.
func (c *client) abandon() {
	c.close(func() {
		c.session = 0
		c.process.sessionLost()
		c.connect(time.Millisecond)
	})
}

// close says goodbye to the server, who may not hear it; then the session ends when it expires.
func (c *client) close(then func()) {
	conn := c.conn
	waiting := c.waiting
	c.waiting, c.conn = nil, nil
	for _, r := range waiting {
		r.settle(false)
	}
	if conn != nil {
		conn.up = false
		if !conn.deaf {
			c.at(max(conn.requestAt, c.now+conn.latency()), func() {
				if conn.open && conn.session.conn == conn && !c.server.down {
					c.server.end(conn.session, "closed")
				}
			})
		}
		for _, r := range conn.outstanding {
			r.settle(false)
		}
		conn.outstanding = nil
	}
	then()
}
