// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// offsetsTopic is where brokers keep positions, from Kafka 0.8.2 on. While there is none, no group has any there;
// asking for a coordinator all the same would make it.
const offsetsTopic = "__consumer_offsets"

// admit looks for positions of the group that ZooKeeper does not have: its old members may keep them at the brokers
// (offsets.storage=kafka, since 0.8.2), and then the group would begin anew beside them. Where nobody but samsa is
// there any more, they are taken over as the group begins; otherwise the error says what to do, and the member does not
// even register: the others would leave partitions to it.
//
// A group that samsa has begun keeps its positions in ZooKeeper, so there it is not asked any more.
func (z *zookeeper) admit(ctx context.Context, session *registry.Session, command group.Register) error {
	if z.dialect == layout.Kafka07 {
		return nil
	}
	name := z.consumer.config.Group
	member, err := layout.DecodeMember(name, command.ID, command.Data)
	if err != nil {
		return fmt.Errorf("own registration: %w", err)
	}
	begun, err := session.Begun(ctx, name)
	if err != nil {
		return err
	}
	if begun { // what was found in an earlier session is no start of a partition that is made today
		z.taken.Store(nil)
		return nil
	}
	at, err := z.consumer.cluster.keptAtBrokers(ctx, name, member.SubscribedTopics(), z.consumer.config.Start)
	if err != nil || len(at) == 0 {
		return err
	}
	// Behind the brokers: a member that commits to both writes there first.
	told, err := z.consumer.cluster.directory.told(ctx, member.SubscribedTopics())
	if err != nil {
		return err
	}
	found, err := session.Inspect(ctx, registry.InspectRequest{
		Group: name, Topics: member.SubscribedTopics(), Told: told, Party: "admit",
	}, nil)
	if err != nil {
		return err
	}
	taken, err := takeOver(found, at)
	if err != nil {
		return err
	}
	z.taken.Store(&taken)
	return nil
}

// keptAtBrokers are the positions that the coordinator of a group has, none where it cannot have any. See untold for
// what start decides.
func (c *Cluster) keptAtBrokers(
	ctx context.Context, name string, topics []string, start kafka.Place,
) (map[kafka.Partition]int64, error) {
	_, err := c.Topic(offsetsTopic).Partitions(ctx)
	if errors.Is(err, ErrNoTopic) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("positions at the brokers: %w", err)
	}
	var partitions []kafka.Partition
	for _, topic := range topics {
		of, err := c.Topic(topic).Partitions(ctx)
		if err != nil && !errors.Is(err, ErrNoTopic) {
			return nil, fmt.Errorf("positions at the brokers: %w", err)
		}
		partitions = append(partitions, of...)
	}
	if len(partitions) == 0 {
		return nil, nil
	}
	at, _, err := c.Group(name).ask(ctx).offsets(ctx, partitions)
	if err != nil {
		return nil, untold(name, err, start)
	}
	return at, nil
}

// untold says what it means that positions were not told. A broker that does not know of them has none, which is no
// error. Who may not ask for them cannot have kept any, but others may have, who log in as somebody else: a group that
// begins at the earliest loses nothing by that, and any other would pass over what they left.
func untold(name string, err error, start kafka.Place) error {
	refusal := (*kerr.Error)(nil)
	switch {
	case !errors.As(err, &refusal) || refusal.Retriable:
		return fmt.Errorf("whether the group keeps positions at the brokers cannot be told: %w", err)
	case isDenied(refusal) && !start.IsEarliest():
		return fmt.Errorf("whether old members keep positions at the brokers may not be asked, and the group would pass over"+
			" what they left: allow Describe on group %s, or begin at the earliest: %w", name, err)
	}
	return nil
}

func isDenied(refusal *kerr.Error) bool {
	return slices.Contains([]*kerr.Error{
		kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	}, refusal)
}

// takeOver holds the positions at the brokers against those in ZooKeeper, and gives those that are to be the group's
// first: of partitions that have none in ZooKeeper.
func takeOver(found layout.Inspection, at map[kafka.Partition]int64) (map[kafka.Partition]int64, error) {
	others := slices.ContainsFunc(members(found), func(m GroupMember) bool { return m.Foreign })
	taken := map[kafka.Partition]int64{}
	for partition, there := range at {
		here, placed := found.Committed[partition]
		switch {
		case placed && here >= there, found.Malformed[partition]: // who commits to both; or somebody has to mend it
		case others:
			return nil, fmt.Errorf("the group's members keep their positions at the brokers (offsets.storage=kafka): %s is at "+
				"%d there, and %s in ZooKeeper; let them write both (dual.commit.enabled=true), or end them, which makes samsa "+
				"begin where they ended", partition, there, inZooKeeper(here, placed))
		case placed:
			return nil, fmt.Errorf("the group has two positions, and which of them counts nobody can tell: %s is at %d at the "+
				"brokers, and at %d in ZooKeeper; write the right one to %s, or delete that node to begin at the brokers' one",
				partition, there, here, layout.Offset(found.Group, partition))
		default:
			taken[partition] = there
		}
	}
	return taken, nil
}

// takeOver puts the positions that were taken over in the place of those that partitions would begin at.
func (d *driver) takeOver(positions map[kafka.Partition]int64) {
	taken := d.taken.Load()
	if taken == nil {
		return
	}
	for partition := range positions {
		if position, ok := (*taken)[partition]; ok {
			positions[partition] = position
		}
	}
}

func inZooKeeper(position int64, placed bool) string {
	if !placed {
		return "nowhere"
	}
	return fmt.Sprintf("at %d", position)
}
