// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"sync"
	"time"
)

// underway is how many requests there are of a connection: one whose answer is on its way, two whose answers wait to
// be decoded, and one that is being decoded.
const underway = 4

// converse fetches over one connection until that fails, or until nothing is left to fetch. What it has read is decoded
// by another goroutine, in order, and all of it before converse returns.
func (l *loop) converse(ctx context.Context, conn *connection) error {
	free, read := make(chan *request, underway), make(chan *request, underway)
	for range underway {
		free <- new(request)
	}
	var decoding sync.WaitGroup
	decoding.Go(func() {
		for answered := range read {
			l.decode(answered)
			free <- answered
		}
	})
	defer decoding.Wait()
	defer close(read)

	now := <-free
	for l.await(ctx, now) {
		if err := conn.send(now.encode()); err != nil {
			return err
		}
		for !now.empty() {
			if err := now.read(conn, l.buffers); err != nil {
				return err
			}
			next := <-free
			l.settle(now, next)
			var err error
			if !next.empty() {
				err = conn.send(next.encode())
			}
			read <- now
			if err != nil {
				return err
			}
			now = next
		}
	}
	return context.Cause(ctx)
}

// await waits until there is something to ask the broker for, and plans it. It reports false when the connection is no
// longer wanted.
func (l *loop) await(ctx context.Context, into *request) bool {
	for {
		wait, wanted := l.plan(into, time.Now())
		if !wanted || ctx.Err() != nil {
			return false
		}
		if !into.empty() {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.wake:
		}
		timer.Stop()
	}
}

// settle takes note of an answer as far as its lengths tell, and plans the next request.
func (l *loop) settle(answered, next *request) {
	l.fetcher.mu.Lock()
	defer l.fetcher.mu.Unlock()
	now := time.Now()
	l.fails, l.failure = 0, nil
	brought := false
	for i := range answered.parts {
		p := &answered.parts[i]
		if l.accept(p, now) {
			brought = true
		}
	}
	for i := range answered.questions {
		l.hear(&answered.questions[i], now)
	}
	l.pace(len(answered.parts), brought, now)
	l.planLocked(next, now)
}

const (
	// 0.7 answers at once, also that there is nothing. So that an idle broker is not asked all the time, the pause between
	// two fetches doubles after each round that brought nothing: 5, 10, 20, 40, 80, 160, 250, 250 ms, ... A message to a
	// partition that has long been idle waits 250 ms at most, 125 ms on average, for 4 requests a second.
	idleFloor = 5 * time.Millisecond
	idleCap   = 250 * time.Millisecond
)

// pace decides when to fetch next: at once, unless a whole round brought nothing.
func (l *loop) pace(parts int, brought bool, now time.Time) {
	if brought {
		l.empty, l.quiet, l.idleUntil = 0, 0, time.Time{}
		return
	}
	if l.empty += parts; parts == 0 || l.empty < l.eligible {
		return
	}
	l.empty = 0
	l.idleUntil = now.Add(min(idleFloor<<min(l.quiet, 6), idleCap))
	l.quiet++
}

// decode checks and decodes what an answer brought, and makes it ready for Poll.
func (l *loop) decode(answered *request) {
	for i := range answered.parts {
		p := &answered.parts[i]
		if p.taken {
			if l.hasRoom(p) {
				l.decoder.decode(p)
			} else {
				p.end = p.from // it will be fetched again
			}
			l.finish(p)
		}
		if !p.keeps {
			l.buffers.put(p.set)
		}
		p.release()
	}
}

// hasRoom reports whether a set may be decoded: one with wrappers, which inflate, waits while too much is kept already.
func (l *loop) hasRoom(p *part) bool {
	if !p.wrapped {
		return true
	}
	l.fetcher.mu.Lock()
	defer l.fetcher.mu.Unlock()
	return max(l.buffered, p.cursor.bytes) <= maxBuffered
}
