// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// settled is how long something has to stand before it is news: what a group passes through on its way (a KafkaCluster
// that is applied a moment later, workers that have not been asked yet, a rebalance) is over by then.
const settled = 5 * time.Second

// herald decides what of the conditions is worth an event, and when. It tells of each thing once, however often the
// conditions say it, and again only after they have said something else for as long. The zero value has heard nothing;
// it may be used concurrently.
type herald struct {
	// mu protects heard.
	mu    sync.Mutex
	heard map[types.NamespacedName]*hearsay
}

// hearsay is what the herald knows of one object, by the condition's type.
type hearsay struct {
	uid    types.UID
	told   map[string]line
	rumour map[string]rumour
}

// line is what a condition says, as far as it is news.
type line struct {
	status metav1.ConditionStatus
	reason string
}

// rumour is a line that has not stood for long enough.
type rumour struct {
	line
	since time.Time
}

// hear takes the conditions that stand now, and gives what is to be told, and how soon to listen again; 0 if nothing is
// waited for. What stood before the first time counts as told: by whoever wrote it.
func (h *herald) hear(object client.Object, before, now []metav1.Condition, at time.Time) ([]occasion, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	known := h.heard[key]
	if known == nil || known.uid != object.GetUID() {
		known = &hearsay{uid: object.GetUID(), told: map[string]line{}, rumour: map[string]rumour{}}
		for _, c := range worthTelling(before) {
			known.told[c.Type] = line{c.Status, c.Reason}
		}
		if h.heard == nil {
			h.heard = map[types.NamespacedName]*hearsay{}
		}
		h.heard[key] = known
	}
	return known.weigh(worthTelling(now), at)
}

// forget drops what is known of an object that is gone.
func (h *herald) forget(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.heard, key)
}

// weigh is hear for one object.
func (k *hearsay) weigh(conditions []metav1.Condition, at time.Time) (news []occasion, wait time.Duration) {
	for _, gone := range besideReady() {
		if meta.FindStatusCondition(conditions, gone) == nil {
			delete(k.told, gone)
			delete(k.rumour, gone)
		}
	}
	for _, c := range conditions {
		says := line{c.Status, c.Reason}
		if k.told[c.Type] == says {
			delete(k.rumour, c.Type)
			continue
		}
		if k.rumour[c.Type].line != says {
			k.rumour[c.Type] = rumour{says, at}
		}
		if left := k.rumour[c.Type].since.Add(settled).Sub(at); left > 0 && !prompt(&c) {
			wait = left
			continue
		}
		k.told[c.Type] = says
		delete(k.rumour, c.Type)
		news = append(news, occasion{kind: kindOf(&c), reason: c.Reason, note: c.Message})
	}
	return news, wait
}

// worthTelling are Ready, and of the others those that are not as they should be and say another thing.
func worthTelling(conditions []metav1.Condition) []metav1.Condition {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return nil
	}
	worth := []metav1.Condition{*ready}
	for _, other := range besideReady() {
		c := meta.FindStatusCondition(conditions, other)
		if c != nil && c.Reason != ready.Reason && worrying(c) {
			worth = append(worth, *c)
		}
	}
	return worth
}

// besideReady are the conditions that are worth telling beside Ready.
func besideReady() []string {
	return []string{
		v1alpha1.ConditionStalled, v1alpha1.ConditionDegraded, v1alpha1.ConditionFed, v1alpha1.ConditionSubjectBound,
	}
}

// prompt tells that a condition is news at once: it is what somebody asked for.
func prompt(c *metav1.Condition) bool {
	switch c.Reason {
	case v1alpha1.ReasonSuspended, v1alpha1.ReasonScaledToZero, v1alpha1.ReasonDeleting:
		return true
	}
	return c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue
}

// kindOf is Warning for what is not as it should be, and not on the way there.
func kindOf(c *metav1.Condition) string {
	switch c.Reason {
	case v1alpha1.ReasonBalanced, v1alpha1.ReasonPublishing, v1alpha1.ReasonStarting, v1alpha1.ReasonRebalancing,
		v1alpha1.ReasonProgressing, v1alpha1.ReasonSuspended, v1alpha1.ReasonScaledToZero, v1alpha1.ReasonDeleting:
		return corev1.EventTypeNormal
	}
	return corev1.EventTypeWarning
}
