// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

func clusterAt(uid, version string) *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "main", UID: types.UID(uid), ResourceVersion: version,
	}}
}

func TestStandingStatus(t *testing.T) {
	var s standing[v1alpha1.KafkaClusterStatus]
	status := func(era string) *v1alpha1.KafkaClusterStatus {
		return &v1alpha1.KafkaClusterStatus{Era: v1alpha1.Era(era)}
	}
	s.of(clusterAt("a", "10"), status("first"), noon)
	s.is(clusterAt("a", "10"), status("second"), "11", noon)
	s.is(clusterAt("a", "10"), status("third"), "12", noon)
	for _, c := range []struct {
		uid, version, cached, want string
	}{
		{"a", "10", "first", "third"},
		{"a", "11", "second", "third"}, // a cache that is between two writes
		{"a", "12", "third", "third"},
		{"a", "13", "somebody's", "somebody's"},
		{"a", "10", "first", "first"}, // what the cache has shown once is not kept
		{"b", "9", "of another object of that name", "of another object of that name"},
	} {
		if got := s.of(clusterAt(c.uid, c.version), status(c.cached), noon); string(got.status.Era) != c.want {
			t.Errorf("%s at %s: got %s, want %s", c.uid, c.version, got.status.Era, c.want)
		}
		if c.version == "12" { // back to what is not shown yet
			s.is(clusterAt("a", "10"), status("third"), "12", noon)
		}
	}
	s.forget(client.ObjectKeyFromObject(clusterAt("b", "9")))
	if len(s.known) != 0 {
		t.Errorf("%d are remembered, want none", len(s.known))
	}
}

// The start of an operator takes nothing back that its predecessor saw, unless it does not see it for long.
func TestNewcomersKnowLess(t *testing.T) {
	says := func(status metav1.ConditionStatus, generation int64) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, ObservedGeneration: generation}}
	}
	well, unknown, ill := says("True", 1), says("Unknown", 1), says("False", 1)
	object := clusterAt("a", "10")
	for name, c := range map[string]struct {
		before, after []metav1.Condition
		blind         bool
		at            time.Duration
		want          bool
	}{
		"not seen yet":           {well, unknown, false, 0, true},
		"bad, not seen yet":      {ill, unknown, false, acquaintance - 1, true},
		"not seen for long":      {well, unknown, false, acquaintance, false},
		"seen to be bad":         {well, ill, false, 0, false},
		"suspended, not read":    {ill, ill, true, 0, true},
		"another generation":     {well, says("Unknown", 2), false, 0, false},
		"the first status":       {nil, unknown, false, 0, false},
		"it was unknown already": {unknown, unknown, false, 0, false},
	} {
		var s standing[v1alpha1.KafkaClusterStatus]
		s.of(object, &v1alpha1.KafkaClusterStatus{}, noon)
		if got := s.knowsLess(object, c.before, c.after, c.blind, noon.Add(c.at)); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	var s standing[v1alpha1.KafkaClusterStatus]
	s.of(object, &v1alpha1.KafkaClusterStatus{}, noon)
	if s.knowsLess(object, well, well, false, noon) || s.knowsLess(object, well, unknown, false, noon) {
		t.Error("whoever has seen it once takes back what it does not see any more")
	}
}
