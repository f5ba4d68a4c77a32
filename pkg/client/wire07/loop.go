// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errMoved ends a connection to where a broker is not any more.
var errMoved = errors.New("the broker has gone or moved")

// loop fetches from one broker, over one connection. Its goroutine lives as long as there are partitions of the broker.
//
// Throughput comes from two things at once. The positions of the next fetch are known once the lengths of the messages
// in an answer have been walked over, which reads some bytes of each message and costs a tenth of computing their
// checksums: so the next request leaves before anything is checked. And checking and decoding is another goroutine's,
// beside the reading of the next answer: see converse. If a set turns out to be corrupt, or to inflate to more than may
// be kept, the cursor goes back, and what was asked for too early is dropped.
//
// Messages are slices of the buffers that they were read into, for as long as anybody holds one, so each partition's
// part of an answer has a buffer of its own: see buffers.
type loop struct {
	fetcher *fetcher
	broker  string
	wake    chan struct{} // holds a token if the loop should look what to do

	// The fetcher's mu guards what follows.
	cursors []*cursor
	// turn is where in cursors the next fetch begins.
	turn int
	// buffered is what was read and not handed out, in bytes, paused partitions not counted.
	buffered int
	// eligible is how many partitions could be fetched when that was last planned.
	eligible int
	// empty counts the parts in a row that brought nothing, quiet the rounds of them; until idleUntil nothing is fetched.
	empty, quiet int
	idleUntil    time.Time
	// address is where the broker was when it was last connected to; leave ends that connection.
	address string
	leave   context.CancelCauseFunc
	// failure is why the broker is not being fetched from; nil if it is.
	failure error

	// What follows belongs to the loop's goroutine; decoder to the one that decodes.
	connection int // how many there were
	fails      int // in a row
	buffers    *buffers
	decoder    decoder
}

func newLoop(f *fetcher, broker string) *loop {
	sets := &buffers{blocks: f.blocks}
	return &loop{
		fetcher: f, broker: broker, wake: make(chan struct{}, 1), leave: func(error) {},
		buffers: sets, decoder: decoder{home: sets},
	}
}

// signal makes the loop look.
func (l *loop) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// hurry makes the loop fetch even if it is idle.
func (l *loop) hurry() {
	l.empty, l.quiet, l.idleUntil = 0, 0, time.Time{}
	l.signal()
}

// join takes a cursor in.
func (l *loop) join(c *cursor) {
	l.cursors = append(l.cursors, c)
	if l.failure != nil {
		l.fetcher.tell(c, l.failure)
	}
	l.hurry()
}

// follow ends the connection if the broker is not where it was.
func (l *loop) follow() {
	if address, err := l.fetcher.brokers.address(l.broker); err != nil || address != l.address {
		l.leave(errMoved)
	}
}

// run fetches until the broker has no partitions left, or ctx ends.
func (l *loop) run(ctx context.Context) {
	for ctx.Err() == nil && l.stays() {
		changes := l.fetcher.brokers.changes()
		err := l.visit(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		if errors.Is(err, errMoved) {
			continue
		}
		l.fails++
		l.failed(err)
		l.rest(ctx, changes, err)
	}
}

// stays reports whether there is anything left to fetch; if not, the loop is no more.
func (l *loop) stays() bool {
	l.fetcher.mu.Lock()
	defer l.fetcher.mu.Unlock()
	if len(l.cursors) > 0 {
		return true
	}
	delete(l.fetcher.loops, l.broker)
	return false
}

// visit connects and fetches until that fails, or nothing is left to fetch.
func (l *loop) visit(ctx context.Context) error {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	address, err := l.locate(leave)
	if err != nil {
		return err
	}
	conn, err := l.fetcher.config.connect(ctx, l.broker, address)
	if err != nil {
		return err
	}
	defer conn.close()
	l.connection++
	err = l.converse(ctx, conn)
	if err != nil && context.Cause(ctx) == nil {
		l.fetcher.config.Logger.Info("Connection dropped", "broker", l.broker, "address", address, "reason", err)
	}
	return err
}

// locate finds the broker. From then on leave is called when it moves.
func (l *loop) locate(leave context.CancelCauseFunc) (string, error) {
	l.fetcher.mu.Lock()
	defer l.fetcher.mu.Unlock()
	address, err := l.fetcher.brokers.address(l.broker)
	l.address, l.leave = address, leave
	return address, err
}

// failed tells the partitions that the broker is not fetched from.
func (l *loop) failed(err error) {
	f := l.fetcher
	f.mu.Lock()
	defer f.mu.Unlock()
	l.failure = fmt.Errorf("fetch: %w", err)
	for _, c := range l.cursors {
		if c.stage != stopped {
			f.tell(c, l.failure)
		}
	}
}

// rest waits before the next try: for the back-off, or until the broker has moved or has no partitions left.
func (l *loop) rest(ctx context.Context, changes <-chan struct{}, err error) {
	wait := backoff(l.fails)
	if errors.Is(err, errNotLive) {
		wait = time.Duration(1<<63 - 1) // for news
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-changes:
			changes = l.fetcher.brokers.changes()
			if l.elsewhere() {
				return
			}
		case <-l.wake:
			if l.deserted() {
				return
			}
		}
	}
}

// elsewhere reports whether the broker is live, and not where it was.
func (l *loop) elsewhere() bool {
	l.fetcher.mu.Lock()
	defer l.fetcher.mu.Unlock()
	address, err := l.fetcher.brokers.address(l.broker)
	return err == nil && address != l.address
}

func (l *loop) deserted() bool {
	l.fetcher.mu.Lock()
	defer l.fetcher.mu.Unlock()
	return len(l.cursors) == 0
}
