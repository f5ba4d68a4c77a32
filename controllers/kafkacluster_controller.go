// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/connections"
)

// KafkaClusterReconciler shows in each KafkaCluster's status what was found of its cluster.
type KafkaClusterReconciler struct {
	client client.Client
	// secrets reads Secrets from the API server itself: they are in no cache.
	secrets     client.Reader
	connections *connections.Cache
	recorder    events.EventRecorder
	clock       clock.PassiveClock
	// secretsEvery is how often the Secrets of a cluster that cannot be used are read.
	secretsEvery time.Duration
	standing     standing[v1alpha1.KafkaClusterStatus]
}

// kafkaClusterScope is what one pass has seen of one KafkaCluster.
type kafkaClusterScope struct {
	cluster *v1alpha1.KafkaCluster
	key     types.NamespacedName
	// settings are how the cluster is reached; fault is why it cannot even be tried.
	settings connections.Settings
	fault    *kafkaClusterFault
	// seen is what the connection shows.
	seen kafkaClusterSeen
}

func setupKafkaClusters(manager ctrl.Manager, parts *parts) error {
	r := &KafkaClusterReconciler{
		client: manager.GetClient(), secrets: manager.GetAPIReader(), connections: parts.connections,
		recorder: manager.GetEventRecorder("samsa-kafkacluster"), clock: clock.RealClock{},
		secretsEvery: cmp.Or(parts.options.SecretsEvery, refreshSoon),
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.KafkaCluster{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ConsumerGroup{}, handler.EnqueueRequestsFromMapFunc(clusterOfGroup),
			builder.WithPredicates(leavingClusters())).
		WatchesRawSource(parts.connections.Source()).
		WithOptions(retrying()).
		Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *KafkaClusterReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	cluster := &v1alpha1.KafkaCluster{}
	err := r.client.Get(ctx, request.NamespacedName, cluster)
	switch {
	case apierrors.IsNotFound(err):
		r.standing.forget(request.NamespacedName)
		return ctrl.Result{}, r.release(ctx, request.NamespacedName)
	case err != nil:
		return ctrl.Result{}, err
	}
	scope := &kafkaClusterScope{cluster: cluster, key: request.NamespacedName}
	result, err := runPhases(ctx, []phase[kafkaClusterScope]{
		{name: "read the secrets", run: r.readSettings, blocking: true},
		{name: "connect", run: r.connect},
		{name: "look", run: r.look},
	}, scope)
	if err != nil {
		return ctrl.Result{}, err
	}
	again, err := r.report(ctx, scope)
	if err != nil {
		return ctrl.Result{}, err
	}
	return sooner(result, again), nil
}

// connect wants the connection that the spec and the secrets describe.
func (r *KafkaClusterReconciler) connect(_ context.Context, scope *kafkaClusterScope) (ctrl.Result, error) {
	r.connections.Ensure(scope.key, scope.settings)
	return ctrl.Result{}, nil
}

// look takes down what the connection shows right now. Its changes wake this reconciler.
func (r *KafkaClusterReconciler) look(_ context.Context, scope *kafkaClusterScope) (ctrl.Result, error) {
	scope.fault = configurationInvalid(&scope.cluster.Spec, r.connections.Failure(scope.key))
	connection, ok := r.connections.Get(scope.key)
	if !ok {
		return ctrl.Result{}, nil
	}
	scope.seen = kafkaClusterSeen{opened: true, tried: r.connections.Tried(scope.key), state: connection.State()}
	scope.seen.topics, scope.seen.counted = r.connections.Topics(scope.key)
	return r.refresh(scope), nil
}

// release closes the connection of a KafkaCluster that is gone, once no group needs it: until then workers go on, and
// those that are deleted clean up through it.
func (r *KafkaClusterReconciler) release(ctx context.Context, key types.NamespacedName) error {
	var groups v1alpha1.ConsumerGroupList
	if err := r.client.List(ctx, &groups, client.InNamespace(key.Namespace)); err != nil {
		return err
	}
	if !slices.ContainsFunc(groups.Items, func(group v1alpha1.ConsumerGroup) bool {
		return group.Spec.ClusterRef.Name == key.Name
	}) {
		r.connections.Release(key)
	}
	return nil
}

// clusterOfGroup is the KafkaCluster that a group refers to.
func clusterOfGroup(_ context.Context, object client.Object) []reconcile.Request {
	group, ok := object.(*v1alpha1.ConsumerGroup)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{
		Namespace: group.Namespace, Name: group.Spec.ClusterRef.Name,
	}}}
}

// leavingClusters lets through what may leave a cluster without groups.
func leavingClusters() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*v1alpha1.ConsumerGroup)
			after, also := e.ObjectNew.(*v1alpha1.ConsumerGroup)
			return ok && also && before.Spec.ClusterRef != after.Spec.ClusterRef
		},
	}
}

const (
	// refreshSoon is how often Secrets are read while the cluster cannot be used, unless told otherwise: what is mended
	// has to show within 10 s, of which a new connection takes up to 5. Nothing watches them, since that would need leave
	// to read all.
	refreshSoon = 4 * time.Second
	// refreshLate is how soon a Secret that was changed is noticed otherwise.
	refreshLate = time.Minute
)

// refresh says when to read the Secrets again.
func (r *KafkaClusterReconciler) refresh(scope *kafkaClusterScope) ctrl.Result {
	switch {
	case !namesSecrets(&scope.cluster.Spec):
		return ctrl.Result{}
	case scope.seen.state.Err != nil:
		return ctrl.Result{RequeueAfter: r.secretsEvery}
	}
	return ctrl.Result{RequeueAfter: refreshLate}
}
