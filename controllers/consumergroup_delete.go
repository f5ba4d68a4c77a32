// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/controllers/workload"
	"github.com/samsa-dev/samsa/pkg/client"
)

// PositionsFinalizer keeps a ConsumerGroup whose deletionPolicy is Delete until its positions are removed, or the time
// for that is over.
const PositionsFinalizer = "kafka.samsa.dev/positions"

const (
	// cleanupLimit is how long an object may wait for its positions to be removed: workers drain for 30 s, sessions end
	// within 10 s, an ensemble that lost its quorum is usually mended within minutes. Whoever deletes a namespace wants
	// it gone the same hour. A longer drainTimeout, of up to an hour, is waited for besides.
	cleanupLimit = 10 * time.Minute
	// cleanupCheck is how soon to look again; pods, members and the cluster's connection wake the reconciler, too.
	cleanupCheck = 2 * time.Second
	// seenWithin is how long the StatefulSet's controller may take to see that there shall be no workers: it is told
	// within milliseconds. One that is not there starts nothing, and nothing is gained by waiting for it.
	seenWithin = 5 * time.Second
	// eraseTimeout bounds one attempt, of some milliseconds for each group.
	eraseTimeout = 15 * time.Second
	// erasesAtOnce keeps 1000 ordinals (the most that replicas allows) of 10 ms each within about a second.
	erasesAtOnce = 8
)

// eraser removes everything that is kept of groups in a KafkaCluster's cluster, where they are coordinated. It fails
// with errNotConnected while there is no connection, and with *client.GroupInUseError while a group has members.
type eraser func(
	ctx context.Context, cluster types.NamespacedName, coordination client.Coordination, groups []string,
) error

// errNotConnected says that there is no connection to the cluster yet, or none any more.
var errNotConnected = errors.New("there is no connection to the cluster")

// eraseThrough erases through a cache of connections.
func eraseThrough(cache *connections.Cache) eraser {
	return func(
		ctx context.Context, key types.NamespacedName, coordination client.Coordination, groups []string,
	) error {
		cluster, release, ok := cache.Acquire(key)
		if !ok {
			return errNotConnected
		}
		defer release()
		erasing, ctx := errgroup.WithContext(ctx)
		erasing.SetLimit(erasesAtOnce)
		for _, group := range groups {
			erasing.Go(func() error { return cluster.GroupIn(coordination, group).Delete(ctx) })
		}
		return erasing.Wait()
	}
}

// cleaning is how far the removal of positions is.
type cleaning struct {
	// waits says what it waits for, empty if for nothing.
	waits string
	// gaveUp says why positions stay behind, empty if they do not.
	gaveUp string
}

// keepFinalizer has the finalizer just where something is to be cleaned up. An object that is being deleted gets none.
func (r *ConsumerGroupReconciler) keepFinalizer(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	wanted := s.group.Spec.DeletionPolicy == v1alpha1.DeletionDelete
	has := controllerutil.ContainsFinalizer(s.group, PositionsFinalizer)
	if wanted == has || wanted && !s.group.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	patched := s.group.DeepCopy()
	if wanted {
		controllerutil.AddFinalizer(patched, PositionsFinalizer)
	} else {
		controllerutil.RemoveFinalizer(patched, PositionsFinalizer)
	}
	patch := kube.MergeFromWithOptions(s.group, kube.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, patched, patch, fieldOwner); err != nil {
		return ctrl.Result{}, kube.IgnoreNotFound(err)
	}
	s.group = patched
	return ctrl.Result{}, nil
}

// stopWorkers ends the workers of a group whose positions are to go: a worker that still runs would write them anew.
func (r *ConsumerGroupReconciler) stopWorkers(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if !s.toClean() {
		return ctrl.Result{}, nil // the garbage collector ends them
	}
	if s.set == nil { // or the cache does not have it yet
		set := &appsv1.StatefulSet{}
		err := r.reader.Get(ctx, s.key(), set)
		if err != nil {
			return ctrl.Result{}, kube.IgnoreNotFound(err)
		}
		if metav1.IsControlledBy(set, s.group) {
			s.set = set
		}
	}
	return ctrl.Result{}, r.scale(ctx, s, 0)
}

// ended tells that there are no workers, and that none is about to start: the StatefulSet's controller has seen that
// there shall be none, or is not there to start any.
func (s *groupScope) ended() bool {
	switch {
	case len(s.pods) > 0 || s.applied:
		return false
	case s.set == nil:
		return true
	}
	seen := s.set.Status.ObservedGeneration >= s.set.Generation || s.now.Sub(s.group.DeletionTimestamp.Time) > seenWithin
	return seen && s.set.Status.Replicas == 0
}

// toClean asks for both: somebody may change the policy of an object that is being deleted.
func (s *groupScope) toClean() bool {
	return s.group.Spec.DeletionPolicy == v1alpha1.DeletionDelete &&
		controllerutil.ContainsFinalizer(s.group, PositionsFinalizer)
}

// erasePositions removes the positions once nobody uses them, and lets the object go: then, or when there is no hope.
func (r *ConsumerGroupReconciler) erasePositions(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if !s.toClean() {
		return ctrl.Result{}, nil
	}
	switch {
	case s.barred:
		// They are another's, or nobody's.
		s.done = true
		return ctrl.Result{}, nil
	case !s.ended():
		s.cleaning.waits = "the workers to end"
	default:
		r.attempt(ctx, s)
	}
	if !s.done && !s.now.Before(s.deadline()) {
		s.giveUp("it took too long to wait for " + s.cleaning.waits)
	}
	return ctrl.Result{RequeueAfter: cleanupCheck}, nil
}

// attempt removes the positions, or says what has to be waited for. The connection outlives its KafkaCluster for just
// this; where there is neither there is no hope.
func (r *ConsumerGroupReconciler) attempt(ctx context.Context, s *groupScope) {
	ctx, cancel := context.WithTimeout(ctx, eraseTimeout)
	defer cancel()
	err := r.erase(ctx, clusterKey(s.group), ofClient(s.coordination), s.everyGroup())
	inUse, used := errors.AsType[*client.GroupInUseError](err)
	switch {
	case err == nil:
		s.done = true
	case used:
		s.cleaning.waits = fmt.Sprintf("others to leave: %v", inUse)
	case s.cluster == nil && errors.Is(err, errNotConnected):
		s.giveUp("KafkaCluster " + s.group.Spec.ClusterRef.Name + " does not exist any more")
	default:
		s.cleaning.waits = fmt.Sprintf("the cluster to answer: %v", err)
	}
}

// everyGroup are all groups that may have positions.
func (s *groupScope) everyGroup() []string {
	name := workload.GroupName(s.group)
	if s.group.Spec.Semantics != v1alpha1.SemanticsTopic {
		return []string{name}
	}
	var groups []string
	for ordinal := range s.ordinals() {
		groups = append(groups, workload.OrdinalGroup(name, ordinal))
	}
	return groups
}

func (s *groupScope) deadline() time.Time {
	limit := cleanupLimit
	if drain, err := time.ParseDuration(string(s.group.Spec.DrainTimeout)); err == nil {
		limit += drain
	}
	return s.group.DeletionTimestamp.Add(limit)
}

func (s *groupScope) giveUp(why string) {
	s.cleaning.gaveUp = fmt.Sprintf("%s, so positions of group %s may stay behind there", why, workload.GroupName(s.group))
	s.done = true
}

// letGo takes the finalizer away, once the status is out, and tells of what stays behind.
func (r *ConsumerGroupReconciler) letGo(ctx context.Context, s *groupScope) error {
	current := &v1alpha1.ConsumerGroup{}
	if err := r.reader.Get(ctx, s.key(), current); err != nil || current.UID != s.group.UID {
		return kube.IgnoreNotFound(err)
	}
	base := current.DeepCopy()
	if !controllerutil.RemoveFinalizer(current, PositionsFinalizer) {
		return nil
	}
	patch := kube.MergeFromWithOptions(base, kube.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, current, patch, fieldOwner); err != nil {
		return kube.IgnoreNotFound(err)
	}
	if why := s.cleaning.gaveUp; why != "" {
		r.announce(s, []occasion{{kind: corev1.EventTypeWarning, reason: v1alpha1.EventDeletionGaveUp, note: why}})
	}
	return nil
}
