// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// lookEvery is how soon a group is looked at again whatever happens, so that what nobody tells of is seen: an
	// observation that became stale, above all. A look costs no request.
	lookEvery = 10 * time.Second
	// lookAtLeast keeps a pass that is due already from following at once.
	lookAtLeast = 500 * time.Millisecond
)

// report computes the status, stores it if it is due, and then tells of what has changed.
func (r *ConsumerGroupReconciler) report(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if !s.looked {
		return ctrl.Result{}, nil // it failed, and comes again; what it has not seen is not gone
	}
	stands := r.written.of(s.group, &s.group.Status, s.now)
	before, after := stands.status, statusOf(s, stands.status)
	again := ctrl.Result{RequeueAfter: s.lookAgain()}
	wait := untilDue(s.key(), before, &after, stands.written, s.now, cmp.Or(r.numbersEvery, numbersEvery))
	switch {
	case equality.Semantic.DeepEqual(*before, after):
	case r.written.knowsLess(s.group, before.Conditions, after.Conditions,
		before.PartitionCount != nil && after.PartitionCount == nil, s.now):
		after = *before
	case wait > 0:
		again = sooner(again, ctrl.Result{RequeueAfter: wait})
	default:
		version, err := storeStatus(ctx, r.client, s.group, before, &after)
		if err != nil || version == "" {
			return again, err
		}
		r.written.is(s.group, &after, version, s.now)
		r.announce(s, newlyBlocked(before, &after))
	}
	news, wait := r.herald.hear(s.group, before.Conditions, after.Conditions, s.now)
	r.announce(s, append(news, r.lost(s)...))
	return sooner(again, ctrl.Result{RequeueAfter: wait}), nil
}

// lookAgain is when the oldest of what was seen becomes stale, or some seconds later.
func (s *groupScope) lookAgain() time.Duration {
	wait := lookEvery
	soonest := func(at time.Time) {
		if left := at.Add(stale).Sub(s.now); !at.IsZero() && left > -time.Second {
			wait = min(wait, left+time.Millisecond)
		}
	}
	if s.seen {
		soonest(s.observation.At)
		for _, told := range s.observation.Workers {
			soonest(told.At)
		}
	}
	return max(wait, lookAtLeast)
}
