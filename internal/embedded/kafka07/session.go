// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

var errAbandoned = errors.New("the session is abandoned")

// session is a session with ZooKeeper that can be left in two ways: in peace, or as a process that dies leaves it.
type session struct {
	conn   *zk.Conn
	events chan struct{} // gets a token at each event of the session

	// mu guards what follows.
	mu        sync.Mutex
	socket    net.Conn
	abandoned bool
}

// connect opens a session and waits for it.
func connect(ctx context.Context, hosts []string, config Config) (*session, error) {
	s := &session{events: make(chan struct{}, 1)}
	ready := make(chan struct{}, 1)
	conn, _, err := zk.Connect(hosts, config.SessionTimeout,
		zk.WithLogInfo(false),
		zk.WithLogger(zkLogger{config.Logger}),
		zk.WithDialer(s.dial),
		zk.WithEventCallback(func(event zk.Event) {
			if event.Type != zk.EventSession {
				return
			}
			if event.State == zk.StateHasSession {
				signal(ready)
			}
			signal(s.events)
		}))
	if err != nil {
		return nil, fmt.Errorf("kafka07: zookeeper %s: %w", config.ZooKeeper, err)
	}
	s.conn = conn
	select {
	case <-ready:
		return s, nil
	case <-ctx.Done():
		conn.Close()
		return nil, fmt.Errorf("kafka07: zookeeper %s: no session: %w", config.ZooKeeper, ctx.Err())
	}
}

func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// dial connects, unless the session is abandoned.
func (s *session) dial(network, address string, timeout time.Duration) (net.Conn, error) {
	if s.isAbandoned() {
		return nil, errAbandoned
	}
	socket, err := net.DialTimeout(network, address, timeout)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.abandoned {
		_ = socket.Close()
		return nil, errAbandoned
	}
	s.socket = socket
	return socket, nil
}

func (s *session) isAbandoned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abandoned
}

// abandon breaks the connection and makes no more, so that the session ends when its time is over and no sooner.
func (s *session) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned = true
	if s.socket != nil {
		_ = s.socket.Close()
	}
}

// close ends the session, if it is not abandoned, and what serves it here.
func (s *session) close() { s.conn.Close() }

// parseConnect takes a connect string apart.
func parseConnect(connect string) (hosts []string, chroot string) {
	list, path, found := strings.Cut(connect, "/")
	if path = strings.Trim(path, "/"); found && path != "" {
		chroot = "/" + path
	}
	return strings.Split(list, ","), chroot
}

// zkLogger hands the log of the ZooKeeper client to slog.
type zkLogger struct {
	to *slog.Logger
}

// Printf implements zk.Logger.
func (l zkLogger) Printf(format string, args ...any) {
	l.to.Debug("ZooKeeper client", "said", fmt.Sprintf(format, args...))
}
