// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/topics"
)

func TestATopicThatWasMadeAndIsNotSeenHasACause(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := &bindingScope{
		binding: &v1alpha1.ProducerBinding{Spec: v1alpha1.ProducerBindingSpec{
			Topic: "orders", CreateTopic: v1alpha1.TopicCreation{Partitions: 1},
		}},
		cluster: &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "main"}},
		usable:  true, seen: true, now: now, found: topics.Found{At: now, Missing: true},
	}
	if got := topicReady(s); got.reason != v1alpha1.ReasonProgressing {
		t.Errorf("on its way: %+v", got)
	}
	s.found.Unseen = now.Add(-time.Minute)
	got := topicReady(s)
	if !got.is(metav1.ConditionFalse) || got.reason != v1alpha1.ReasonTopicNotCreated ||
		!strings.Contains(got.message, "said at 2026-11-01T11:59:00Z that they have topic orders") {
		t.Errorf("not seen: %+v", got)
	}
	if stalled := bindingStall(s, got, finding{}); !stalled.is(metav1.ConditionTrue) {
		t.Errorf("somebody has to act: %+v", stalled)
	}
}
