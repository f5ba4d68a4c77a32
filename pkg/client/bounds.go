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
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// boundsTimeout bounds asking all brokers where logs begin and end: healthy ones answer in milliseconds, and who looks
// every 10 s at many groups must not be held up by one that hangs.
const boundsTimeout = 3 * time.Second

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
	ctx, cancel := context.WithTimeout(ctx, boundsTimeout)
	defer cancel()
	if err := c.directory.known(ctx); err != nil {
		return bounds{err: err}
	}
	transport, err := c.producer.transport(ctx)
	if err != nil {
		return bounds{err: err}
	}
	var found bounds
	var asking errgroup.Group
	var errEarliest, errLatest error
	asking.Go(func() error {
		found.earliest, errEarliest = transport.Positions(ctx, partitions, kafka.Earliest())
		return nil
	})
	found.latest, errLatest = transport.Positions(ctx, partitions, kafka.Latest())
	_ = asking.Wait() // both give their errors by themselves
	found.err = summarize(partitions, found, errors.Join(errLatest, errEarliest))
	return found
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
	switch joined, many := err.(interface{ Unwrap() []error }); { //nolint:errorlint // it is the structure that is walked
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
