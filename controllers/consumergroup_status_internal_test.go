// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/observe"
	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// consuming is a scope in which everything is well: two workers, four partitions.
func consuming() *groupScope {
	group := &v1alpha1.ConsumerGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "billing", Generation: 3},
		Spec: v1alpha1.ConsumerGroupSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: "main"}, Topics: []v1alpha1.TopicName{"orders"},
			Replicas: ptr.To[int32](2), Semantics: v1alpha1.SemanticsQueue,
			Sink: v1alpha1.Sink{HTTP: &v1alpha1.HTTPSink{URL: "http://billing/orders"}},
		},
	}
	s := &groupScope{
		group: group, now: noon, cluster: &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "main"}}, usable: true,
		set: &appsv1.StatefulSet{
			Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](2)},
			Status: appsv1.StatefulSetStatus{
				Replicas: 2, ReadyReplicas: 2, CurrentRevision: "a", UpdateRevision: "a",
			},
		},
		seen: true,
		observation: observe.Observation{
			At: noon, Topics: []string{"orders"},
			Groups:  map[string]client.GroupView{},
			Workers: map[string]observe.Worker{},
		},
	}
	view := client.GroupView{Begun: true, Strategy: layout.Sticky}
	for i := range 2 {
		pod := fmt.Sprintf("billing-%d", i)
		s.pods = append(s.pods, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: pod}})
		view.Members = append(view.Members, client.GroupMember{ID: "id-" + pod, Pod: pod, Topics: []string{"orders"}})
		told := &worker.Status{Member: worker.Member{ID: "id-" + pod, Name: pod}, Ready: true}
		for _, id := range []int{i, i + 2} {
			partition := kafka.Partition{Topic: "orders", ID: fmt.Sprint(id)}
			view.Partitions = append(view.Partitions, client.GroupPartition{
				Partition: partition, Owner: "id-" + pod, Committed: 10, Earliest: 0, End: 15, Lag: 5,
			})
			told.Partitions = append(told.Partitions, worker.PartitionStatus{
				Topic: "orders", Partition: partition.ID, State: worker.Owned,
			})
		}
		s.observation.Workers[pod] = observe.Worker{At: noon, Status: told}
	}
	s.observation.Groups["billing"] = view
	return s
}

// edit changes the group's view.
func (s *groupScope) edit(change func(*client.GroupView)) {
	view := s.observation.Groups["billing"]
	change(&view)
	s.observation.Groups["billing"] = view
}

// first is what the first worker says of its first partition.
func (s *groupScope) first() *worker.PartitionStatus {
	return &s.observation.Workers["billing-0"].Status.Partitions[0]
}

func conditionIn(status v1alpha1.ConsumerGroupStatus, kind string) string {
	c := meta.FindStatusCondition(status.Conditions, kind)
	if c == nil {
		return ""
	}
	return string(c.Status) + " " + c.Reason
}

// Each case is one thing that differs from a group that is well. What is not named is as it is there.
func TestConditions(t *testing.T) {
	well := map[string]string{
		"Ready": "True Balanced", "TopicsResolved": "True TopicsFound", "Balanced": "True Balanced",
		"Delivering": "True Delivering", "Fed": "True EnoughPartitions", "Reconciling": "", "Stalled": "", "Degraded": "",
	}
	all := func(value string) map[string]string {
		return map[string]string{
			"Ready": value, "TopicsResolved": value, "Balanced": value, "Delivering": value, "Fed": value,
		}
	}
	with := func(base, more map[string]string) map[string]string {
		maps.Copy(base, more)
		return base
	}
	for name, c := range map[string]struct {
		change func(*groupScope)
		want   map[string]string
	}{
		"well": {func(*groupScope) {}, nil},
		"nothing read yet": {func(s *groupScope) { s.seen = false }, with(all("Unknown Progressing"),
			map[string]string{"Reconciling": "True Progressing"})},
		"no connection yet": {func(s *groupScope) {
			s.observation = observe.Observation{Err: observe.ErrNoConnection}
		}, with(all("Unknown Progressing"), map[string]string{"Reconciling": "True Progressing"})},
		"read too long ago": {func(s *groupScope) {
			s.now = noon.Add(stale + 1)
			s.observation.Err = errors.New("no answer")
		}, with(all("Unknown GroupUnreadable"), map[string]string{"Reconciling": "True GroupUnreadable"})},
		"read just not too long ago, failing since": {func(s *groupScope) {
			s.now = noon.Add(stale)
			s.observation.Err = errors.New("no answer")
		}, nil},
		"another topic asked for, not read yet": {func(s *groupScope) {
			s.group.Spec.Topics = append(s.group.Spec.Topics, "returns")
		}, with(all("Unknown Progressing"), map[string]string{"Reconciling": "True Progressing"})},
		"topic missing": {func(s *groupScope) {
			s.group.Spec.Topics = append(s.group.Spec.Topics, "returns")
			s.observation.Missing = []string{"returns"}
		}, map[string]string{
			"Ready": "False TopicMissing", "TopicsResolved": "False TopicMissing", "Stalled": "True TopicMissing",
		}},
		"no topic of the pattern": {func(s *groupScope) {
			s.group.Spec.Topics, s.group.Spec.TopicPattern, s.observation.Topics = nil, "x.*", nil
			s.edit(func(v *client.GroupView) { v.Partitions = nil })
		}, map[string]string{
			"Ready": "False TopicMissing", "TopicsResolved": "False TopicMissing", "Balanced": "False TopicMissing",
			"Delivering": "Unknown Starting", "Stalled": "True TopicMissing", "Fed": "Unknown TopicMissing",
		}},
		"topic on no live broker": {func(s *groupScope) {
			s.group.Spec.Topics = append(s.group.Spec.Topics, "returns")
			s.observation.Topics = append(s.observation.Topics, "returns")
		}, map[string]string{
			"Ready": "False TopicMissing", "TopicsResolved": "False TopicMissing", "Stalled": "True TopicMissing",
		}},
		"topic of a pattern on no live broker": {func(s *groupScope) {
			s.group.Spec.Topics, s.group.Spec.TopicPattern = nil, "orders|returns"
			s.observation.Topics = append(s.observation.Topics, "returns")
		}, nil},
		"all topics of a pattern on no live broker": {func(s *groupScope) {
			s.group.Spec.Topics, s.group.Spec.TopicPattern = nil, "orders"
			s.edit(func(v *client.GroupView) { v.Partitions = nil })
		}, map[string]string{
			"Ready": "False TopicMissing", "TopicsResolved": "False TopicMissing", "Balanced": "False TopicMissing",
			"Delivering": "Unknown Starting", "Stalled": "True TopicMissing", "Fed": "Unknown TopicMissing",
		}},
		"partition unowned": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) { v.Partitions[3].Owner = "" })
		}, map[string]string{
			"Ready": "False Rebalancing", "Balanced": "False Rebalancing", "Reconciling": "True Rebalancing",
		}},
		"claim of nobody": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) { v.Partitions[3].Owner, v.Partitions[3].Stray = "ghost", true })
		}, map[string]string{
			"Ready": "False Rebalancing", "Balanced": "False Rebalancing", "Delivering": "Unknown WorkersUnknown",
			"Reconciling": "True Rebalancing",
		}},
		"member leaving": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) { v.Members[1].Leaving = true })
		}, map[string]string{
			"Ready": "False Rebalancing", "Balanced": "False Rebalancing", "Reconciling": "True Rebalancing",
		}},
		"nobody there yet": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) {
				v.Members = nil
				for i := range v.Partitions {
					v.Partitions[i].Owner = ""
				}
			})
		}, map[string]string{
			"Ready": "False Starting", "Balanced": "False Starting", "Delivering": "Unknown Starting",
			"Reconciling": "True Starting",
		}},
		"not begun": {func(s *groupScope) { s.edit(func(v *client.GroupView) { v.Begun = false }) }, map[string]string{
			"Ready": "False Starting", "Balanced": "False Starting", "Reconciling": "True Starting",
		}},
		"workers do not run": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) { v.Members, v.Partitions = nil, v.Partitions[:1]; v.Partitions[0].Owner = "" })
			s.pods[0].Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "back-off 40s"},
			}}}
		}, map[string]string{
			"Ready": "False WorkersFailing", "Balanced": "False WorkersFailing", "Delivering": "Unknown Starting",
			"Stalled": "True WorkersFailing",
		}},
		"worker silent": {func(s *groupScope) {
			s.observation.Workers["billing-1"] = observe.Worker{Err: errors.New("connection refused")}
		}, map[string]string{
			"Ready": "Unknown WorkersUnknown", "Delivering": "Unknown WorkersUnknown", "Reconciling": "True WorkersUnknown",
		}},
		"worker of an earlier session": {func(s *groupScope) {
			s.observation.Workers["billing-1"].Status.Member.ID = "another"
		}, map[string]string{
			"Ready": "Unknown WorkersUnknown", "Delivering": "Unknown WorkersUnknown", "Reconciling": "True WorkersUnknown",
		}},
		"worker run by hand": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) {
				v.Members = append(v.Members, client.GroupMember{ID: "id-laptop", Pod: "laptop", Topics: []string{"orders"}})
				v.Partitions[3].Owner = "id-laptop"
			})
		}, map[string]string{
			"Ready": "Unknown UnmanagedMembers", "Delivering": "Unknown UnmanagedMembers",
			"Reconciling": "True UnmanagedMembers",
		}},
		"silent worker without partitions": {func(s *groupScope) {
			s.observation.Workers["billing-1"] = observe.Worker{}
			s.edit(func(v *client.GroupView) { v.Partitions = v.Partitions[:2] })
		}, nil},
		"blocked": {func(s *groupScope) {
			*s.first() = worker.PartitionStatus{Topic: "orders", Partition: "0", State: worker.Blocked, Attempts: 12,
				Blocked: &worker.Block{Message: "orders/0/10", Since: noon, Attempts: 12, Reason: "500"}}
		}, map[string]string{
			"Ready": "False Blocked", "Delivering": "False Blocked", "Stalled": "True Blocked",
		}},
		"a message that cannot be fetched": {func(s *groupScope) {
			*s.first() = worker.PartitionStatus{Topic: "orders", Partition: "0", State: worker.Blocked, Error: "too large",
				Blocked: &worker.Block{Since: noon, Reason: "too large"}}
		}, map[string]string{
			"Ready": "False Blocked", "Delivering": "False Blocked", "Stalled": "True Blocked",
		}},
		"sink is slow": {func(s *groupScope) {
			s.observation.Workers["billing-0"].Status.Time = noon
			s.first().TryingSince = noon.Add(-answerWithin)
		}, nil},
		"sink hangs": {func(s *groupScope) {
			s.observation.Workers["billing-0"].Status.Time = noon
			s.first().TryingSince, s.first().Error = noon.Add(-answerWithin-1), "the sink has not answered for a while"
		}, map[string]string{
			"Ready": "False SinkFailing", "Delivering": "False SinkFailing", "Reconciling": "True SinkFailing",
		}},
		"sink refused once": {func(s *groupScope) { s.first().Attempts, s.first().Error = 1, "503" }, nil},
		"sink refuses": {func(s *groupScope) { s.first().Attempts, s.first().Error = patience, "503" }, map[string]string{
			"Ready": "False SinkFailing", "Delivering": "False SinkFailing", "Reconciling": "True SinkFailing",
		}},
		"fetch failing": {func(s *groupScope) { s.first().Error = "no leader" }, map[string]string{
			"Ready": "False FetchFailing", "Delivering": "False FetchFailing", "Reconciling": "True FetchFailing",
		}},
		"session lost": {func(s *groupScope) { s.first().State = worker.Paused }, map[string]string{
			"Ready": "False SessionLost", "Delivering": "False SessionLost", "Reconciling": "True SessionLost",
		}},
		"sink unreachable": {func(s *groupScope) {
			s.observation.Workers["billing-0"].Status.Warnings = []worker.Reason{{Code: sinkUnreachable, Subject: "billing"}}
		}, map[string]string{
			"Ready": "False SinkUnreachable", "Delivering": "False SinkUnreachable", "Stalled": "True SinkUnreachable",
		}},
		"foreign member": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) {
				v.Members = append(v.Members, client.GroupMember{ID: "old", Pod: "old", Foreign: true})
				v.Strategy, v.Partitions[3].Owner = layout.Range, "old"
			})
		}, map[string]string{"Degraded": "True ForeignMembers"}},
		"too few partitions": {func(s *groupScope) {
			s.edit(func(v *client.GroupView) { v.Partitions = v.Partitions[:1] })
		}, map[string]string{"Fed": "False TooFewPartitions"}},
		"suspended": {func(s *groupScope) {
			s.group.Spec.Suspend, s.pods = new(true), nil
		}, map[string]string{
			"Ready": "False Suspended", "Balanced": "False Suspended", "Delivering": "False Suspended",
		}},
		"suspended, still ending": {func(s *groupScope) { s.group.Spec.Suspend = new(true) }, map[string]string{
			"Ready": "False Suspended", "Balanced": "False Suspended", "Delivering": "False Suspended",
			"Reconciling": "True Progressing",
		}},
		"cluster gone, still seen": {func(s *groupScope) {
			s.cluster, s.usable = nil, false
			s.block(blocker{reason: v1alpha1.ReasonClusterMissing, message: "gone"})
		}, map[string]string{"Ready": "True ClusterMissing", "Stalled": "True ClusterMissing"}},
		"cluster gone, not seen": {func(s *groupScope) {
			s.cluster, s.usable, s.seen = nil, false, false
			s.block(blocker{reason: v1alpha1.ReasonClusterMissing, message: "gone"})
		}, with(all("Unknown ClusterMissing"), map[string]string{"Stalled": "True ClusterMissing"})},
		"no workers, no cluster": {func(s *groupScope) {
			s.cluster, s.usable, s.seen, s.set, s.pods = nil, false, false, nil, nil
			s.block(blocker{reason: v1alpha1.ReasonClusterMissing, message: "gone"})
		}, with(all("Unknown ClusterMissing"), map[string]string{
			"Ready": "False ClusterMissing", "Stalled": "True ClusterMissing",
		})},
		"cluster away": {func(s *groupScope) {
			s.usable, s.seen = false, false
			s.block(notReady(s.cluster))
		}, with(all("Unknown ClusterNotReady"), map[string]string{"Reconciling": "True ClusterNotReady"})},
		"group in use": {func(s *groupScope) {
			s.barred, s.seen = true, false
			s.block(blocker{reason: v1alpha1.ReasonGroupInUse, message: "shop/other has it"})
		}, with(all("False GroupInUse"), map[string]string{
			"TopicsResolved": "Unknown GroupInUse", "Fed": "Unknown GroupInUse", "Stalled": "True GroupInUse",
		})},
		"name conflict, yet consuming": {func(s *groupScope) {
			s.block(blocker{reason: v1alpha1.ReasonNameConflict, message: "PodDisruptionBudget billing"})
		}, map[string]string{"Ready": "True NameConflict", "Stalled": "True NameConflict"}},
		"rolling out": {func(s *groupScope) { s.set.Status.UpdateRevision = "b" }, map[string]string{
			"Reconciling": "True Progressing",
		}},
		"just applied": {func(s *groupScope) { s.applied = true }, map[string]string{"Reconciling": "True Progressing"}},
		"pass failed": {func(s *groupScope) { s.err = errors.New("conflict") }, map[string]string{
			"Reconciling": "True Progressing",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := consuming()
			c.change(s)
			status := statusOf(s, &v1alpha1.ConsumerGroupStatus{})
			for kind, value := range well {
				if want, ok := c.want[kind]; ok {
					value = want
				}
				if got := conditionIn(status, kind); got != value {
					t.Errorf("%s: got %q, want %q", kind, got, value)
				}
			}
			checkSound(t, &status)
		})
	}
}

// checkSound checks what holds of every status.
func checkSound(t *testing.T, status *v1alpha1.ConsumerGroupStatus) {
	t.Helper()
	for _, c := range status.Conditions {
		if c.Message == "" || len(c.Message) > maxMessage || c.Reason == "" {
			t.Errorf("%s: %q with %d bytes", c.Type, c.Reason, len(c.Message))
		}
	}
	both := meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReconciling) &&
		meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)
	if both {
		t.Error("Reconciling and Stalled exclude each other")
	}
	blocked := ptr.Deref(status.BlockedPartitions, 0)
	if blocked > 0 && conditionIn(*status, "Ready") == "True Balanced" {
		t.Error("Ready with blocked partitions")
	}
}

func TestSameScopeSameStatus(t *testing.T) {
	first := statusOf(consuming(), &v1alpha1.ConsumerGroupStatus{})
	later := consuming()
	later.now = noon.Add(5 * time.Second)
	second := statusOf(later, &first)
	if !equality.Semantic.DeepEqual(first, second) {
		t.Errorf("got\n%+v\nand\n%+v", first, second)
	}
}

func TestNumbers(t *testing.T) {
	s := consuming()
	s.edit(func(v *client.GroupView) { v.Partitions[1].Lag, v.Partitions[1].End = -1, -1 })
	status := statusOf(s, &v1alpha1.ConsumerGroupStatus{})
	if *status.Lag != 15 || *status.OwnedPartitions != 4 || *status.PartitionCount != 4 || *status.ReadyReplicas != 2 {
		t.Errorf("got %+v", status)
	}
	if status.LagUnit != v1alpha1.LagUnitMessages {
		t.Errorf("lag counts %q", status.LagUnit)
	}
	want := v1alpha1.Columns{Topics: "orders", Sink: "http://billing/orders", Owned: "4/4", Lag: "15"}
	if status.Columns != want {
		t.Errorf("got %+v", status.Columns)
	}
	if *status.ObservedGeneration != 3 || status.Selector != "kafka.samsa.dev/consumer-group=billing" {
		t.Errorf("got %+v", status)
	}
	s.err = errors.New("conflict")
	failed := statusOf(s, &v1alpha1.ConsumerGroupStatus{ObservedGeneration: ptr.To[int64](2)})
	if *failed.ObservedGeneration != 2 {
		t.Errorf("a pass that failed has observed %d", *failed.ObservedGeneration)
	}
}

func TestWorstFirst(t *testing.T) {
	s := consuming()
	s.first().State = worker.Blocked
	s.edit(func(v *client.GroupView) {
		v.Partitions[3].Owner = ""
		for i := range 200 {
			v.Partitions = append(v.Partitions, client.GroupPartition{
				Partition: kafka.Partition{Topic: "zebra", ID: fmt.Sprint(i)},
				Owner:     "old", Lag: int64(i), Committed: -1, End: -1,
			})
		}
		v.Members = append(v.Members, client.GroupMember{ID: "old", Foreign: true})
	})
	status := statusOf(s, &v1alpha1.ConsumerGroupStatus{})
	var shown []string
	for _, p := range status.Partitions {
		shown = append(shown, fmt.Sprintf("%s/%s %s", p.Topic, p.Partition, p.State))
	}
	got := strings.Join(shown[:4], ", ")
	if got != "orders/0 Blocked, orders/3 Unowned, zebra/199 Owned, zebra/198 Owned" {
		t.Errorf("got %s", got)
	}
	if len(shown) != 64 || *status.PartitionCount != 204 ||
		*status.OwnedPartitions != 203 || *status.BlockedPartitions != 1 {
		t.Errorf("%d rows, %d partitions, %d owned", len(shown), *status.PartitionCount, *status.OwnedPartitions)
	}
}

func TestTopicSemantics(t *testing.T) {
	s := consuming()
	s.group.Spec.Semantics = v1alpha1.SemanticsTopic
	view := s.observation.Groups["billing"]
	for i := range 2 {
		own := client.GroupView{Begun: true, Strategy: layout.Sticky, Members: view.Members[i : i+1]}
		own.Partitions = append(own.Partitions, view.Partitions[2*i:2*i+2]...)
		s.observation.Groups[fmt.Sprintf("billing-%d", i)] = own
	}
	delete(s.observation.Groups, "billing")
	status := statusOf(s, &v1alpha1.ConsumerGroupStatus{Ordinals: ptr.To[int32](5)})
	if conditionIn(status, "Ready") != "True Balanced" || *status.PartitionCount != 4 || *status.Ordinals != 5 {
		t.Errorf("got %+v", status)
	}
	if row := status.Partitions[3]; row.Group != "billing-1" {
		t.Errorf("got %+v", row)
	}
	delete(s.observation.Groups, "billing-1")
	if got := conditionIn(statusOf(s, &status), "Ready"); got != "Unknown Progressing" {
		t.Errorf("one group is not read; got %s", got)
	}
}

// Nothing is read of topics then, so nothing can be said to be wrong with them.
func TestTopicSemanticsWithoutPods(t *testing.T) {
	s := consuming()
	s.group.Spec.Semantics, s.group.Spec.Replicas, s.pods = v1alpha1.SemanticsTopic, ptr.To[int32](0), nil
	s.observation.Groups = map[string]client.GroupView{}
	status := statusOf(s, &v1alpha1.ConsumerGroupStatus{})
	for kind, want := range map[string]string{
		"Ready": "False ScaledToZero", "TopicsResolved": "True TopicsFound", "Fed": "True EnoughPartitions",
	} {
		if got := conditionIn(status, kind); got != want {
			t.Errorf("%s is %s, not %s", kind, got, want)
		}
	}
}

// Texts that stand in conditions do not change while their cause does not.
func TestMessagesAreStable(t *testing.T) {
	texts := func(change func(*groupScope)) string {
		s := consuming()
		s.first().State, s.first().Blocked = worker.Blocked, &worker.Block{Reason: "dial 10.0.0.1:1234->5678"}
		change(s)
		var all []string
		for _, c := range statusOf(s, &v1alpha1.ConsumerGroupStatus{}).Conditions {
			all = append(all, c.Message)
		}
		return strings.Join(all, "\n")
	}
	before := texts(func(*groupScope) {})
	after := texts(func(s *groupScope) {
		s.first().Attempts, s.first().Blocked.Reason = 99, "dial 10.0.0.1:9999->5678"
		s.edit(func(v *client.GroupView) { v.Partitions[0].Lag, v.Partitions[0].End = 77, 87 })
	})
	if before != after {
		t.Errorf("got\n%s\nand\n%s", before, after)
	}
}

func TestLag(t *testing.T) {
	for lag, want := range map[int64]string{
		0: "0", 9999: "9999", 10_000: "10k", 9_999_999: "9999k", 10_000_000: "10M", 123_456_789_000: "123456M",
	} {
		if got := lagText(lag, v1alpha1.LagUnitMessages); got != want {
			t.Errorf("%d: got %s, want %s", lag, got, want)
		}
		if got := lagText(lag, v1alpha1.LagUnitBytes); got != want+"B" {
			t.Errorf("%d bytes: got %s, want %sB", lag, got, want)
		}
	}
}

func TestGroupsNameIsChecked(t *testing.T) {
	for name, bad := range map[string]bool{"billing": false, "a\u0001": true, strings.Repeat("g", 201): true, "..": true} {
		s := consuming()
		s.group.Spec.Group = name
		if _, err := (&ConsumerGroupReconciler{}).checkName(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if s.barred != bad || bad && s.blocker.reason != v1alpha1.ReasonGroupInvalid {
			t.Errorf("%q: barred %v, %+v", name, s.barred, s.blocker)
		}
	}
}
