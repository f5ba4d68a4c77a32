// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// statusOf computes the whole status of what a pass has seen. Of the status before it takes what only a status can
// remember (the coordination that was resolved, the ordinals there were) and the times of conditions that stay.
func statusOf(s *groupScope, before *v1alpha1.ConsumerGroupStatus) v1alpha1.ConsumerGroupStatus {
	f := gather(s)
	// A pass that failed has not observed all of this generation, so it does not say so.
	generation := s.group.Generation
	if s.err != nil {
		generation = ptr.Deref(before.ObservedGeneration, -1)
	}
	status := v1alpha1.ConsumerGroupStatus{
		Conditions:         mergeConditions(before.Conditions, conditionsOf(s, &f), max(generation, 0), s.now),
		ObservedGeneration: &generation,
		Replicas:           ptr.To[int32](0),
		Selector:           labels.SelectorFromSet(workload.Selector(s.group.Name)).String(),
		Group:              workload.GroupName(s.group),
		Coordination:       before.Coordination,
		Columns:            columns(&s.group.Spec),
	}
	if s.set != nil {
		status.Replicas = new(s.set.Status.Replicas)
	}
	if s.group.Spec.Semantics == v1alpha1.SemanticsTopic {
		status.Ordinals = new(max(s.ordinals(), ptr.Deref(before.Ordinals, 0)))
	}
	if f.read {
		describeFacts(&status, s, &f)
	}
	return status
}

func describeFacts(status *v1alpha1.ConsumerGroupStatus, s *groupScope, f *facts) {
	status.Assignment = f.assignment
	for _, topic := range f.topics[:min(len(f.topics), maxListed)] {
		status.Topics = append(status.Topics, v1alpha1.TopicName(topic))
	}
	status.TopicCount = count(len(f.topics))
	status.ReadyReplicas = count(f.joined(s))
	status.Members = memberList(f.members)
	status.MemberCount, status.ForeignMembers = count(len(f.members)), count(f.foreign())
	status.Partitions = worst(f.rows, s.group.Spec.Semantics == v1alpha1.SemanticsTopic)
	status.PartitionCount, status.OwnedPartitions = count(len(f.rows)), count(f.owned())
	status.BlockedPartitions = count(blockedRows(f.rows))
	status.Columns.Owned = fmt.Sprintf("%d/%d", f.owned(), len(f.rows))
	if lag, known := totalLag(f.rows); known {
		status.Lag, status.LagUnit = &lag, lagUnit(f.rows[0].Partition.ID)
		status.Columns.Lag = lagText(lag, status.LagUnit)
	}
}

// count is never beyond an int32: a ZooKeeper node of a mebibyte holds no list that long.
func count(n int) *int32 { return new(int32(n)) } //nolint:gosec // see above

func blockedRows(rows []row) (count int) {
	for i := range rows {
		if rows[i].state == v1alpha1.PartitionBlocked {
			count++
		}
	}
	return count
}

func totalLag(rows []row) (lag int64, known bool) {
	for i := range rows {
		if rows[i].Lag >= 0 {
			lag, known = lag+rows[i].Lag, true
		}
	}
	return lag, known
}

func memberList(members []member) []v1alpha1.GroupMember {
	members = slices.SortedFunc(slices.Values(members), func(a, b member) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.ID, b.ID))
	})
	list := make([]v1alpha1.GroupMember, 0, min(len(members), maxListed))
	for i := range members[:min(len(members), maxListed)] {
		m := &members[i]
		shown := v1alpha1.GroupMember{
			ID: cut(m.ID, maxOwner), Pod: cut(m.Pod, maxPod), Origin: v1alpha1.OriginSamsa, Partitions: count(m.owned),
		}
		if m.Foreign {
			shown.Origin, shown.Pod = v1alpha1.OriginForeign, ""
		}
		list = append(list, shown)
	}
	return list
}

// worst are the rows that somebody should look at first.
func worst(rows []row, withGroup bool) []v1alpha1.PartitionStatus {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b row) int {
		return cmp.Or(cmp.Compare(severity(a.state), severity(b.state)), cmp.Compare(b.Lag, a.Lag),
			cmp.Compare(a.group, b.group), a.Partition.Compare(b.Partition))
	})
	list := make([]v1alpha1.PartitionStatus, 0, min(len(rows), maxListed))
	for i := range rows[:min(len(rows), maxListed)] {
		shown := rows[i].status()
		if !withGroup {
			shown.Group = ""
		}
		list = append(list, shown)
	}
	return list
}

// severity orders the states, the worst first.
func severity(state v1alpha1.PartitionState) int {
	return slices.Index([]v1alpha1.PartitionState{
		v1alpha1.PartitionBlocked, v1alpha1.PartitionUnowned, v1alpha1.PartitionFailing, v1alpha1.PartitionUnknown,
		v1alpha1.PartitionDraining, v1alpha1.PartitionOwned,
	}, state)
}

func (r *row) status() v1alpha1.PartitionStatus {
	status := v1alpha1.PartitionStatus{
		Topic: v1alpha1.TopicName(r.Partition.Topic), Partition: r.Partition.ID, Group: r.group,
		State: r.state, Owner: r.owner, Committed: position(r.Committed), End: position(r.End), Lag: position(r.Lag),
		Reason: cut(r.reason, maxReason),
	}
	if r.worker != nil && r.worker.Attempts > 0 {
		status.Attempts = count(r.worker.Attempts)
	}
	if r.worker != nil && r.worker.Blocked != nil {
		status.Since = metav1.NewTime(r.worker.Blocked.Since)
	}
	return status
}

// position is nil where it is not known.
func position(at int64) *int64 {
	if at < 0 {
		return nil
	}
	return &at
}
