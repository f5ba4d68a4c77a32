// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/topics"
	"github.com/samsa-dev/samsa/controllers/workload"
	kafka "github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
)

func indexBindings(indexer client.FieldIndexer) error {
	extract := func(object client.Object) []string {
		if binding, ok := object.(*v1alpha1.ProducerBinding); ok {
			return []string{binding.Spec.ClusterRef.Name}
		}
		return nil
	}
	err := indexer.IndexField(context.Background(), &v1alpha1.ProducerBinding{}, clusterIndex, extract)
	if err != nil {
		return fmt.Errorf("index %s: %w", clusterIndex, err)
	}
	return nil
}

// bindingsOfCluster are the bindings to wake for a KafkaCluster.
func (r *ProducerBindingReconciler) bindingsOfCluster(ctx context.Context, cluster client.Object) []reconcile.Request {
	var bindings v1alpha1.ProducerBindingList
	// The cache answers, and it fails only while it is not running: then there is nobody to wake.
	_ = r.client.List(ctx, &bindings,
		client.InNamespace(cluster.GetNamespace()), client.MatchingFields{clusterIndex: cluster.GetName()})
	list := make([]reconcile.Request, len(bindings.Items))
	for i := range bindings.Items {
		list[i].NamespacedName = client.ObjectKeyFromObject(&bindings.Items[i])
	}
	return list
}

// bindingOfPod is the binding to wake for a gateway's pod.
func bindingOfPod(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[workload.BindingLabel]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: pod.GetNamespace(), Name: name}}}
}

// resolveCluster finds the KafkaCluster. One that is away or cannot be used is no error: gateways that run go on.
func (r *ProducerBindingReconciler) resolveCluster(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	cluster := &v1alpha1.KafkaCluster{}
	key := s.clusterKey()
	err := r.client.Get(ctx, key, cluster)
	s.looked = client.IgnoreNotFound(err) == nil
	switch {
	case apierrors.IsNotFound(err):
		s.block(blocker{reason: v1alpha1.ReasonClusterMissing, message: fmt.Sprintf(
			"KafkaCluster %s does not exist in this namespace: create it, or correct spec.clusterRef", key.Name)})
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	}
	s.cluster, s.usable = cluster, vouched(cluster)
	if !s.usable {
		s.block(notReady(cluster))
	}
	return ctrl.Result{}, nil
}

func (s *bindingScope) clusterKey() types.NamespacedName {
	return types.NamespacedName{Namespace: s.binding.Namespace, Name: s.binding.Spec.ClusterRef.Name}
}

// watchTopic says which topic to look after, and takes what was seen of it so far.
func (r *ProducerBindingReconciler) watchTopic(_ context.Context, s *bindingScope) (ctrl.Result, error) {
	target := topics.Target{Cluster: s.clusterKey(), Topic: string(s.binding.Spec.Topic)}
	if create := &s.binding.Spec.CreateTopic; create.Partitions > 0 {
		target.Create = &kafka.TopicSettings{
			Partitions: create.Partitions,
			Replicas:   int16(create.ReplicationFactor), //nolint:gosec // the API allows 64 at most
			Configs:    make(map[string]string, len(create.Configs)),
		}
		for _, config := range create.Configs {
			target.Create.Configs[config.Name] = config.Value
		}
	}
	r.topics.Watch(s.key(), target)
	s.found, s.seen = r.topics.Latest(s.key())
	return ctrl.Result{}, nil
}

// readSecrets makes sure that gateways would start with what is in the Secrets, and reads what callers are to trust.
// What a user has to mend is no error: it is shown, and looked at again soon.
func (r *ProducerBindingReconciler) readSecrets(ctx context.Context, s *bindingScope) (ctrl.Result, error) {
	err := r.requireSecrets(ctx, s)
	if fault := (*kafkaClusterFault)(nil); errors.As(err, &fault) {
		s.held = true
		s.block(blocker{reason: fault.reason, message: fault.message})
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, err
}

// requireSecrets begins with what gateways show, which they take up at once: what callers are to trust must follow it,
// whatever else is wrong. While it cannot be read they go on trusting what they were told to, which is in the templates
// of workloads.
func (r *ProducerBindingReconciler) requireSecrets(ctx context.Context, s *bindingScope) error {
	reader := secretReader{reader: r.reader, namespace: s.binding.Namespace}
	http := &s.binding.Spec.HTTP
	s.certificates = s.binding.Status.Address.CACerts
	if err := r.requireCertificate(ctx, s, reader); err != nil {
		return err
	}
	err := reader.requireKey(ctx, "spec.http.auth.mtls.caSecretRef", http.Auth.MTLS.CASecretRef, checkAuthority)
	if err != nil {
		return err
	}
	return reader.requireKey(ctx, "spec.http.auth.basic.secretRef", http.Auth.Basic.SecretRef, caller.CheckUsers)
}

// requireCertificate also looks at what callers will see: gateways show what they are given, for whomever it is.
func (r *ProducerBindingReconciler) requireCertificate(
	ctx context.Context, s *bindingScope, reader secretReader,
) error {
	const field = "spec.http.tls.secretRef"
	name := s.binding.Spec.HTTP.TLS.SecretRef.Name
	if name == "" {
		s.certificates = ""
		return nil
	}
	s.distrust = distrusted(s.binding.Status.Conditions) // still, if nothing better is known: gateways keep what they had
	pair, err := reader.requirePair(ctx, field, name)
	if err != nil {
		return err
	}
	s.certificates, s.distrust = string(pair.CA), ""
	if err := pair.Serves(workload.GatewayHost(s.binding), s.now); err != nil {
		s.distrust = fmt.Sprintf("Secret %s, named by %s: %v", name, field, err)
	}
	return nil
}
