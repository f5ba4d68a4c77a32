// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A session that could not be established is tried again after a pause that doubles from firstPause to lastPause:
	// refused credentials heal within lastPause and one attempt (5 s at most) of being accepted.
	firstPause = 200 * time.Millisecond
	lastPause  = 4 * time.Second
)

// Client keeps one ZooKeeper session at a time and makes the next when it is over. Its methods may be called
// concurrently.
type Client struct {
	settings *settings
	running  atomic.Bool
	minimum  atomic.Int64 // the shortest session the servers grant; 0 until known

	mu      sync.Mutex // guards what follows
	state   State
	changed chan struct{}
}

// State is how a client stands with ZooKeeper.
type State struct {
	// Session is the current session, nil while there is none. One that is over stays here for a moment: its Done
	// tells at once.
	Session *Session
	// Connected says that the session has a connection.
	Connected bool
	// Err is why there is no session or no connection: an *Error of kind Unavailable, NoChroot or Denied, whose text
	// stays the same while the cause does. Nil while Connected.
	Err error
	// Fenced says that the session's servers know transactions. Without them, changes are made one by one: a member
	// that slept through its expiry can commit over its successor.
	Fenced bool
	// Warning is something the user should mend although everything works; empty if there is nothing.
	Warning string
}

// New makes a client. It checks the configuration, all of it at once, and does nothing yet: see Run.
func New(config Config) (*Client, error) {
	settings, err := config.settings()
	if err != nil {
		return nil, err
	}
	return &Client{
		settings: settings,
		changed:  make(chan struct{}),
		state:    State{Err: unusable(Unavailable, errNotYet)},
	}, nil
}

// State gives how things stand.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Changed gives a channel that is closed at the next change of State. Take it before reading State, or a change in
// between is missed.
func (c *Client) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Run keeps a session until ctx ends. It returns when everything it started has ended, with nil; the session is
// closed then, within a second if the server does not answer. It can be called once.
func (c *Client) Run(ctx context.Context) error {
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("registry: Run was called before")
	}
	defer c.update(func(s *State) {
		*s = State{Err: unusable(Lost, errClosed)}
	})
	pause := firstPause
	for epoch := uint64(1); ctx.Err() == nil; epoch++ {
		established, err := c.epoch(ctx, epoch)
		if established {
			pause = firstPause
		}
		c.settings.Logger.Debug("ZooKeeper session is over", slog.Uint64("epoch", epoch), slog.Any("reason", err))
		if wait(ctx, pause/2+rand.N(pause/2)) != nil {
			break
		}
		pause = min(2*pause, lastPause)
	}
	return nil
}

// epoch lives through one session, from the first attempt to connect. Its error says why the session is over.
func (c *Client) epoch(ctx context.Context, number uint64) (established bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := newLink(ctx, c.settings)
	if err != nil {
		c.fail(Unavailable, err)
		return false, err
	}
	var tasks sync.WaitGroup
	defer func() {
		c.over(l.reason())
		cancel()
		tasks.Wait()
		l.close()
	}()
	session := &Session{link: l, epoch: number}
	tasks.Go(func() { c.follow(l, session) })
	tasks.Go(func() { c.watchOver(ctx, l) })
	if err := c.establish(ctx, session); err != nil {
		return false, err
	}
	tasks.Go(func() { c.checkTick(ctx, session) })
	if c.settings.DigestSource != nil {
		tasks.Go(func() { c.renew(ctx, session) })
	}
	<-l.done
	return true, l.reason()
}

// follow reports the connection of a link as it comes and goes.
func (c *Client) follow(l *link, session *Session) {
	for {
		now, changed := l.look()
		if now.up {
			c.update(func(s *State) {
				if s.Session == session {
					s.Connected, s.Err = true, nil
				}
			})
		} else {
			c.update(func(s *State) { s.Connected, s.Err = false, now.unreachable(l.servers, s.Err) })
		}
		select {
		case <-changed:
		case <-l.done:
			return
		}
	}
}

// over withdraws a session.
func (c *Client) over(reason error) {
	c.update(func(s *State) {
		s.Session, s.Connected = nil, false
		if s.Err == nil {
			s.Err = unusable(Unavailable, reason)
		}
	})
}

func (c *Client) fail(kind Kind, err error) {
	c.update(func(s *State) { s.Err = unusable(kind, err) })
}

// update changes the state, and logs and announces it if that makes a difference.
func (c *Client) update(change func(*State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.state
	change(&c.state)
	if same(before, c.state) {
		return
	}
	c.log(before, c.state)
	close(c.changed)
	c.changed = make(chan struct{})
}

func same(a, b State) bool {
	return a.Session == b.Session && a.Connected == b.Connected && a.Fenced == b.Fenced && a.Warning == b.Warning &&
		text(a.Err) == text(b.Err)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// log says what changed, once: attempts that fail as the last one did are no change.
func (c *Client) log(before, now State) {
	log := c.settings.Logger
	closing := errors.Is(now.Err, context.Canceled)
	if now.Err != nil && !closing && text(before.Err) != text(now.Err) && KindOf(now.Err) != Lost {
		log.Warn("ZooKeeper is not usable", slog.Any("error", now.Err))
	}
	if now.Connected && !before.Connected {
		log.Info("Connected to ZooKeeper", slog.Uint64("epoch", now.Session.Epoch()),
			slog.Duration("sessionTimeout", now.Session.Timeout()), slog.Bool("fenced", now.Fenced))
	}
	if now.Warning != before.Warning && now.Warning != "" {
		log.Warn("ZooKeeper works, but", slog.String("problem", now.Warning))
	}
}
