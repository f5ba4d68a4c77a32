// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// coordinator is the book of brokers that coordinate groups themselves. While the members of a group gather for a
// round, it tells who they are, and not what they have.
type coordinator struct{ admin *kadm.Client }

// partitions implements book.
func (c coordinator) partitions(ctx context.Context, topic string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	topics, err := c.admin.ListTopics(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	var names []string
	for number := range topics[topic].Partitions {
		names = append(names, strconv.Itoa(int(number)))
	}
	return names, nil
}

// group implements book.
func (c coordinator) group(ctx context.Context, group, topic string) (entry, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	described, err := c.admin.DescribeGroups(ctx, group)
	if err == nil {
		err = described[group].Err
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // of one that is not there yet, nobody has anything
		return entry{}, fmt.Errorf("members of %s: %w", group, err)
	}
	offsets, err := c.admin.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return entry{}, fmt.Errorf("positions of %s: %w", group, err)
	}
	found := entry{owners: map[string]string{}, committed: map[string]int64{}}
	for _, member := range described[group].Members {
		pod := podOfClient(member.ClientID, member.MemberID)
		found.members = append(found.members, pod)
		for _, number := range assigned(member, topic) {
			found.owners[strconv.Itoa(int(number))] = pod
		}
	}
	for number, position := range offsets[topic] {
		if position.Err == nil {
			found.committed[strconv.Itoa(int(number))] = position.At
		}
	}
	return found, nil
}

// assigned are the partitions of a topic that fell to a member.
func assigned(member kadm.DescribedGroupMember, topic string) []int32 {
	given, ok := member.Assigned.AsConsumer()
	if !ok {
		return nil
	}
	for _, of := range given.Topics {
		if of.Topic == topic {
			return of.Partitions
		}
	}
	return nil
}

// podOfClient is the pod in the client id of a member, samsa/<pod>; of anybody else's, the member's id.
func podOfClient(client, member string) string {
	if pod, ok := strings.CutPrefix(client, "samsa/"); ok {
		return pod
	}
	return member
}
