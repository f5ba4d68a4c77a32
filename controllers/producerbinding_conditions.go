// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/topics"
)

// bindingConditions are all conditions, every time.
func bindingConditions(s *bindingScope) []metav1.Condition {
	cluster, topic, endpoint := clusterReachable(s), topicReady(s), endpointReady(s)
	ready := publishing(s, cluster, topic, endpoint)
	bound, subject := subjectsBound(s)
	stalled := bindingStall(s, ready, bound)
	conditions := []metav1.Condition{
		ready.as(v1alpha1.ConditionReady),
		cluster.as(v1alpha1.ConditionClusterReachable),
		topic.as(v1alpha1.ConditionTopicReady),
		endpoint.as(v1alpha1.ConditionEndpointReady),
		bindingProgress(s, ready, bound, stalled).as(v1alpha1.ConditionReconciling),
		stalled.as(v1alpha1.ConditionStalled),
	}
	if subject {
		conditions = append(conditions, bound.as(v1alpha1.ConditionSubjectBound))
	}
	return conditions
}

func (s *bindingScope) deleting() bool { return !s.binding.DeletionTimestamp.IsZero() }

func clusterReachable(s *bindingScope) finding {
	switch {
	case s.deleting():
		return unknown(v1alpha1.ReasonDeleting, "being deleted")
	case s.cluster == nil:
		return no(v1alpha1.ReasonClusterMissing, "%s", s.blocker.message)
	case !s.usable:
		return no(v1alpha1.ReasonClusterNotReady, "%s", notReady(s.cluster).message)
	}
	return yes(v1alpha1.ReasonReachable, "KafkaCluster %s can be used", s.cluster.Name)
}

func topicReady(s *bindingScope) finding {
	topic, create := s.binding.Spec.Topic, s.binding.Spec.CreateTopic.Partitions
	switch f := &s.found; {
	case s.deleting():
		return unknown(v1alpha1.ReasonDeleting, "being deleted")
	case s.cluster == nil || !s.usable:
		v := clusterReachable(s)
		return unknown(v.reason, "%s", v.message)
	case !s.known() && f.Err != nil && !errors.Is(f.Err, topics.ErrNoConnection):
		return unknown(v1alpha1.ReasonTopicUnreadable, "it is not known whether topic %s exists: %v", topic, f.Err)
	case !s.known():
		return unknown(v1alpha1.ReasonProgressing, "topic %s is being looked for", topic)
	case f.ByFirstMessage && create > 0:
		return yes(v1alpha1.ReasonTopicComes, "topic %s does not exist, and Kafka 0.7 makes it with the first message, on "+
			"each broker with as many partitions as that is configured with, whatever spec.createTopic says", topic)
	case f.ByFirstMessage:
		return yes(v1alpha1.ReasonTopicComes, "topic %s does not exist, and Kafka 0.7 makes it with the first message", topic)
	case f.Missing && create == 0:
		return no(v1alpha1.ReasonTopicMissing, "topic %s does not exist: create it, and it is published to from then on; "+
			"correct spec.topic; or have it created by spec.createTopic", topic)
	case f.Missing && f.CreateErr != nil:
		return no(v1alpha1.ReasonTopicNotCreated, "topic %s does not exist and cannot be created as "+
			"spec.createTopic says (%s): %v", topic, s.wish(), f.CreateErr)
	case f.Missing && !f.Unseen.IsZero():
		return no(v1alpha1.ReasonTopicNotCreated, "the brokers said at %s that they have topic %s, and what KafkaCluster %s "+
			"reads does not show it: its ZooKeeper and chroot, or its bootstrapServers, are to be those of the same brokers, "+
			"and its credentials are to have leave to see the topic", f.Unseen.UTC().Format(time.RFC3339), topic, s.cluster.Name)
	case f.Missing:
		return no(v1alpha1.ReasonProgressing, "topic %s is being created", topic)
	case f.Partitions == 0:
		return no(v1alpha1.ReasonTopicMissing, "topic %s has no partitions", topic)
	default:
		return yes(v1alpha1.ReasonTopicFound, "topic %s has %s%s", topic, plural(f.Partitions, "partition"), s.differs())
	}
}

// wish is what spec.createTopic says, without the configuration: brokers name what they refuse of that.
func (s *bindingScope) wish() string {
	create := &s.binding.Spec.CreateTopic
	if create.ReplicationFactor == 0 {
		return fmt.Sprintf("partitions: %d", create.Partitions)
	}
	return fmt.Sprintf("partitions: %d, replicationFactor: %d", create.Partitions, create.ReplicationFactor)
}

// differs tells what of a topic that exists is not as it would have been made.
func (s *bindingScope) differs() string {
	const unchanged = "; one that exists is not changed"
	create := int(s.binding.Spec.CreateTopic.Partitions)
	switch f := &s.found; {
	case create == 0 || create == f.Partitions && f.Differs == "":
		return ""
	case create == f.Partitions:
		return ", and not what spec.createTopic says: " + f.Differs + unchanged
	case f.Differs == "":
		return fmt.Sprintf(" where spec.createTopic says %d%s", create, unchanged)
	default:
		return fmt.Sprintf(" where spec.createTopic says %d, and %s%s", create, f.Differs, unchanged)
	}
}

// known tells that the topic has been looked for lately.
func (s *bindingScope) known() bool {
	return s.seen && !s.found.At.IsZero() && s.now.Sub(s.found.At) <= stale
}

func endpointReady(s *bindingScope) finding {
	switch failing := s.failing(); {
	case s.deleting():
		return no(v1alpha1.ReasonDeleting, "being deleted")
	case s.wanted() == 0:
		return no(v1alpha1.ReasonScaledToZero, "spec.replicas is 0: there are no gateways")
	case s.deployment == nil && s.blocker.reason != "":
		return no(s.blocker.reason, "%s", s.blocker.message)
	case s.deployment == nil:
		return no(v1alpha1.ReasonStarting, "gateways are being started")
	case s.deployment.Status.ReadyReplicas > 0 && s.distrust != "":
		return no(v1alpha1.ReasonCertificateRefused, distrustful+"%s", s.distrust)
	case s.deployment.Status.ReadyReplicas > 0:
		return yes(v1alpha1.ReasonGatewaysReady, "gateways take requests")
	case len(failing) > 0:
		return no(v1alpha1.ReasonGatewaysFailing, "gateways do not run: %s", names(failing))
	default:
		return no(v1alpha1.ReasonStarting, "no gateway is ready")
	}
}

const distrustful = "gateways take requests, but callers that check their certificate refuse it: "

// distrusted is what conditions said of that; empty if they did not.
func distrusted(conditions []metav1.Condition) string {
	endpoint := meta.FindStatusCondition(conditions, v1alpha1.ConditionEndpointReady)
	if endpoint == nil || endpoint.Reason != v1alpha1.ReasonCertificateRefused {
		return ""
	}
	return strings.TrimPrefix(endpoint.Message, capitalised(distrustful))
}

// failing are the gateways that do not start, or end again and again.
func (s *bindingScope) failing() (failing []string) {
	for i := range s.pods {
		if why := failure(&s.pods[i], s.now); why != "" && s.pods[i].DeletionTimestamp.IsZero() {
			failing = append(failing, s.pods[i].Name+": "+why)
		}
	}
	return failing
}

// publishing is whether messages can be published: the first thing that keeps them from that, if anything does.
func publishing(s *bindingScope, cluster, topic, endpoint finding) finding {
	if s.deleting() || s.wanted() == 0 {
		return endpoint
	}
	for _, v := range []finding{cluster, topic, endpoint} {
		if v.is(metav1.ConditionTrue) {
			continue
		}
		if s.blocker.reason != "" {
			v.reason, v.message = s.blocker.reason, s.blocker.message
		}
		if v.is(metav1.ConditionUnknown) && !endpoint.is(metav1.ConditionTrue) {
			v.status = metav1.ConditionFalse // without gateways that is certain
		}
		return v
	}
	if s.blocker.reason != "" { // it publishes, and not as the spec says
		return yes(s.blocker.reason, "messages are published, by gateways as they were before: %s", s.blocker.message)
	}
	return yes(v1alpha1.ReasonPublishing, "messages are published to topic %s", s.binding.Spec.Topic)
}

// subjectsBound tells whether all workloads are bound; false if there are none to be.
func subjectsBound(s *bindingScope) (finding, bool) {
	if s.binding.Spec.Subject.Kind == "" && len(s.subjects) == 0 {
		return finding{}, false
	}
	with := func(state v1alpha1.SubjectState) (list []string) {
		for _, subject := range s.subjects {
			if subject.State == state {
				list = append(list, string(subject.Kind)+" "+subject.Name)
			}
		}
		return list
	}
	switch refused, missing := with(v1alpha1.SubjectRefused), with(v1alpha1.SubjectMissing); {
	case len(refused) > 0:
		return no(v1alpha1.ReasonSubjectRefused, "cannot be bound: %s; status.subjects says why, of the first: %s",
			names(refused), s.refusalOfFirst()), true
	case len(missing) > 0:
		return no(v1alpha1.ReasonSubjectMissing, "not there: %s; bound as soon as it is", names(missing)), true
	case s.unselected != "":
		return no(v1alpha1.ReasonSubjectMissing, "%s", s.unselected), true
	case len(with(v1alpha1.SubjectReleasing)) > 0:
		return no(v1alpha1.ReasonProgressing, "being released: %s", names(with(v1alpha1.SubjectReleasing))), true
	case len(with(v1alpha1.SubjectPending)) > 0:
		return no(v1alpha1.ReasonProgressing, "about to be bound: %s", names(with(v1alpha1.SubjectPending))), true
	case s.deleting():
		return no(v1alpha1.ReasonDeleting, "being deleted"), true
	}
	return yes(v1alpha1.ReasonSubjectsBound, "%s bound", plural(len(s.subjects), "workload")), true
}

// refusalOfFirst says why the first of the workloads that cannot be bound cannot be.
func (s *bindingScope) refusalOfFirst() string {
	for _, subject := range s.subjects {
		if subject.State == v1alpha1.SubjectRefused {
			return subject.Reason
		}
	}
	return ""
}

// bindingStall is whether somebody has to act.
func bindingStall(s *bindingScope, ready, bound finding) finding {
	none := finding{status: metav1.ConditionFalse}
	switch {
	case s.deleting():
		return none
	case s.blocker.reason != "" && !s.blocker.waits:
		return yes(s.blocker.reason, "%s", s.blocker.message)
	case bound.reason == v1alpha1.ReasonSubjectRefused:
		return yes(bound.reason, "%s", bound.message)
	case s.wanted() == 0 || ready.is(metav1.ConditionTrue):
		return none
	}
	switch ready.reason {
	case v1alpha1.ReasonTopicMissing, v1alpha1.ReasonTopicNotCreated, v1alpha1.ReasonGatewaysFailing,
		v1alpha1.ReasonCertificateRefused:
		return yes(ready.reason, "%s", ready.message)
	}
	return none
}

// bindingProgress is whether the operator is on its way.
func bindingProgress(s *bindingScope, ready, bound, stalled finding) finding {
	switch {
	case stalled.is(metav1.ConditionTrue):
		return finding{status: metav1.ConditionFalse}
	case s.deleting():
		return yes(v1alpha1.ReasonDeleting, "being deleted")
	case s.err != nil:
		return yes(v1alpha1.ReasonProgressing, "the API server has not taken all that is needed yet")
	case s.blocker.reason != "":
		return yes(s.blocker.reason, "%s", s.blocker.message)
	case bound.is(metav1.ConditionFalse):
		return yes(bound.reason, "%s", bound.message)
	case s.wanted() == 0 && len(s.pods) > 0:
		return yes(v1alpha1.ReasonProgressing, "gateways are ending")
	case s.wanted() == 0:
		return finding{status: metav1.ConditionFalse}
	case !ready.is(metav1.ConditionTrue):
		return yes(ready.reason, "%s", ready.message)
	case !s.rolledOut():
		return yes(v1alpha1.ReasonProgressing, "gateways are being started or replaced")
	}
	return finding{status: metav1.ConditionFalse}
}
