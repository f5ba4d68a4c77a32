// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
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
	key := s.key()
	cached := s.group.Status
	before := r.written.last(key, cached, s.now)
	after := statusOf(s, &before)
	again := ctrl.Result{RequeueAfter: s.lookAgain()}
	if !equality.Semantic.DeepEqual(before, after) {
		if wait := r.written.due(key, &before, &after, s.now); wait > 0 {
			again = sooner(again, ctrl.Result{RequeueAfter: wait})
			r.announce(s, r.lost(s))
			return again, nil
		}
		stored, err := storeStatus(ctx, r.client, s.group, &before, &after)
		if err != nil || !stored {
			return again, err
		}
		r.written.wrote(key, cached, after, s.now)
		r.announce(s, transitions(&before, &after))
	}
	r.announce(s, r.lost(s))
	return again, nil
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
