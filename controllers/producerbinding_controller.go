// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"sync"
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
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/topics"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// topicKeeper looks after topics in the background.
type topicKeeper interface {
	Watch(key types.NamespacedName, target topics.Target)
	Forget(key types.NamespacedName)
	Latest(key types.NamespacedName) (topics.Found, bool)
}

// ProducerBindingReconciler makes a ProducerBinding an address that publishes, and shows how it does.
type ProducerBindingReconciler struct {
	client client.Client
	// reader asks the API server itself, about objects that the cache does not have: Secrets, and others' workloads.
	reader   client.Reader
	topics   topicKeeper
	recorder events.EventRecorder
	clock    clock.PassiveClock
	options  workload.Options
	// everywhere says that this manager is for all namespaces, and so may let gateways have tokens reviewed.
	everywhere bool

	// reviewing is held while the list of those who may have tokens reviewed is brought up to date.
	reviewing sync.Mutex
	written   standing[v1alpha1.ProducerBindingStatus]
	herald    herald
}

func setupProducerBindings(manager ctrl.Manager, parts *parts) error {
	r := &ProducerBindingReconciler{
		client: manager.GetClient(), reader: manager.GetAPIReader(), topics: parts.topics,
		recorder: manager.GetEventRecorder("samsa-producerbinding"), clock: clock.RealClock{},
		options:    workload.Options{Image: parts.options.WorkerImage},
		everywhere: len(parts.options.Namespaces) == 0,
	}
	if err := indexBindings(manager.GetFieldIndexer()); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.ProducerBinding{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(bindingOfPod)).
		Watches(&v1alpha1.KafkaCluster{}, handler.EnqueueRequestsFromMapFunc(r.bindingsOfCluster)).
		WatchesRawSource(parts.topics.Source()).
		WithOptions(retrying()).
		Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *ProducerBindingReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	binding := &v1alpha1.ProducerBinding{}
	if err := r.client.Get(ctx, request.NamespacedName, binding); err != nil {
		if !apierrors.IsNotFound(err) {
			return ctrl.Result{}, err
		}
		r.topics.Forget(request.NamespacedName)
		r.written.forget(request.NamespacedName)
		r.herald.forget(request.NamespacedName)
		_, err := r.reviewers(ctx) // its gateways need no leave any more
		return ctrl.Result{}, err
	}
	ctx = ctrl.LoggerInto(ctx, klog.FromContext(ctx).WithValues("producerBinding", klog.KObj(binding)))
	return r.reconcile(ctx, &bindingScope{binding: binding.DeepCopy(), now: r.clock.Now()})
}

// reconcile runs the phases, and reports whatever became of them.
func (r *ProducerBindingReconciler) reconcile(
	ctx context.Context, scope *bindingScope,
) (result ctrl.Result, err error) {
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
	if !scope.binding.DeletionTimestamp.IsZero() {
		return runPhases(ctx, []phase[bindingScope]{
			{name: "look at the gateways", run: r.look},
			{name: "release the workloads", run: r.releaseAll},
		}, scope)
	}
	return runPhases(ctx, []phase[bindingScope]{
		{name: "keep the finalizer", run: r.keepFinalizer},
		{name: "look at the gateways", run: r.look, blocking: true},
		{name: "resolve the cluster", run: r.resolveCluster, blocking: true},
		{name: "read the secrets", run: r.readSecrets, blocking: true},
		{name: "resolve the verification", run: r.resolveVerification, blocking: true},
		{name: "apply the address", run: r.applyFront},
		{name: "apply the gateways", run: r.applyGateways},
		{name: "look at the topic", run: r.watchTopic},
		{name: "bind the workloads", run: r.bindSubjects},
		{name: "remove old configurations", run: r.sweepConfigMaps},
	}, scope)
}

// bindingScope is what one pass has seen and done. Phases fill it, and the status is computed of it.
type bindingScope struct {
	binding *v1alpha1.ProducerBinding
	now     time.Time
	// looked says that the pass came as far as to have something to tell.
	looked bool

	// cluster is nil if it does not exist; usable says that its own reconciler vouches for this generation of it.
	cluster *v1alpha1.KafkaCluster
	usable  bool
	// blocker keeps the spec from being put into effect; zero if nothing does.
	blocker blocker
	// held says that the gateways have to stay as they are, for the blocker's reason.
	held bool
	// certificates (PEM) are of those who signed the gateways', empty if there are none to tell of.
	certificates string
	// distrust says why callers refuse the gateways' certificate; empty if they do not.
	distrust string
	// verification is how gateways check tokens; empty if they check none.
	verification v1alpha1.Verification
	// fronted says that the Service and the Secret stand as they should.
	fronted bool

	// deployment is nil if it does not exist (or is not ours); pods are its pods, sorted.
	deployment *appsv1.Deployment
	pods       []corev1.Pod
	// applied says that this pass changed the gateways, so that what stands in deployment is not news.
	applied bool
	// inForce are the names of the ConfigMaps that must stay.
	inForce map[string]bool

	// found is what was last seen of the topic; seen is false before anything was.
	found topics.Found
	seen  bool

	// subjects are the workloads that are bound, to be bound or to be released; tried says that the pass came as far as to
	// know, and unselected why a selector selects none, empty if it does.
	subjects   []v1alpha1.SubjectStatus
	tried      bool
	unselected string

	// err is what went wrong in this pass that the next one may get right.
	err error
	// gaveUp says what stays behind when the object goes, empty if nothing does. done says that nothing keeps it from
	// going any more.
	gaveUp string
	done   bool
}

func (s *bindingScope) key() types.NamespacedName { return client.ObjectKeyFromObject(s.binding) }

func (s *bindingScope) owner() owner { return owner{s.binding, "ProducerBinding"} }

func (s *bindingScope) wanted() int32 { return workload.GatewayReplicas(s.binding) }

// block notes why the spec cannot be put into effect. The first reason stays: the others follow from it, or come to
// light once it is gone.
func (s *bindingScope) block(b blocker) {
	if s.blocker.reason == "" {
		s.blocker = b
	}
}

// refused notes what somebody has to mend. It is false for errors that the next attempt may not meet, and for none.
func (s *bindingScope) refused(err error) bool {
	b, ok := refusal(err)
	if ok {
		s.block(b)
	}
	return ok
}
