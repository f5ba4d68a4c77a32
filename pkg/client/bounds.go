// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Healthy brokers answer in milliseconds, over a bad line or with TLS in a second; patient is three times that. While
// one hangs, that long is waited for it every patienceRenewed, and impatient in between: who looks at 200 groups, 8 at
// a time, is done with them in 12.5 s and a little then, not in 75.
const (
	patient         = 3 * time.Second
	impatient       = 500 * time.Millisecond
	patienceRenewed = 10 * time.Second
)

// namedCauses is how many causes the text of an error names: it stands in a status.
const namedCauses = 3

// bounds are where logs begin and end, as far as their brokers have told.
type bounds struct {
	earliest, latest map[kafka.Partition]int64
	err              error
}

// of gives -1 for what is unknown. A log that was emptied between the two questions ends where it begins.
func (b bounds) of(partition kafka.Partition) (earliest, latest int64) {
	earliest, latest = -1, -1
	if position, ok := b.earliest[partition]; ok {
		earliest = position
	}
	if position, ok := b.latest[partition]; ok {
		latest = max(position, earliest)
	}
	return earliest, latest
}

// bounds asks the brokers. It waits for those that are known, and for nobody else.
func (c *Cluster) bounds(ctx context.Context, partitions []kafka.Partition) bounds {
	if len(partitions) == 0 {
		return bounds{}
	}
	timeout := c.patience.timeout()
	asked, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.directory.known(asked); err != nil {
		return bounds{err: err}
	}
	transport, err := c.producer.transport(asked)
	if err != nil {
		return bounds{err: err}
	}
	var found bounds
	var errEarliest, errLatest error
	var asking sync.WaitGroup
	asking.Go(func() { found.earliest, errEarliest = transport.Positions(asked, partitions, kafka.Earliest()) })
	asking.Go(func() { found.latest, errLatest = transport.Positions(asked, partitions, kafka.Latest()) })
	asking.Wait()
	if timeout == patient && asked.Err() != nil && ctx.Err() == nil { // or the caller had enough, and not the brokers
		c.patience.lose()
	}
	found.err = summarize(partitions, found, errors.Join(errLatest, errEarliest))
	return found
}

// patience is how long brokers are waited for.
type patience struct {
	mu   sync.Mutex // guards hung
	hung time.Time  // when a long wait was last in vain
}

func (p *patience) timeout() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.hung) < patienceRenewed {
		return impatient
	}
	return patient
}

// lose notes that brokers were waited for in vain, and for long.
func (p *patience) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung = time.Now()
}

// summarize says of how many partitions the bounds are unknown, and why, in a text that is short and stable: which
// partitions they are, the view tells.
func summarize(partitions []kafka.Partition, found bounds, err error) error {
	unknown := 0
	for _, partition := range partitions {
		if earliest, latest := found.of(partition); earliest < 0 || latest < 0 {
			unknown++
		}
	}
	if unknown == 0 {
		return nil
	}
	reasons := causes(nil, err)
	slices.Sort(reasons)
	reasons = slices.Compact(reasons)
	text := strings.Join(reasons[:min(len(reasons), namedCauses)], "; ")
	return fmt.Errorf("where the logs of %d of %d partitions end is unknown: %s", unknown, len(partitions), text)
}

// causes are the texts of what lies at the ground of an error, without what differs between two attempts.
func causes(into []string, err error) []string {
	var dial *net.OpError
	switch joined, many := err.(interface{ Unwrap() []error }); {
	case err == nil:
		return into
	case many:
		for _, one := range joined.Unwrap() {
			into = causes(into, one)
		}
		return into
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return append(into, "no answer from the brokers in time")
	case errors.As(err, &dial) && dial.Addr != nil:
		return append(into, fmt.Sprintf("%s %s: %v", dial.Op, dial.Addr, dial.Err))
	}
	if deeper := errors.Unwrap(err); deeper != nil {
		return causes(into, deeper)
	}
	return append(into, err.Error())
}
