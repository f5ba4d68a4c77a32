// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/pkg/client"
)

// ending is a scope of a group that is being deleted, whose workers are gone.
func ending(since time.Duration) *groupScope {
	s := consuming()
	deleted := metav1.NewTime(noon.Add(-since))
	s.group.DeletionTimestamp, s.group.Finalizers = &deleted, []string{PositionsFinalizer}
	s.group.Spec.DrainTimeout, s.group.Spec.DeletionPolicy = "30s", v1alpha1.DeletionDelete
	s.pods, s.set.Status.Replicas = nil, 0
	return s
}

func TestCleaningUpIsBounded(t *testing.T) {
	inUse := &client.GroupInUseError{Group: "billing", Members: []client.GroupMember{{Pod: "old"}}}
	limit := cleanupLimit + 30*time.Second
	for name, c := range map[string]struct {
		since        time.Duration
		change       func(*groupScope)
		err          error
		done, gaveUp bool
		waits        string
	}{
		"all removed":           {since: time.Second, done: true},
		"foreign members":       {since: limit - 1, err: inUse, waits: "in use by old"},
		"foreign for too long":  {since: limit, err: inUse, done: true, gaveUp: true, waits: "in use by old"},
		"no answer":             {since: time.Second, err: errors.New("no answer"), waits: "no answer"},
		"no answer for long":    {since: limit, err: errors.New("no answer"), done: true, gaveUp: true, waits: "no answer"},
		"not connected yet":     {since: time.Second, err: errNotConnected, waits: "no connection"},
		"cluster gone for good": {since: 1, err: errNotConnected, change: noCluster, done: true, gaveUp: true},
		"cluster gone, yet connected": {
			since: 1, err: inUse, change: noCluster, waits: "in use by old",
		},
		"workers there": {since: 1, change: withPod, waits: "the workers"},
		"workers there for too long": {
			since: limit, change: withPod, done: true, gaveUp: true, waits: "the workers",
		},
		"kept after all": {since: 1, change: func(s *groupScope) {
			s.group.Spec.DeletionPolicy = v1alpha1.DeletionRetain
		}},
		"workers about to start": {since: seenWithin, change: notSeen, waits: "the workers"},
		"nobody to start them":   {since: seenWithin + 1, change: notSeen, done: true},
		"another's positions": {
			since: 1, change: func(s *groupScope) { s.barred = true }, err: errors.New("never asked"), done: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := ending(c.since)
			if c.change != nil {
				c.change(s)
			}
			r := &ConsumerGroupReconciler{
				erase: func(context.Context, types.NamespacedName, client.Coordination, []string) error { return c.err },
			}
			if _, err := r.erasePositions(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if s.done != c.done || (s.cleaning.gaveUp != "") != c.gaveUp || !strings.Contains(s.cleaning.waits, c.waits) {
				t.Errorf("done %v, %+v", s.done, s.cleaning)
			}
		})
	}
}

func noCluster(s *groupScope) { s.cluster, s.usable = nil, false }

func notSeen(s *groupScope) { s.set.Generation = 2 }

func withPod(s *groupScope) { s.pods = []corev1.Pod{{}} }

func TestEveryOrdinalIsErased(t *testing.T) {
	s := ending(0)
	s.group.Spec.Semantics = v1alpha1.SemanticsTopic
	s.group.Status.Ordinals = new(int32(3))
	want := []string{"billing-0", "billing-1", "billing-2"}
	if got := s.everyGroup(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// A pod that is not ready is in the way only if it is of a revision that is neither in force nor to come.
func TestStuckPodsAreReplaced(t *testing.T) {
	pod := func(name, revision string, is corev1.ConditionStatus) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "shop", Name: name, Labels: map[string]string{appsv1.StatefulSetRevisionLabel: revision},
			},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: is}}},
		}
	}
	s := consuming()
	s.set.Status.CurrentRevision, s.set.Status.UpdateRevision = "old", "new"
	s.pods = []corev1.Pod{
		pod("old-away", "old", corev1.ConditionFalse), pod("new-starting", "new", corev1.ConditionFalse),
		pod("between-well", "between", corev1.ConditionTrue), pod("between-stuck", "between", corev1.ConditionFalse),
	}
	objects := make([]kube.Object, len(s.pods))
	for i := range s.pods {
		objects[i] = s.pods[i].DeepCopy()
	}
	r := &ConsumerGroupReconciler{client: fake.NewClientBuilder().WithObjects(objects...).Build()}
	if _, err := r.freeRollout(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	var left corev1.PodList
	if err := r.client.List(t.Context(), &left); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range left.Items {
		names = append(names, left.Items[i].Name)
	}
	if want := []string{"between-well", "new-starting", "old-away"}; !slices.Equal(names, want) {
		t.Errorf("got %v", names)
	}
}
