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
		Owned: int(ptr.Deref(status.OwnedPartitions, 0)), Lag: ptr.Deref(status.Lag, 0), Partitions: map[string]Partition{},
	}
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		claim.Ready, claim.Reason = ready.Status == "True", ready.Reason
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
		claim.Partitions[string(row.Topic)+"/"+row.Partition] = Partition{
			Owner: row.Owner, Committed: ptr.Deref(row.Committed, -1), End: ptr.Deref(row.End, -1),
		}
	}
	return claim
}
