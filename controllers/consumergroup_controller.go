// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/observe"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// groupObserver looks at consumer groups in the background.
type groupObserver interface {
	Watch(key types.NamespacedName, target observe.Target)
	Forget(key types.NamespacedName)
	Latest(key types.NamespacedName) (observe.Observation, bool)
}

// ConsumerGroupReconciler makes a ConsumerGroup run, and shows how it does.
type ConsumerGroupReconciler struct {
	client client.Client
	// reader asks the API server itself, about objects that the cache does not have.
	reader   client.Reader
	observer groupObserver
	erase    eraser
	recorder events.EventRecorder
	clock    clock.PassiveClock
	options  workload.Options
	// numbersEvery is how often numbers are written at most; 0 for the default.
	numbersEvery time.Duration

	written standing[v1alpha1.ConsumerGroupStatus]
	losses  losses
	herald  herald
}

func setupConsumerGroups(manager ctrl.Manager, parts *parts) error {
	r := &ConsumerGroupReconciler{
		client: manager.GetClient(), reader: manager.GetAPIReader(), observer: parts.observer,
		erase: eraseThrough(parts.connections), recorder: manager.GetEventRecorder("samsa-consumergroup"),
		clock: clock.RealClock{}, options: workload.Options{Image: parts.options.WorkerImage},
		numbersEvery: parts.options.NumbersEvery,
	}
	if err := indexGroups(manager.GetFieldIndexer()); err != nil {
		return err
	}
	changes := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.ConsumerGroup{}).
		Owns(&appsv1.StatefulSet{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(groupOfPod)).
		Watches(&v1alpha1.KafkaCluster{}, handler.EnqueueRequestsFromMapFunc(r.groupsOfCluster)).
		Watches(&v1alpha1.ProducerBinding{}, handler.EnqueueRequestsFromMapFunc(r.groupsOfBinding)).
		Watches(&v1alpha1.ConsumerGroup{}, handler.EnqueueRequestsFromMapFunc(r.rivals), changes).
		WatchesRawSource(parts.observer.Source()).
		WithOptions(retrying()).
		Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *ConsumerGroupReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	group := &v1alpha1.ConsumerGroup{}
	if err := r.client.Get(ctx, request.NamespacedName, group); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(request.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	ctx = ctrl.LoggerInto(ctx, klog.FromContext(ctx).WithValues("consumerGroup", klog.KObj(group)))
	scope := &groupScope{group: group.DeepCopy(), now: r.clock.Now()}
	return r.reconcile(ctx, scope)
}

// reconcile runs the phases, and reports whatever became of them.
func (r *ConsumerGroupReconciler) reconcile(ctx context.Context, scope *groupScope) (result ctrl.Result, err error) {
	defer func() {
		scope.err = err
		again, reportErr := r.report(ctx, scope)
		result, err = sooner(result, again), errors.Join(err, reportErr)
		if err == nil && scope.done {
			err = r.letGo(ctx, scope)
		}
		if err != nil {
			result = ctrl.Result{} // what failed comes again by its own back-off
		}
	}()
	if !scope.group.DeletionTimestamp.IsZero() {
		return runPhases(ctx, r.deletionPhases(), scope)
	}
	return runPhases(ctx, r.phases(), scope)
}

func (r *ConsumerGroupReconciler) phases() []phase[groupScope] {
	return []phase[groupScope]{
		{name: "keep the finalizer", run: r.keepFinalizer},
		{name: "look at the pods", run: r.look, blocking: true},
		{name: "resolve the cluster", run: r.resolveCluster, blocking: true},
		{name: "resolve the coordination", run: r.resolveCoordination},
		{name: "check the group's name", run: r.checkName},
		{name: "look for another group of that name", run: r.findHolder},
		{name: "resolve the sink", run: r.resolveSink},
		{name: "keep the coordination", run: r.keepCoordination, blocking: true},
		{name: "apply the objects", run: r.applyChildren},
		{name: "free a stuck rollout", run: r.freeRollout},
		{name: "observe", run: r.observe},
		{name: "remove old configurations", run: r.sweepConfigMaps},
	}
}

func (r *ConsumerGroupReconciler) deletionPhases() []phase[groupScope] {
	return []phase[groupScope]{
		{name: "keep the finalizer", run: r.keepFinalizer},
		{name: "look at the pods", run: r.look, blocking: true},
		{name: "resolve the cluster", run: r.resolveCluster, blocking: true},
		{name: "resolve the coordination", run: r.resolveCoordination},
		{name: "check the group's name", run: r.checkName},
		{name: "look for another group of that name", run: r.findHolder},
		{name: "stop the workers", run: r.stopWorkers},
		{name: "observe", run: r.observe},
		{name: "delete the positions", run: r.erasePositions},
	}
}

// forget drops what is remembered of a group that is gone.
func (r *ConsumerGroupReconciler) forget(key types.NamespacedName) {
	r.observer.Forget(key)
	r.written.forget(key)
	r.losses.forget(key)
	r.herald.forget(key)
}

// groupScope is what one pass has seen and done. Phases fill it, and the status is computed of it.
type groupScope struct {
	group *v1alpha1.ConsumerGroup
	now   time.Time
	// looked says that the pass came as far as to have something to tell.
	looked bool

	// cluster is nil if it does not exist; usable says that its own reconciler vouches for this generation of it, and
	// that it can serve this group.
	cluster *v1alpha1.KafkaCluster
	usable  bool
	// coordination is where the group is kept; empty while that is not decided. unserved says that the cluster has none
	// such.
	coordination v1alpha1.Coordination
	unserved     bool
	// binding is the sink, if that is one that can be published to; unready says why it takes no messages now, and waits
	// whether it will by itself.
	binding *v1alpha1.ProducerBinding
	unready blocker
	// held says that workers have to stay as they are, for the blocker's reason.
	held bool
	// blocker keeps the spec from being put into effect; zero if nothing does.
	blocker blocker
	// barred says that there may be no workers at all, for the blocker's reason.
	barred bool

	// set is nil if it does not exist (or is not ours); pods are its pods, sorted.
	set  *appsv1.StatefulSet
	pods []corev1.Pod
	// applied says that this pass changed something, so that what stands in set is not news.
	applied bool
	// inForce are the names of the ConfigMaps that must stay.
	inForce map[string]bool

	// observation is what was last observed; seen is false before anything was, or if nothing is to be.
	observation observe.Observation
	seen        bool

	// err is what went wrong in this pass that the next one may get right.
	err error
	// cleaning says how far deleting is.
	cleaning cleaning
	// done says that nothing keeps the object from going any more.
	done bool
}

func (s *groupScope) key() types.NamespacedName { return client.ObjectKeyFromObject(s.group) }

// block notes why the spec cannot be put into effect. The first reason stays: the others follow from it, or come to
// light once it is gone.
func (s *groupScope) block(b blocker) {
	if s.blocker.reason == "" {
		s.blocker = b
	}
}

// blocker is why a spec cannot be put into effect.
type blocker struct {
	reason, message string
	// waits says that it goes away by itself.
	waits bool
}
