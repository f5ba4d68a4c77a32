// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

// closeTimeout bounds the goodbye to a server, a round trip; who does not say goodbye keeps claims until the session
// expires.
const closeTimeout = time.Second

// endTimeout bounds the wait for the library's own goroutines once their connection is closed: they wait for nothing
// else then.
const endTimeout = 5 * time.Second

// link is the life of one library connection, and so of at most one session: when that expires, the link ends, before
// the library could open another and send in it what was meant for the first.
type link struct {
	*settings
	route   *route
	watches *watches
	zk      *zk.Conn
	ended   chan struct{} // closed when the library's goroutine has ended

	done   <-chan struct{} // closed when the session is over
	end    context.CancelCauseFunc
	reason func() error // why it is over

	mu      sync.Mutex // guards what follows
	now     condition
	changed chan struct{} // closed and replaced when now changes
	conn    net.Conn      // the latest
	closed  bool
	calls   sync.WaitGroup // Add only under mu, while not closed
}

// condition is what is known of a link.
type condition struct {
	// up says that there is a session and a connection to a server that serves it.
	up      bool
	session int64
	timeout time.Duration
	// denied says that the server has refused the credentials.
	denied bool
	// troubles is why each server could not be used at the last attempt.
	troubles map[string]string
	// alive is when the library last did anything.
	alive time.Time
}

// newLink starts to connect. The link ends with ctx, or by end; close has to be called in any case.
func newLink(ctx context.Context, s *settings) (*link, error) {
	life, end := context.WithCancelCause(ctx)
	l := &link{
		settings: s, route: &route{servers: s.servers}, watches: newWatches(),
		ended: make(chan struct{}), changed: make(chan struct{}), done: life.Done(), end: end,
		reason: func() error { return context.Cause(life) },
	}
	l.now.timeout, l.now.alive = s.SessionTimeout, time.Now()
	conn, events, err := zk.Connect(s.servers, s.SessionTimeout,
		zk.WithHostProvider(l.route),
		zk.WithDialer(func(_, address string, _ time.Duration) (net.Conn, error) { return l.dial(life, address) }),
		zk.WithEventCallback(l.event),
		zk.WithMaxBufferSize(maxFrame),
		zk.WithLogInfo(false), zk.WithLogger(debugLog{s.Logger}))
	if err != nil {
		end(err)
		return nil, fmt.Errorf("zookeeper client: %w", err)
	}
	l.zk = conn
	go func() { // ended by close; events come by the callback, this channel drops them
		defer close(l.ended)
		for range events {
		}
	}()
	return l, nil
}

// event is called by the library, on its own goroutines, and must not block.
func (l *link) event(event zk.Event) {
	if event.Type != zk.EventSession {
		l.watches.fire(event.Path, event.Type)
		return
	}
	switch event.State {
	case zk.StateHasSession:
		// Usually there is none left. But if the library gave up a connection by itself, nobody has said goodbye to them.
		l.watches.fireAll()
		l.update(func(now *condition) { now.up = true })
	case zk.StateExpired:
		l.end(errExpired)
		fallthrough
	default:
		l.update(func(now *condition) { now.up = false })
	}
}

// update changes the condition and wakes who waits for that.
func (l *link) update(change func(*condition)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.now)
	l.now.alive = time.Now()
	close(l.changed)
	l.changed = make(chan struct{})
}

// touch notes a sign of life that changes nothing.
func (l *link) touch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.alive = time.Now()
}

// answered notes that the server has answered something.
func (l *link) answered() {
	l.route.settle()
	l.touch()
}

// look gives the condition, and a channel that is closed when it changes.
func (l *link) look() (condition, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.changed
}

// ready waits for a connection.
func (l *link) ready(ctx context.Context) error {
	for {
		now, changed := l.look()
		select {
		case <-l.done:
			return errOver
		default:
		}
		if now.up {
			return nil
		}
		select {
		case <-changed:
		case <-l.done:
		case <-ctx.Done():
			return fmt.Errorf("not connected to zookeeper: %w", context.Cause(ctx))
		}
	}
}

// dial is called by the library. It does not return before it is time for the next attempt.
func (l *link) dial(ctx context.Context, address string) (net.Conn, error) {
	l.touch()
	if err := wait(ctx, l.route.pause(time.Now())); err != nil {
		return nil, err
	}
	attempt, cancel := context.WithTimeout(ctx, l.attempt)
	defer cancel()
	conn, err := l.open(attempt, address)
	if err != nil {
		if ctx.Err() == nil { // or nobody wants the connection any more
			l.trouble(address, err)
		}
		return nil, err
	}
	guarded := l.guard(conn, address)
	if err := conn.SetDeadline(time.Now().Add(l.attempt)); err != nil {
		conn.Close()
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		conn.Close()
		return nil, errClosed
	}
	l.conn = conn
	return guarded, nil
}

func (l *link) guard(conn net.Conn, address string) *guard {
	return &guard{
		Conn:     conn,
		greeted:  func(h handshake) { l.update(func(now *condition) { now.greet(h) }) },
		answered: l.answered,
		denied:   func() { l.update(func(now *condition) { now.denied = true }) },
		lost:     func(err error) { l.trouble(address, err) },
		watched:  l.watches.drop,
	}
}

func (c *condition) greet(h handshake) {
	c.troubles = nil
	if h.session != 0 { // 0 says that the session has expired
		c.session, c.timeout = h.session, h.timeout
	}
}

// trouble notes why a server cannot be used.
func (l *link) trouble(address string, err error) {
	text := shortly(err)
	l.update(func(now *condition) {
		troubles := map[string]string{address: text} // a copy: who looked has the old one
		for other, why := range now.troubles {
			if other != address {
				troubles[other] = why
			}
		}
		now.troubles = troubles
	})
}

// hangUp closes the connection; the library makes a new one for the same session.
func (l *link) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close()
	}
}

// close ends the session and everything that was started for it. It takes closeTimeout if the server does not answer.
func (l *link) close() {
	l.end(errClosed)
	l.route.close()
	l.mu.Lock()
	l.closed = true
	up := l.now.up
	l.mu.Unlock()
	if !up {
		l.hangUp()
	}
	timer := time.AfterFunc(closeTimeout, l.hangUp)
	l.zk.Close() // asks for the end of the session, and waits for that a second at most
	timer.Stop()
	l.hangUp()
	select {
	case <-l.ended:
		l.calls.Wait()
	case <-time.After(endTimeout):
		l.Logger.Error("The ZooKeeper library does not end its goroutines", slog.Duration("waited", endTimeout))
	}
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// debugLog takes what the library says about its connections. What of it matters is in the client's state.
type debugLog struct{ log *slog.Logger }

// Printf implements zk.Logger.
func (d debugLog) Printf(format string, args ...any) {
	if d.log.Enabled(context.Background(), slog.LevelDebug) {
		d.log.Debug("ZooKeeper library", slog.String("text", fmt.Sprintf(format, args...)))
	}
}
