// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// eventsAtOnce is how many partitions that block or lose messages at once get an event each: a sink that is down blocks
// them all, and five events say so as well as a hundred.
const eventsAtOnce = 5

// occasion is something to tell once.
type occasion struct {
	kind, reason, note string
}

// announce raises events. Their action is what the operator was about.
func (r *ConsumerGroupReconciler) announce(s *groupScope, occasions []occasion) {
	for _, o := range occasions {
		r.recorder.Eventf(s.group, nil, o.kind, o.reason, "Observe", "%s", shorten(o.note, maxMessage))
	}
}

// worrying tells that a condition is not as it should be.
func worrying(c *metav1.Condition) bool {
	if slices.Contains(abnormal, c.Type) {
		return c.Status == metav1.ConditionTrue
	}
	return c.Status == metav1.ConditionFalse
}

// newlyBlocked tells of partitions: the last minute was their chance to come right by themselves.
func newlyBlocked(before, after *v1alpha1.ConsumerGroupStatus) (list []occasion) {
	known := map[[3]string]bool{}
	for i := range before.Partitions {
		if p := &before.Partitions[i]; p.State == v1alpha1.PartitionBlocked {
			known[[3]string{p.Group, string(p.Topic), p.Partition}] = true
		}
	}
	for i := range after.Partitions {
		p := &after.Partitions[i]
		if p.State != v1alpha1.PartitionBlocked || known[[3]string{p.Group, string(p.Topic), p.Partition}] {
			continue
		}
		if len(list) == eventsAtOnce {
			break
		}
		list = append(list, occasion{kind: corev1.EventTypeWarning, reason: v1alpha1.ReasonBlocked, note: fmt.Sprintf(
			"Partition %s/%s stands: %s", p.Topic, p.Partition, p.Reason)})
	}
	return list
}

// losses remember how many offsets (with Kafka 0.7: bytes) each worker has said to have lost. The zero value is empty;
// it may be used concurrently.
type losses struct {
	// mu protects known, which holds counts by worker and partition, by group.
	mu    sync.Mutex
	known map[types.NamespacedName]map[string]uint64
}

// lost tells of messages that were gone before they were delivered. Workers count since they began, so a count that is
// less than before is of a new worker's. The operator's own start makes it tell again what it cannot know it has told.
func (r *ConsumerGroupReconciler) lost(s *groupScope) []occasion {
	if !s.seen {
		return nil
	}
	counts := map[string]uint64{}
	for pod, told := range s.observation.Workers {
		if told.Status == nil {
			continue
		}
		for i := range told.Status.Partitions {
			p := &told.Status.Partitions[i]
			if p.LostToRetention > 0 {
				counts[pod+" of "+p.Topic+"/"+p.Partition] = p.LostToRetention
			}
		}
	}
	return r.losses.grown(s.key(), counts)
}

func (l *losses) grown(key types.NamespacedName, counts map[string]uint64) (list []occasion) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.known[key]
	for _, where := range slices.Sorted(maps.Keys(counts)) {
		grown := counts[where]
		if grown > known[where] {
			grown -= known[where]
		} else if grown == known[where] {
			continue
		}
		list = append(list, occasion{kind: corev1.EventTypeWarning, reason: v1alpha1.EventPositionsLost, note: fmt.Sprintf(
			"Retention removed %s before %s delivered it", lostText(grown, where), where)})
	}
	if more := len(list) - eventsAtOnce; more > 0 {
		list = append(list[:eventsAtOnce], occasion{
			kind: corev1.EventTypeWarning, reason: v1alpha1.EventPositionsLost,
			note: "Retention removed undelivered messages of " + plural(more, "more partition"),
		})
	}
	if l.known == nil {
		l.known = map[types.NamespacedName]map[string]uint64{}
	}
	// What is not told of now (a partition that moved away) may come back with the same count.
	merged := maps.Clone(known)
	if merged == nil {
		merged = map[string]uint64{}
	}
	maps.Copy(merged, counts)
	if len(merged) > 0 {
		l.known[key] = merged
	}
	return list
}

// lostText is what was lost of the partition that a text ends with: as many places for messages, not all of which
// need have held one; or bytes.
func lostText(lost uint64, where string) string {
	partition := where[strings.LastIndex(where, "/")+1:]
	if lagUnit(partition) == v1alpha1.LagUnitBytes {
		return fmt.Sprintf("%d bytes", lost)
	}
	return fmt.Sprintf("what stood at %d offsets", lost)
}

func (l *losses) forget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, key)
}
