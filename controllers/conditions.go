// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// maxMessage bounds the text of a condition: the API allows 32 KiB, but 16 conditions of a kibibyte are what a status
// may weigh next to its 64 rows, and more nobody reads.
const maxMessage = 1024

// abnormal are the conditions that are there only while they are true, as kstatus wants them.
var abnormal = []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionDegraded}

// newCondition makes a condition for mergeConditions, which adds the times and the generation. The message has to stay
// the same while its cause does: no offsets, times or ids in it.
func newCondition(kind string, status metav1.ConditionStatus, reason, format string, args ...any) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// mergeConditions gives the desired conditions the time of their last transition: that of the current one where the
// status is the same, now where it is not. Those that are to be seen only while true are left out otherwise.
func mergeConditions(current, desired []metav1.Condition, generation int64, now time.Time) []metav1.Condition {
	merged := make([]metav1.Condition, 0, len(desired))
	for _, c := range desired {
		if c.Status != metav1.ConditionTrue && slices.Contains(abnormal, c.Type) {
			continue
		}
		c.ObservedGeneration = generation
		c.Message = shorten(c.Message, maxMessage)
		c.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second)) // what the API server stores
		if old := meta.FindStatusCondition(current, c.Type); old != nil && old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		merged = append(merged, c)
	}
	return merged
}

// shorten cuts a text to a number of bytes, between characters.
func shorten(text string, limit int) string {
	const more = "…"
	if len(text) <= limit {
		return text
	}
	cut := limit - len(more)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}
