// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// answerOf is what the outcome of a request means to the member.
func answerOf(err error) group.Answer {
	if err == nil {
		return group.Answer{}
	}
	answer := group.Answer{Outcome: group.Unavailable, Err: err}
	switch registry.KindOf(err) {
	case registry.Conflict, registry.NoNode:
		answer.Outcome = group.Conflict
	case registry.Lost:
		answer.Outcome = group.Gone
	case registry.Malformed:
		answer.Outcome = group.Malformed
	case registry.Unavailable, registry.Denied, registry.NoChroot:
	}
	if refused := (*registry.Error)(nil); errors.As(err, &refused) {
		answer.Index = refused.Index
	}
	return answer
}

// probe notes the time before the request leaves: the lease counts from when it was sent.
func probe(ctx context.Context, session *registry.Session, name string, command group.Probe) group.Event {
	sent := time.Now()
	err := session.Probe(ctx, layout.Member(name, command.ID))
	answer := answerOf(err)
	if registry.KindOf(err) == registry.NoNode {
		answer.Outcome = group.Gone
	}
	return group.Probed{Epoch: command.Epoch, Sent: sent, Answer: answer}
}

func (z *zookeeper) observe(ctx context.Context, session *registry.Session, command group.Observe) group.Event {
	told, err := z.consumer.cluster.directory.told(ctx, command.Topics)
	if err != nil {
		return group.Observed{Epoch: command.Epoch, Answer: answerOf(err)}
	}
	view, err := session.Observe(ctx, registry.ObserveRequest{
		Group: z.consumer.config.Group, Topics: command.Topics, Told: told, Partitions: command.Partitions,
		Unwatched: command.Others,
	}, func() { z.consumer.events.send(group.Hint{Epoch: command.Epoch}) })
	return group.Observed{Epoch: command.Epoch, View: view, Answer: answerOf(err)}
}

func claim(ctx context.Context, session *registry.Session, name string, command group.Claim) group.Event {
	claimed, err := session.Claim(ctx, name, command.Member, command.Partition, command.Txn)
	event := group.Claimed{
		Epoch: command.Epoch, Partition: command.Partition, Token: claimed.Token,
		Placed: claimed.Placed, Offset: claimed.Offset, Version: claimed.Version, Outlived: claimed.Outlived,
		Answer: answerOf(err),
	}
	if held := (*registry.Error)(nil); errors.As(err, &held) && held.Owner != nil {
		event.Holder = held.Owner.Thread
	}
	return event
}

func read(ctx context.Context, session *registry.Session, name string, command group.Read) group.Event {
	reading, err := session.Position(ctx, name, command.Partition)
	return group.Reread{
		Epoch: command.Epoch, Partition: command.Partition,
		Session: reading.Owner.Session, Thread: reading.Owner.Thread, Token: reading.Owner.Token,
		Placed: reading.Placed, Offset: reading.Offset, Version: reading.Version, Outlived: reading.Outlived,
		Answer: answerOf(err),
	}
}
