// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/go-zookeeper/zk"
)

// session is a connection to ZooKeeper whose calls end with their contexts.
type session struct {
	conn   *zk.Conn
	kicked chan<- struct{} // may be nil
}

// connect opens a session and waits for it. kicked, if not nil, gets a token at each event of the session.
func (r *registry) connect(ctx context.Context, kicked chan<- struct{}) (*session, error) {
	s := &session{kicked: kicked}
	ready := make(chan struct{}, 1)
	conn, _, err := zk.Connect(r.hosts, r.config.SessionTimeout,
		zk.WithLogInfo(false),
		zk.WithLogger(zkLogger{r.config.Logger}),
		zk.WithEventCallback(func(event zk.Event) {
			if event.Type != zk.EventSession {
				return
			}
			if event.State == zk.StateHasSession {
				signal(ready)
			}
			s.kick()
		}))
	if err != nil {
		return nil, fmt.Errorf("zookeeper %s: %w", r.config.ZooKeeper, err)
	}
	s.conn = conn
	select {
	case <-ready:
		return s, nil
	case <-ctx.Done():
		conn.Close()
		return nil, fmt.Errorf("zookeeper %s: no session: %w", r.config.ZooKeeper, ctx.Err())
	}
}

func (s *session) kick() {
	if s.kicked != nil {
		signal(s.kicked)
	}
}

func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

func (s *session) id() int64 { return s.conn.SessionID() }

func (s *session) connected() bool { return s.conn.State() == zk.StateHasSession }

// do runs calls that know no context. If ctx ends first they go on behind, until the session is closed.
func (s *session) do(ctx context.Context, what string, calls func(conn *zk.Conn) error) error {
	done := make(chan error, 1)
	go func() { done <- calls(s.conn) }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
}

func (s *session) close() { s.conn.Close() }

// zkLogger hands the log of the ZooKeeper client to slog.
type zkLogger struct {
	to *slog.Logger
}

// Printf implements zk.Logger.
func (l zkLogger) Printf(format string, args ...any) {
	l.to.Debug("ZooKeeper client", "said", fmt.Sprintf(format, args...))
}
