// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"time"

	"github.com/go-zookeeper/zk"
)

// Session is one ZooKeeper session. When it is over, every method fails with kind Lost, at once. Methods may be
// called concurrently.
type Session struct {
	*link
	epoch  uint64
	id     int64
	fenced bool
	digest string // what was sent at the beginning
}

// Epoch grows with every session of a client.
func (s *Session) Epoch() uint64 { return s.epoch }

// ID is ZooKeeper's name for the session: the owner of its ephemeral nodes.
func (s *Session) ID() int64 { return s.id }

// Timeout is how long the server waits for a silent client, as negotiated.
func (s *Session) Timeout() time.Duration {
	now, _ := s.look()
	return now.timeout
}

// Done is closed when the session is over: expired, replaced or abandoned.
func (s *Session) Done() <-chan struct{} { return s.done }

// Abandon gives the session up, so that a new one begins.
func (s *Session) Abandon() { s.end(errOver) }

// node is what a reading found.
type node struct {
	data []byte
	stat zk.Stat
}

func get(conn *zk.Conn, path string) (node, error) {
	data, stat, err := conn.Get(path)
	if err != nil {
		return node{}, err
	}
	return node{data: data, stat: *stat}, nil
}

// call carries out a request, and waits for its answer no longer than ctx. The request itself goes on: it may be
// carried out as long as the session lasts. That is why its results come by a channel, and never by a variable.
func call[T any](ctx context.Context, l *link, request func(*zk.Conn) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if err := l.ready(ctx); err != nil {
		return none, err
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return none, errOver
	}
	answer := make(chan result, 1)
	l.calls.Go(func() {
		value, err := request(l.zk)
		answer <- result{value, err}
	})
	l.mu.Unlock()
	select {
	case r := <-answer:
		return r.value, r.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-l.done:
		return none, errOver
	}
}

// persist is call for questions: where the connection was lost under one, it asks again over the next.
func persist[T any](ctx context.Context, l *link, ask func(*zk.Conn) (T, error)) (T, error) {
	for {
		answer, err := call(ctx, l, ask)
		if err == nil || !isLost(err) {
			return answer, err
		}
		select {
		case <-l.done:
			return answer, errOver
		case <-ctx.Done():
			return answer, context.Cause(ctx)
		default:
		}
	}
}

// isLost tells that the connection was lost under a request.
func isLost(err error) bool {
	return errors.Is(err, zk.ErrConnectionClosed) || errors.Is(err, zk.ErrNoServer)
}
