// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// ClaimOf is what the status of a group says.
func ClaimOf(group *v1alpha1.ConsumerGroup) Claim {
	status := group.Status
	claim := Claim{
		Unsure: true, Untold: status.OwnedPartitions == nil,
		Owned: int(ptr.Deref(status.OwnedPartitions, 0)), Lag: ptr.Deref(status.Lag, 0), Partitions: map[string]Partition{},
	}
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		claim.Ready, claim.Reason, claim.Unsure = ready.Status == "True", ready.Reason, ready.Status == "Unknown"
	}
	for _, member := range status.Members {
		name := member.Pod
		if name == "" {
			name = member.ID
		}
		claim.Members = append(claim.Members, name)
	}
	slices.Sort(claim.Members)
	for _, row := range status.Partitions {
		claim.Partitions[PartitionName(row.Group, string(row.Topic), row.Partition)] = Partition{
			Owner: row.Owner, Committed: ptr.Deref(row.Committed, -1), End: ptr.Deref(row.End, -1),
		}
	}
	return claim
}

// PartitionName is what a partition is called in samples: topic/id, and with semantics Topic, where each pod has a
// group of its own, group:topic/id.
func PartitionName(group, topic, id string) string {
	if group != "" {
		group += ":"
	}
	return group + topic + "/" + id
}
