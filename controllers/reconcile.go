// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// retryFirst is the wait after the first failure of a pass. It doubles up to retryMost: what is mended (an API server
	// that was away, above all) has to show within 10 s, where controller-runtime's own bound is a quarter of an hour.
	// A thousand groups that all fail are then 200 passes a second, which the client's own limit slows down further.
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Second
)

// retrying is how controllers come back to what failed.
func retrying() controller.Options {
	return controller.Options{
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost),
	}
}

// phase is one step of a reconciler over a scope S, which phases read and fill.
type phase[S any] struct {
	// name says what failed, in the error and so in the log.
	name string
	run  func(context.Context, *S) (ctrl.Result, error)
	// blocking makes no sense of the phases behind it unless it is done: it failed, or asks to come again.
	blocking bool
}

// runPhases runs phases in order and gathers their errors, so that one object which cannot be applied does not keep the
// others from being. The result asks to come again at the earliest time that a phase asked for.
func runPhases[S any](ctx context.Context, phases []phase[S], scope *S) (ctrl.Result, error) {
	var (
		all  ctrl.Result
		errs []error
	)
	for _, p := range phases {
		result, err := p.run(ctx, scope)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		all = sooner(all, result)
		if p.blocking && (err != nil || !result.IsZero()) {
			break
		}
	}
	return all, errors.Join(errs...)
}

// sooner is the earlier of two wishes to come again; zero is none.
func sooner(a, b ctrl.Result) ctrl.Result {
	if a.RequeueAfter == 0 || b.RequeueAfter > 0 && b.RequeueAfter < a.RequeueAfter {
		return b
	}
	return a
}
