// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// The limits of the API: a status that broke them would be refused, and so would everything else in it.
const (
	maxBrokers       = 64
	maxBrokerID      = 64
	maxBrokerAddress = 320
	maxClusterID     = 128
	maxKafkaVersion  = 64
)

// kafkaClusterSeen is what a connection shows.
type kafkaClusterSeen struct {
	// opened says that there is a connection; tried, that it has come to any end yet, good or bad.
	opened, tried bool
	state         client.ClusterState
	// topics is their number, if counted.
	topics  int
	counted bool
}

// report stores the status, and then says as an event what changed.
func (r *KafkaClusterReconciler) report(ctx context.Context, scope *kafkaClusterScope) (ctrl.Result, error) {
	now := r.clock.Now()
	stands := r.standing.of(scope.cluster, &scope.cluster.Status, now)
	before := stands.status
	after := kafkaClusterStatus(scope, before, now)
	if r.standing.knowsLess(scope.cluster, before.Conditions, after.Conditions, forgets(before, after), now) {
		return ctrl.Result{RequeueAfter: acquaintance}, nil
	}
	version, err := storeStatus(ctx, r.client, scope.cluster, before, after)
	if err != nil || version == "" {
		return ctrl.Result{}, err
	}
	r.standing.is(scope.cluster, after, version, now)
	was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionReady)
	if is.Reason == v1alpha1.ReasonConnecting || was != nil && was.Reason == is.Reason {
		return ctrl.Result{}, nil
	}
	kind := corev1.EventTypeWarning
	if is.Status == metav1.ConditionTrue {
		kind = corev1.EventTypeNormal
	}
	r.recorder.Eventf(scope.cluster, nil, kind, is.Reason, "Observe", "%s", shorten(is.Message, maxNote))
	return ctrl.Result{}, nil
}

// forgets tells that a status leaves out what the one before knew.
func forgets(before, after *v1alpha1.KafkaClusterStatus) bool {
	return before.TopicCount != nil && after.TopicCount == nil || before.Era != "" && after.Era == "" ||
		before.KafkaVersion != "" && after.KafkaVersion == "" || before.Controller != "" && after.Controller == "" ||
		before.ClusterID != "" && after.ClusterID == ""
}

// maxNote is what the API server takes as the note of an event.
const maxNote = 1024

// kafkaClusterStatus is the status that follows from what was seen; of the one before it takes nothing but times. What
// is not known is left out.
func kafkaClusterStatus(
	scope *kafkaClusterScope, before *v1alpha1.KafkaClusterStatus, now time.Time,
) *v1alpha1.KafkaClusterStatus {
	generation := scope.cluster.Generation
	status := &v1alpha1.KafkaClusterStatus{
		ObservedGeneration: new(generation),
		Conditions:         mergeConditions(before.Conditions, kafkaClusterConditions(scope), generation, now),
	}
	state := scope.seen.state
	if scope.seen.counted {
		status.TopicCount = new(clampInt32(scope.seen.topics))
	}
	if len(state.Brokers) > 0 || errors.Is(state.Err, client.ErrNoBrokers) {
		status.BrokerCount = new(clampInt32(len(state.Brokers)))
	}
	status.Era, status.KafkaVersion = eraOf(state), shorten(versionOf(state), maxKafkaVersion)
	status.Controller, status.ClusterID = controllerOf(state), shorten(state.ClusterID, maxClusterID)
	for _, broker := range state.Brokers {
		if len(status.Brokers) < maxBrokers && len(broker.ID) <= maxBrokerID && len(broker.Address) <= maxBrokerAddress {
			status.Brokers = append(status.Brokers, v1alpha1.Broker{ID: broker.ID, Address: broker.Address})
		}
	}
	if state.SessionTimeout > 0 {
		status.SessionTimeout = formatDuration(state.SessionTimeout)
	}
	return status
}

// eraOf is the Kafka that was found, empty if none was yet.
func eraOf(state client.ClusterState) v1alpha1.Era {
	switch {
	case !state.DialectKnown:
		return ""
	case state.Dialect == layout.Kafka07:
		return v1alpha1.EraKafka07
	}
	return v1alpha1.EraKafka08
}

// versionOf is the Kafka that the brokers' answers fit, empty if that is not known.
func versionOf(state client.ClusterState) string {
	oldest, newest := state.MinVersion, state.MaxVersion
	switch {
	case state.DialectKnown && state.Dialect == layout.Kafka07:
		return "0.7"
	case oldest == newest || newest == "":
		return oldest
	case oldest == "":
		return newest
	}
	return oldest + " to " + newest
}

// controllerOf is what keeps the metadata, empty if that is not known.
func controllerOf(state client.ClusterState) v1alpha1.Controller {
	switch state.Controller {
	case client.ControllerZooKeeper:
		return v1alpha1.ControllerZooKeeper
	case client.ControllerKRaft:
		return v1alpha1.ControllerKRaft
	}
	return ""
}

func kafkaClusterConditions(scope *kafkaClusterScope) []metav1.Condition {
	v := scope.verdict()
	conditions := []metav1.Condition{newCondition(v1alpha1.ConditionReady, v.ready, v.reason, "%s", v.message)}
	if v.also != "" {
		conditions = append(conditions, newCondition(v.also, metav1.ConditionTrue, v.reason, "%s", v.message))
	}
	if reason, message := scope.degradation(); reason != "" {
		conditions = append(conditions,
			newCondition(v1alpha1.ConditionDegraded, metav1.ConditionTrue, reason, "%s", message))
	}
	return conditions
}

// degradation says what protection is missing although the cluster works; the first reason is the gravest.
func (s *kafkaClusterScope) degradation() (reason, message string) {
	var texts []string
	note := func(because, format string, args ...any) {
		if reason == "" {
			reason = because
		}
		texts = append(texts, fmt.Sprintf(format, args...))
	}
	state := s.seen.state
	if state.Warning != "" {
		note(v1alpha1.ReasonLeaseUnsound, "%s", state.Warning)
	}
	if state.Connected && !state.Fenced {
		note(v1alpha1.ReasonUnfenced, "The ZooKeeper server knows no transactions, so a worker that froze may overwrite "+
			"what its successor committed: use ZooKeeper 3.4 or newer")
	}
	if spec := s.cluster.Spec; spec.TLS == nil &&
		(spec.SASL.Mechanism == v1alpha1.SASLPlain || spec.SASL.Mechanism == v1alpha1.SASLOAuthBearer) {
		note(v1alpha1.ReasonCredentialsExposed, "%s sends what is secret to the brokers, and without spec.tls anybody on "+
			"the way can read it: set spec.tls, or use SCRAM", spec.SASL.Mechanism)
	}
	if n := len(state.Problems); n > 0 {
		note(v1alpha1.ReasonNodesMalformed, "Nodes in ZooKeeper that cannot be understood are skipped: %d, the first "+
			"is %s: %s", n, state.Problems[0].Path, state.Problems[0].Reason)
	}
	for _, sentence := range state.Degraded {
		note(v1alpha1.ReasonKafkaLimited, "%s", strings.TrimSuffix(sentence, "."))
	}
	return reason, strings.Join(texts, ". ")
}

// formatDuration writes a duration as the API has it: whole numbers with units.
func formatDuration(d time.Duration) v1alpha1.Duration {
	if d%time.Second == 0 {
		return v1alpha1.Duration(fmt.Sprintf("%ds", d/time.Second))
	}
	return v1alpha1.Duration(fmt.Sprintf("%dms", d.Milliseconds()))
}

// clampInt32 fits a count into a field.
func clampInt32(n int) int32 {
	return int32(min(max(n, 0), math.MaxInt32)) //nolint:gosec // it is within
}
