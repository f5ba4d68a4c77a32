// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// refetchAfter is the wait before a partition that the transport gave up is tried again: what is broken heals within 10
// s of its cause going away.
const refetchAfter = 2 * time.Second

// fetcher owns a transport and hands what it brings to the processors. All changes of what is fetched are made by the
// goroutine that polls, between polls: so when a partition has been removed, no batch of it comes any more.
type fetcher struct {
	open    func(ctx context.Context) (*brokers, error)
	changes *mailbox[change]
	sources map[kafka.Partition]*source
	// interrupt ends the poll under way, nil if there is none.
	interrupt atomic.Pointer[context.CancelFunc]
}

// source is one partition being fetched.
type source struct {
	lane      int64
	partition kafka.Partition
	processor Processor
	// next is the position that will be fetched next; end that of the log's end, -1 if unknown.
	next, end atomic.Int64
	// failure is the error of the last fetch, if it failed.
	failure atomic.Pointer[error]
}

// change is what a processor or the driver wants of the fetcher.
type change struct {
	source *source
	kind   changeKind
	to     int64
}

type changeKind uint8

const (
	add changeKind = iota
	// hold is add for a partition whose position is of another log: it is told so, and fetched once it seeks.
	hold
	remove
	resume
	seek
)

func newFetcher(open func(ctx context.Context) (*brokers, error)) *fetcher {
	return &fetcher{open: open, changes: newMailbox[change](), sources: map[kafka.Partition]*source{}}
}

// run fetches until ctx ends.
func (f *fetcher) run(ctx context.Context) {
	transport := f.connect(ctx)
	if transport == nil {
		return
	}
	defer func() { transport.close() }()
	var spare []change
	for ctx.Err() == nil {
		if transport.outdated() { // what it fetched is nobody's any more: those partitions are of another Kafka
			another := f.connect(ctx)
			if another == nil {
				return
			}
			transport.close()
			transport = another
		}
		spare = f.apply(transport, spare)
		for _, fetch := range f.poll(ctx, transport) {
			f.dispatch(transport, fetch)
		}
	}
}

// connect waits for brokers, for as long as it takes.
func (f *fetcher) connect(ctx context.Context) *brokers {
	for {
		transport, err := f.open(ctx)
		if err == nil {
			return transport
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(directoryRetry):
		}
	}
}

// poll waits for fetches, or until there is a change to make.
func (f *fetcher) poll(ctx context.Context, transport kafka.Transport) []kafka.Fetch {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.interrupt.Store(&cancel)
	defer f.interrupt.Store(nil)
	select {
	case <-f.changes.mail: // sent before interrupt was there to be called
		return nil
	default:
		return transport.Poll(ctx)
	}
}

// change asks for a change, from any goroutine.
func (f *fetcher) change(c change) {
	f.changes.send(c)
	if interrupt := f.interrupt.Load(); interrupt != nil {
		(*interrupt)()
	}
}

// apply makes all changes that are due, in one call each: every call costs the transport what it has buffered.
func (f *fetcher) apply(transport kafka.Transport, spare []change) []change {
	changes := f.changes.take(spare)
	added := map[kafka.Partition]int64{}
	var removed, resumed []kafka.Partition
	for _, c := range changes {
		partition := c.source.partition
		if c.kind != add && c.kind != hold && f.sources[partition] != c.source {
			continue // about an assignment that is over
		}
		switch c.kind {
		case add:
			f.sources[partition] = c.source
			added[partition] = c.to
		case hold:
			f.sources[partition] = c.source
			err := fmt.Errorf("%s: %w", partition, kafka.ErrReplaced)
			c.source.note(err)
			c.source.processor.Fetched(kafka.Fetch{Partition: partition, End: -1, Err: err, Stopped: true})
		case remove:
			delete(f.sources, partition)
			delete(added, partition)
			removed = append(removed, partition)
		case resume:
			resumed = append(resumed, partition)
		case seek:
			c.source.next.Store(c.to)
			if failure := c.source.failure.Load(); failure != nil && isPosition(*failure) {
				c.source.failure.Store(nil) // this is another position, or the same one asked for again
			}
			added[partition] = c.to
		}
	}
	if len(removed) > 0 {
		transport.Remove(removed)
	}
	if len(added) > 0 {
		transport.Add(added)
	}
	if len(resumed) > 0 {
		transport.Resume(resumed)
	}
	return changes
}

func (f *fetcher) dispatch(transport kafka.Transport, fetch kafka.Fetch) {
	s := f.sources[fetch.Partition]
	if s == nil {
		return
	}
	if n := fetch.Batch.Len(); n > 0 {
		s.next.Store(fetch.Batch.Next(n - 1))
	}
	if fetch.Skip > s.next.Load() {
		s.next.Store(fetch.Skip)
	}
	if fetch.End >= 0 {
		s.end.Store(fetch.End)
	}
	s.note(fetch.Err)
	if !s.processor.Fetched(fetch) {
		transport.Pause([]kafka.Partition{fetch.Partition})
	}
	if fetch.Stopped && !isPosition(fetch.Err) {
		again := change{source: s, kind: seek, to: s.next.Load()}
		time.AfterFunc(refetchAfter, func() { f.change(again) })
	}
}

// isPosition reports whether the error is about the position, which the processor decides on.
func isPosition(err error) bool {
	outOfRange := (*kafka.OutOfRange)(nil)
	return errors.As(err, &outOfRange) || errors.Is(err, kafka.ErrReplaced)
}

func (s *source) note(err error) {
	if err == nil {
		if s.failure.Load() != nil {
			s.failure.Store(nil)
		}
		return
	}
	s.failure.Store(&err)
}
