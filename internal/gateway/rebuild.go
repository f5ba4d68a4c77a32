// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// clocksApart is how far the clocks of replicas and brokers may be apart.
	clocksApart = time.Minute
	// rebuildTimeout bounds one reading: at 100 MB/s, 30 GB of topic.
	rebuildTimeout = 5 * time.Minute
)

// errFull says that keys that were used are not known.
var errFull = errors.New("more Idempotency-Keys were used within the window than there is memory for")

// rebuild reads the topic's tail, from where the window began to where it ends now, into the window.
func rebuild(ctx context.Context, cluster *client.Cluster, topic string, w *window.Window) error {
	ctx, cancel := context.WithTimeout(ctx, rebuildTimeout)
	defer cancel()
	partitions, err := cluster.Topic(topic).Partitions(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	transport, err := cluster.Transport(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	defer transport.Close()
	ends, err := endsOf(ctx, transport, partitions)
	if err != nil {
		return fmt.Errorf("rebuild: ends: %w", err)
	}
	begins, err := transport.Positions(ctx, partitions, kafka.Since(w.Since()))
	if err != nil {
		return fmt.Errorf("rebuild: begins: %w", err)
	}
	for _, partition := range partitions {
		_, begun := begins[partition]
		if _, ended := ends[partition]; !begun || !ended {
			return fmt.Errorf("rebuild: nobody tells where %s begins and ends", partition)
		}
	}
	return (&tail{transport: transport, window: w, ends: ends}).read(ctx, begins)
}

// promptly is how soon brokers answer that do not hang: they take milliseconds.
const promptly = time.Second

// endsOf asks where partitions end, as their leaders have them: also what not all replicas have yet, since it was sent
// by somebody who may have died with the answer. A broker that hung may only now write what it was sent before: then it
// is asked once more, after startHold.
func endsOf(
	ctx context.Context, transport kafka.Transport, partitions []kafka.Partition,
) (map[kafka.Partition]int64, error) {
	for {
		begin := time.Now()
		ends, err := transport.Positions(ctx, partitions, kafka.Written())
		if err != nil || time.Since(begin) < promptly {
			return ends, err
		}
		timer := time.NewTimer(startHold)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// greet asks the leaders of all partitions for a sign of life.
func greet(ctx context.Context, cluster *client.Cluster, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	partitions, err := cluster.Topic(topic).Partitions(ctx)
	if err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	transport, err := cluster.Transport(ctx)
	if err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	defer transport.Close()
	if _, err := transport.Positions(ctx, partitions, kafka.Latest()); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	return nil
}

// greetTimeout is short: meanwhile nobody looks who the replicas are.
const greetTimeout = 2 * time.Second

// tail is the end of a topic that is being read.
type tail struct {
	transport kafka.Transport
	window    *window.Window
	// ends are those of the partitions that are not read yet.
	ends map[kafka.Partition]int64
}

func (t *tail) read(ctx context.Context, begins map[kafka.Partition]int64) error {
	maps.DeleteFunc(begins, func(p kafka.Partition, begin int64) bool {
		if begin < t.ends[p] {
			return false
		}
		delete(t.ends, p)
		return true
	})
	t.transport.Add(begins)
	for silences := 0; len(t.ends) > 0 && silences < mostSilences; {
		fetches, err := t.poll(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("rebuild: %w", err)
		case len(fetches) > 0:
			silences = 0
		case t.quiet(ctx):
			silences++
		}
		for _, fetch := range fetches {
			if err := t.take(fetch); err != nil {
				return fmt.Errorf("rebuild: %s: %w", fetch.Partition, err)
			}
		}
	}
	return nil
}

const (
	// silence is how long nothing comes of what a broker has at hand: a fetch that finds nothing lasts half a second.
	silence = 5 * time.Second
	// mostSilences of partitions whose leaders answer mean that nothing is to come: a log may end with what is no message,
	// the marks of transactions.
	mostSilences = 2
)

// poll gives nothing after a silence.
func (t *tail) poll(ctx context.Context) ([]kafka.Fetch, error) {
	waiting, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return t.transport.Poll(waiting), ctx.Err()
}

// quiet reports whether the leaders of all partitions that are not read yet answer, and let everything be read. Until
// all replicas in sync have a message it cannot be, which lasts while brokers have not noticed that one of them is
// dead. What a leader had, and the next one has not, is no more.
func (t *tail) quiet(ctx context.Context) bool {
	partitions := slices.Collect(maps.Keys(t.ends))
	written, err := allPositions(ctx, t.transport, partitions, kafka.Written())
	if err != nil {
		return false
	}
	readable, err := allPositions(ctx, t.transport, partitions, kafka.Latest())
	if err != nil {
		return false
	}
	quiet := true
	for partition, end := range t.ends {
		t.ends[partition] = min(end, written[partition])
		quiet = quiet && readable[partition] >= t.ends[partition]
	}
	return quiet
}

// allPositions fails unless it has all.
func allPositions(
	ctx context.Context, transport kafka.Transport, partitions []kafka.Partition, place kafka.Place,
) (map[kafka.Partition]int64, error) {
	known, err := transport.Positions(ctx, partitions, place)
	if err == nil && len(known) < len(partitions) {
		err = errors.New("not all leaders answer")
	}
	return known, err
}

// take loads what came of one partition. Errors that pass are waited for, as long as ctx allows.
func (t *tail) take(fetch kafka.Fetch) error {
	defer fetch.Batch.Release()
	end, wanted := t.ends[fetch.Partition]
	if !wanted {
		return nil
	}
	for i := range fetch.Batch.Len() {
		message := fetch.Batch.Message(i)
		if _, full := t.window.LoadMessage(&message); full {
			return errFull
		}
		if message.Next >= end {
			t.done(fetch.Partition)
			return nil
		}
	}
	outside := (*kafka.OutOfRange)(nil)
	if fetch.Stopped || errors.As(fetch.Err, &outside) {
		return fetch.Err // retention was faster, or the topic is another one; the next try begins anew
	}
	return nil
}

func (t *tail) done(partition kafka.Partition) {
	delete(t.ends, partition)
	t.transport.Remove([]kafka.Partition{partition})
}
