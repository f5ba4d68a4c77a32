// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
	kafka "github.com/samsa-dev/samsa/pkg/client"
)

// bindingNames are the ProducerBindings that a group publishes by: one or none.
func bindingNames(group *v1alpha1.ConsumerGroup) []string {
	if name := group.Spec.Sink.ProducerBinding.Name; name != "" {
		return []string{name}
	}
	return nil
}

// groupsOfBinding are the groups to wake for a ProducerBinding.
func (r *ConsumerGroupReconciler) groupsOfBinding(ctx context.Context, binding client.Object) []reconcile.Request {
	var groups v1alpha1.ConsumerGroupList
	_ = r.client.List(ctx, &groups, // see groupsOfCluster
		client.InNamespace(binding.GetNamespace()), client.MatchingFields{sinkIndex: binding.GetName()})
	return requests(groups.Items)
}

// resolveSink finds the ProducerBinding that is the sink, if one is. Without it, or where it would refuse all that
// workers send, they stay as they are: its own changes wake this group.
func (r *ConsumerGroupReconciler) resolveSink(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	name := s.group.Spec.Sink.ProducerBinding.Name
	if name == "" || s.barred {
		return ctrl.Result{}, nil
	}
	binding := &v1alpha1.ProducerBinding{}
	err := r.client.Get(ctx, types.NamespacedName{Namespace: s.group.Namespace, Name: name}, binding)
	switch {
	case apierrors.IsNotFound(err):
		s.hold(blocker{reason: v1alpha1.ReasonBindingMissing, message: fmt.Sprintf("ProducerBinding %s does not exist in "+
			"this namespace: create it, or correct spec.sink.producerBinding", name)})
		return ctrl.Result{}, nil
	case err != nil:
		s.held = true
		return ctrl.Result{}, err
	}
	loops, err := r.loops(ctx, s, binding)
	switch refusal := refusalOf(binding, s.group); {
	case err != nil:
		s.held = true
		return ctrl.Result{}, err
	case loops:
		s.barred = true
		s.block(loop(binding, s.group))
	case refusal != "":
		s.hold(blocker{reason: v1alpha1.ReasonBindingRefuses, message: refusal})
	case binding.Status.Binding.Name == "":
		s.hold(blocker{reason: v1alpha1.ReasonBindingNotReady, waits: true,
			message: fmt.Sprintf("ProducerBinding %s is being set up", name)})
	default:
		s.binding, s.unready = binding, unready(binding)
	}
	return ctrl.Result{}, nil
}

// hold notes why workers have to stay as they are.
func (s *groupScope) hold(b blocker) {
	s.held = true
	s.block(b)
}

// refusalOf says why a binding would refuse whatever the group's workers send; empty if it would not.
func refusalOf(binding *v1alpha1.ProducerBinding, group *v1alpha1.ConsumerGroup) string {
	switch kind := workload.AuthOf(binding); kind {
	case v1alpha1.AuthNone:
		return ""
	case v1alpha1.AuthServiceAccount:
		account := workload.WorkerAccount(group)
		if workload.Allows(binding, group.Namespace, account) {
			return ""
		}
		return fmt.Sprintf("ProducerBinding %s does not let ServiceAccount %s/%s publish, which the workers run as: add it "+
			"to the binding's spec.http.auth.serviceAccount.allow, or name one that it allows in "+
			"spec.template.spec.serviceAccountName", binding.Name, group.Namespace, account)
	default:
		return fmt.Sprintf("ProducerBinding %s knows its callers by %s, and workers have tokens of their ServiceAccount "+
			"alone: make the binding's spec.http.auth.type ServiceAccount, or name another one for the same topic",
			binding.Name, kind)
	}
}

// unready says why a binding takes no messages; zero if it does, or if nobody knows.
func unready(binding *v1alpha1.ProducerBinding) blocker {
	ready := meta.FindStatusCondition(binding.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionFalse {
		return blocker{}
	}
	return blocker{
		reason:  v1alpha1.ReasonBindingNotReady,
		message: fmt.Sprintf("ProducerBinding %s is not ready: %s: %s", binding.Name, ready.Reason, ready.Message),
		waits:   !meta.IsStatusConditionTrue(binding.Status.Conditions, v1alpha1.ConditionStalled),
	}
}

// loops tells whether a group consumes what it publishes.
func (r *ConsumerGroupReconciler) loops(
	ctx context.Context, s *groupScope, binding *v1alpha1.ProducerBinding,
) (bool, error) {
	if !consumes(&s.group.Spec, binding.Spec.Topic) {
		return false, nil
	}
	if binding.Spec.ClusterRef == s.group.Spec.ClusterRef {
		return true, nil
	}
	if s.cluster == nil {
		return false, nil
	}
	other := &v1alpha1.KafkaCluster{}
	key := types.NamespacedName{Namespace: binding.Namespace, Name: binding.Spec.ClusterRef.Name}
	if err := r.client.Get(ctx, key, other); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return sameKafka(s.cluster, other), nil
}

func consumes(spec *v1alpha1.ConsumerGroupSpec, topic v1alpha1.PublishedTopic) bool {
	if spec.TopicPattern == "" {
		return slices.Contains(spec.Topics, v1alpha1.TopicName(topic))
	}
	pattern, err := kafka.CompilePattern(spec.TopicPattern)
	return err == nil && pattern.MatchString(string(topic))
}

// sameKafka tells that two KafkaClusters are one Kafka: by the identity that its brokers have, and where one of the two
// has none, by where they are.
func sameKafka(a, b *v1alpha1.KafkaCluster) bool {
	if a.Status.ClusterID != "" && b.Status.ClusterID != "" {
		return a.Status.ClusterID == b.Status.ClusterID
	}
	others := entrances(b)
	return ensembleOf(a).same(ensembleOf(b)) ||
		slices.ContainsFunc(entrances(a), func(broker string) bool { return slices.Contains(others, broker) })
}

func loop(binding *v1alpha1.ProducerBinding, group *v1alpha1.ConsumerGroup) blocker {
	field := "spec.topics"
	if group.Spec.TopicPattern != "" {
		field = "spec.topicPattern"
	}
	return blocker{reason: v1alpha1.ReasonSinkLoops, message: fmt.Sprintf("ProducerBinding %s publishes to topic %s of "+
		"the same Kafka, which this group consumes, so that every message would come back without end: leave it out of %s, "+
		"or name another ProducerBinding", binding.Name, binding.Spec.Topic, field)}
}
