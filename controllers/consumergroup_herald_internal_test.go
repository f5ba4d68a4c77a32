// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// saying are conditions, each as Type=Status Reason.
func saying(texts ...string) (conditions []metav1.Condition) {
	for _, text := range texts {
		kind, rest, _ := strings.Cut(text, "=")
		status, reason, _ := strings.Cut(rest, " ")
		conditions = append(conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, Message: "It is so",
		})
	}
	return conditions
}

// Each step is what stands some seconds later, and the events that it brings.
func TestNews(t *testing.T) {
	type step struct {
		after time.Duration
		says  []metav1.Condition
		want  string
	}
	well := saying("Ready=True Balanced")
	for name, steps := range map[string][]step{
		"applied all at once": {
			{0, saying("Ready=False ClusterMissing", "Stalled=True ClusterMissing"), ""},
			{time.Second, saying("Ready=Unknown GroupUnreadable"), ""},
			{time.Second, saying("Ready=Unknown WorkersUnknown"), ""},
			{time.Second, well, "Normal Balanced"},
			{time.Hour, well, ""},
		},
		"something is missing": {
			{0, saying("Ready=False ClusterMissing", "Stalled=True ClusterMissing"), ""},
			{settled - 1, saying("Ready=False ClusterMissing"), ""},
			{1, saying("Ready=False ClusterMissing"), "Warning ClusterMissing"},
			{time.Hour, saying("Ready=False ClusterMissing"), ""},
		},
		"it left and came back": {
			{0, well, "Normal Balanced"},
			{time.Second, saying("Ready=False Rebalancing"), ""},
			{time.Second, well, ""},
			{time.Second, saying("Ready=False SinkUnreachable"), ""},
			{settled, saying("Ready=False SinkUnreachable"), "Warning SinkUnreachable"},
			{time.Second, well, "Normal Balanced"},
		},
		"beside Ready": {
			{0, saying("Ready=True Balanced", "Stalled=True NameConflict", "Fed=True Enough"), "Normal Balanced"},
			{settled, saying("Ready=True Balanced", "Stalled=True NameConflict", "Fed=False TooFew"), "Warning NameConflict"},
			{settled, saying("Ready=True Balanced", "Fed=False TooFew"), "Warning TooFew"},
			{settled, saying("Ready=True Balanced", "Stalled=True NameConflict", "Fed=False TooFew"), ""},
			{settled, saying("Ready=True Balanced", "Stalled=True NameConflict", "Fed=False TooFew"), "Warning NameConflict"},
		},
		"asked for": {
			{0, saying("Ready=False Suspended"), "Normal Suspended"},
			{0, saying("Ready=False Deleting", "Reconciling=True Deleting"), "Normal Deleting"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var h herald
			now, group := noon, consuming().group
			for i, step := range steps {
				now = now.Add(step.after)
				news, wait := h.hear(group, nil, step.says, now)
				var got []string
				for _, o := range news {
					got = append(got, o.kind+" "+o.reason)
				}
				if strings.Join(got, ", ") != step.want {
					t.Errorf("step %d: got %q, want %q", i, got, step.want)
				}
				if wait < 0 || wait > settled {
					t.Errorf("step %d: listens again in %s", i, wait)
				}
			}
		})
	}
}

func TestNewsOfPredecessorsIsOld(t *testing.T) {
	var h herald
	group, stands := consuming().group, saying("Ready=False Blocked")
	if news, wait := h.hear(group, stands, stands, noon); len(news) > 0 || wait > 0 {
		t.Errorf("got %+v in %s", news, wait)
	}
	group.UID = "another"
	if news, _ := h.hear(group, nil, saying("Ready=True Balanced"), noon); len(news) != 1 {
		t.Errorf("another object of that name has news of its own; got %+v", news)
	}
	h.forget(scopeOf(group).key())
	if len(h.heard) != 0 {
		t.Error("forgotten means gone")
	}
}

func scopeOf(group *v1alpha1.ConsumerGroup) *groupScope { return &groupScope{group: group} }

func TestNewlyBlocked(t *testing.T) {
	var before, after v1alpha1.ConsumerGroupStatus
	for id := range strings.SplitSeq("0123456789", "") {
		after.Partitions = append(after.Partitions, v1alpha1.PartitionStatus{
			Topic: "orders", Partition: id, State: v1alpha1.PartitionBlocked, Reason: "500",
		})
	}
	got := newlyBlocked(&before, &after)
	if len(got) != eventsAtOnce || got[0].note != "Partition orders/0 stands: 500" {
		t.Errorf("got %+v", got)
	}
	more := after.DeepCopy()
	more.Partitions = slices.Insert(more.Partitions, 0, v1alpha1.PartitionStatus{
		Topic: "orders", Partition: "10", State: v1alpha1.PartitionBlocked,
	})
	if got := newlyBlocked(&after, more); len(got) != 1 {
		t.Errorf("one more is blocked; got %+v", got)
	}
}
