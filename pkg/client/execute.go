// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
)

// answersPerSession bounds how long a request to who keeps the group may take: three fit into a session, so one that
// hangs is known to before the lease (2/3 of a session) lapses.
const answersPerSession = 3

// resolveTimeout bounds asking the brokers for positions; a second for each of three that may have to be tried.
const resolveTimeout = 3 * time.Second

func (d *driver) execute(ctx context.Context, command group.Command) {
	switch command := command.(type) {
	case group.Start:
		d.start(command)
	case group.Drain:
		d.lanes[command.Lane].processor.Drain()
	case group.Cut:
		d.lanes[command.Lane].processor.Cut()
	case group.Stop:
		d.end(command.Lane).processor.Stop()
	case group.Extend:
		d.lease.extend(command.Until)
	case group.Pause:
		d.lease.end()
		d.each(Processor.Pause)
	case group.Resume:
		d.each(Processor.Resume)
	case group.Left:
		d.lease.end()
		d.left, d.clean = true, command.Clean
	case group.Resolve:
		d.running.Go(func() { d.resolve(ctx, command) })
	default:
		d.keeper.request(ctx, command)
	}
}

func (d *driver) each(do func(Processor)) {
	for _, lane := range d.lanes {
		do(lane.processor)
	}
}

// start gives a claimed partition to the handler and begins to fetch it.
func (d *driver) start(command group.Start) {
	s := &source{lane: command.Lane, partition: command.Partition}
	s.next.Store(command.Position)
	s.end.Store(-1)
	s.processor = d.handler.Assign(Assignment{
		Group: d.consumer.config.Group, Partition: command.Partition, Position: command.Position,
		Token: command.Token, Lease: d.lease,
		Drained: func(position int64) {
			d.consumer.events.send(group.Drained{
				Progress: group.Progress{Lane: command.Lane, Position: position},
			})
		},
		Ready: func() { d.consumer.fetcher.change(change{source: s, kind: resume}) },
		Seek:  func(to int64) { d.consumer.fetcher.change(change{source: s, kind: seek, to: to}) },
	})
	d.lanes[command.Lane] = s
	d.consumer.show(s)
	begin := add
	if command.Outlived {
		begin = hold
	}
	d.consumer.fetcher.change(change{source: s, kind: begin, to: command.Position})
}

// end stops fetching a lane and forgets it.
func (d *driver) end(lane int64) *source {
	s := d.lanes[lane]
	delete(d.lanes, lane)
	d.consumer.hide(s)
	d.consumer.fetcher.change(change{source: s, kind: remove})
	return s
}

// resolve asks the brokers for positions.
func (d *driver) resolve(ctx context.Context, command group.Resolve) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	answer := group.Resolved{Place: command.Place}
	transport, err := d.consumer.cluster.producer.transport(ctx)
	if err == nil {
		answer.Positions, err = transport.Positions(ctx, command.Partitions, command.Place)
	}
	d.takeOver(answer.Positions)
	answer.Answer = answerOf(err)
	d.consumer.events.send(answer)
}
