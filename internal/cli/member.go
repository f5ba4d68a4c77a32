// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

// commitWithin is how long ZooKeeper may take to write positions when a subscription ends: it answers in milliseconds,
// and a quorum that lost its leader has a new one within some seconds.
const commitWithin = 10 * time.Second

// watchEvery is how soon trouble is told: later than what passes by itself while a member joins.
const watchEvery = time.Second

func (k *knownCluster) subscribe(ctx context.Context, s subscription) error {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	consumer, err := k.Consumer(client.ConsumerConfig{
		Group: s.group, Topics: s.topics, Name: memberName(), Start: s.start,
	})
	if err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	watched, stop := context.WithCancel(ctx)
	defer stop()
	watching.Go(func() { watch(watched, consumer, s.warn, leave) })
	delivered, enough := 0, false
	for message, err := range consumer.Messages(ctx) {
		switch {
		case errors.Is(err, client.ErrNotReleased):
			return err
		case err != nil:
			s.warn(err)
		case enough:
			// The loop came back, which acknowledged the last message that was wanted. This one is not.
			return commitAll(ctx, consumer)
		default:
			if err := s.deliver(message); err != nil {
				return both(err, commitAll(ctx, consumer))
			}
			if delivered++; delivered == s.count {
				enough = true
				leave(nil)
			}
		}
	}
	if err := context.Cause(ctx); errors.Is(err, client.ErrNoCoordinator) {
		return noGroups(err)
	}
	return nil
}

// noGroups says what to do about brokers that keep no groups.
func noGroups(err error) error {
	if !errors.Is(err, client.ErrNoCoordinator) {
		return err
	}
	return usage("the brokers of --bootstrap coordinate no groups, which are older than Kafka 0.9: " +
		"give --zookeeper for those that ZooKeeper has")
}

// watch warns of what keeps a member from its messages without being an error of one of its partitions. Where it is
// certain that there will be none, it leaves.
func watch(ctx context.Context, consumer *client.Consumer, warn func(error), leave context.CancelCauseFunc) {
	every := time.NewTicker(watchEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		status := consumer.Status()
		for _, topic := range status.Missing {
			warn(waitingFor(topic))
		}
		if status.Err != nil {
			warn(status.Err)
		}
		if errors.Is(status.RegisterErr, client.ErrNoCoordinator) {
			leave(client.ErrNoCoordinator)
			return
		}
		if status.RegisterErr != nil {
			warn(fmt.Errorf("the group cannot be joined: %w", status.RegisterErr))
		}
		if status.Warning != "" {
			warn(errors.New(status.Warning))
		}
	}
}

// commitAll writes the positions of what was acknowledged, and says if that failed: once the loop over messages is left
// nobody would.
func commitAll(ctx context.Context, consumer *client.Consumer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	if err := consumer.Commit(ctx); err != nil {
		return fmt.Errorf("what was printed last is not committed, and will be delivered again: %w", err)
	}
	return nil
}

// memberName tells members on one machine apart, and shows which machine it is. Of two members of one name the older
// would count as gone, and processes have the same number in several containers.
func memberName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "samsa"
	}
	return fmt.Sprintf("%s-%08x", host, rand.Uint32()) //nolint:gosec // to be told apart, not to be secret
}
