// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// pollInterval is how often a group that brokers keep is looked at for its onlooker: half of the 10 s in which
	// everything is to be seen. It costs a request of a millisecond: 200 groups are 40 a second.
	pollInterval = 5 * time.Second
	// pollTimeout bounds one look.
	pollTimeout = 3 * time.Second
)

// lookers are a cluster's goroutines that look at groups. The zero value is ready.
type lookers struct {
	mu      sync.Mutex // guards what follows
	closed  bool
	next    int
	running map[int]context.CancelFunc
	ended   sync.WaitGroup
}

// spawn begins one, which the function that it returns ends. After close there is nothing to begin.
func (l *lookers) spawn(look func(ctx context.Context)) context.CancelFunc {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return func() {}
	}
	if l.running == nil {
		l.running = map[int]context.CancelFunc{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	number := l.next
	l.next++
	l.running[number] = cancel
	l.ended.Go(func() {
		look(ctx)
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.running, number)
	})
	return cancel
}

// close ends all of them, and waits.
func (l *lookers) close() {
	l.mu.Lock()
	l.closed = true
	for _, cancel := range l.running {
		cancel()
	}
	l.mu.Unlock()
	l.ended.Wait()
}

// polled stands in for watches on a group that brokers keep. One goroutine looks again and again while somebody is to
// be told; it ends with the cluster.
type polled struct {
	mu   sync.Mutex // guards what follows
	tell func()
	// seen is the group as the last Inspect found it.
	seen string
	// stop ends the goroutine, nil while there is none.
	stop context.CancelFunc
}

// watch has tell called once the group is not any more as it was found.
func (p *polled) watch(g *Group, look groupLook, partitions []kafka.Partition, topics []string, tell func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if tell == nil {
		return
	}
	p.tell, p.seen = tell, digest(look, partitions)
	if p.stop != nil {
		p.stop()
	}
	p.stop = g.cluster.lookers.spawn(func(ctx context.Context) { p.run(ctx, g, topics) })
}

// forget ends the looking.
func (p *polled) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil {
		p.stop()
	}
	p.stop, p.tell = nil, nil
}

// run looks until something has changed, and tells. Another Inspect begins another run.
func (p *polled) run(ctx context.Context, g *Group, topics []string) {
	timer := time.NewTicker(pollInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if p.changed(ctx, g, topics) {
			return
		}
	}
}

func (p *polled) changed(ctx context.Context, g *Group, topics []string) bool {
	asking, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	now := ""
	if look, err := g.inquire(asking).look(asking); err == nil {
		partitions, _, err := g.cluster.partitionsOf(asking, topics)
		if err == nil {
			now = digest(look, partitions)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil || p.tell == nil || now == p.seen {
		return ctx.Err() != nil
	}
	p.tell()
	return true
}

// digest is a text that is the same while members, what they own, and the partitions are.
func digest(look groupLook, partitions []kafka.Partition) string {
	lines := make([]string, 0, 3+len(look.Peers))
	lines = append(lines, look.state, look.Protocol, fmt.Sprint(partitions))
	for _, peer := range look.Peers {
		lines = append(lines, fmt.Sprintf("%s %q %x %x", peer.ID, peer.Client, peer.Metadata, peer.Assignment))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
