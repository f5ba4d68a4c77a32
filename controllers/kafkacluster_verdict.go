// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// verdict is how a cluster stands in one word, and what else is true then.
type verdict struct {
	ready   metav1.ConditionStatus
	reason  string
	message string
	// also is Reconciling if it will come right by itself, Stalled if somebody has to mend it.
	also string
}

// verdict weighs what was seen, the deepest cause first.
func (s *kafkaClusterScope) verdict() verdict {
	state := s.seen.state
	switch {
	case s.fault != nil:
		return verdict{metav1.ConditionFalse, s.fault.reason, s.fault.message, v1alpha1.ConditionStalled}
	case !s.seen.opened, !s.seen.tried && state.Err != nil && !state.Connected:
		return verdict{metav1.ConditionUnknown, v1alpha1.ReasonConnecting,
			"The connection to " + s.entrance() + " is being made", v1alpha1.ConditionReconciling}
	case state.Err == nil:
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonReachable, s.found(), ""}
	case notAdmitted(state.Err), s.byBrokers() && !ofZooKeeper(state.Err):
		return unreached(state.Err)
	}
	return unregistered(state)
}

// unregistered is the verdict on a ZooKeeper that does not tell what it should.
func unregistered(state client.ClusterState) verdict {
	switch text := sentence(state.Err); {
	case errors.Is(state.Err, client.ErrNoBrokers):
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonNoBrokers, text, v1alpha1.ConditionReconciling}
	case ofTLS(state.Err):
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonCertificateInvalid, text, v1alpha1.ConditionStalled}
	case state.Kind == registry.Denied:
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonAccessDenied, text, v1alpha1.ConditionStalled}
	case state.Kind == registry.NoChroot:
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonChrootMissing, text, v1alpha1.ConditionStalled}
	case errors.Is(state.Err, client.ErrBrokersMixed):
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonBrokersMixed, text, v1alpha1.ConditionStalled}
	case state.Connected && len(state.Brokers) == 0:
		return verdict{metav1.ConditionUnknown, v1alpha1.ReasonConnecting, text, v1alpha1.ConditionReconciling}
	default:
		return verdict{metav1.ConditionUnknown, v1alpha1.ReasonZooKeeperUnreachable,
			text + "; check spec.zookeeper.connect, and that ZooKeeper runs and may be reached from here",
			v1alpha1.ConditionReconciling}
	}
}

// unreached is the verdict on brokers that do not tell of their cluster.
func unreached(err error) verdict {
	text := sentence(err)
	switch {
	case ofTLS(err):
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonCertificateInvalid, text, v1alpha1.ConditionStalled}
	case notAdmitted(err):
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonAccessDenied, text, v1alpha1.ConditionStalled}
	}
	return verdict{metav1.ConditionUnknown, v1alpha1.ReasonBrokersUnreachable,
		text + "; the addresses are those of spec.bootstrapServers", // what to check it says itself
		v1alpha1.ConditionReconciling}
}

// notAdmitted tells that brokers refuse this side, or this side them.
func notAdmitted(err error) bool {
	_, is := errors.AsType[*wire.NotAdmitted](err)
	return is
}

// ofTLS tells that two sides do not trust or understand each other. Only people can mend that.
func ofTLS(err error) bool {
	_, is := errors.AsType[*secure.Error](err)
	return is
}

// byBrokers tells that the cluster is known by brokers, and not by its ZooKeeper.
func (s *kafkaClusterScope) byBrokers() bool { return len(s.cluster.Spec.BootstrapServers) > 0 }

// entrance is what a connection begins with.
func (s *kafkaClusterScope) entrance() string {
	if s.byBrokers() {
		return "brokers"
	}
	return "ZooKeeper"
}

// found says what a cluster that works consists of.
func (s *kafkaClusterScope) found() string {
	state := s.seen.state
	kafka := state.Dialect.String()
	if version := versionOf(state); version != "" {
		kafka = "Kafka " + version
	}
	brokers := fmt.Sprintf("%d, of %s", len(state.Brokers), kafka)
	switch {
	case !s.byBrokers():
		return "ZooKeeper answers, brokers registered: " + brokers
	case s.cluster.Spec.ZooKeeper.Connect != "":
		return "ZooKeeper answers, and brokers: " + brokers
	}
	return "Brokers answer: " + brokers
}

// ofZooKeeper tells that it is ZooKeeper that failed, and not a broker.
func ofZooKeeper(err error) bool {
	_, is := errors.AsType[*registry.Error](err)
	return is
}

// sentence begins an error's text as a sentence begins.
func sentence(err error) string {
	text := err.Error()
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
