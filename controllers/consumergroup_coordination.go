// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/pkg/client"
)

// resolveCoordination finds out where the group is kept. What was taken once stays: the positions are there, and a
// group that looked for them elsewhere would begin anew. So a cluster that is edited to lack it stops nothing that
// runs, and somebody has to act.
func (r *ConsumerGroupReconciler) resolveCoordination(_ context.Context, s *groupScope) (ctrl.Result, error) {
	known := r.written.of(s.group, &s.group.Status, s.now).status.Coordination
	s.coordination = coordinationOf(known, s.group, s.cluster)
	if s.cluster == nil {
		return ctrl.Result{}, nil
	}
	if why := lacking(s.cluster, s.coordination); why != "" {
		s.usable, s.unserved = false, true
		// This reason goes before those found so far: even a cluster that works is not one for this group.
		s.blocker = blocker{reason: v1alpha1.ReasonCoordinationUnavailable, message: why}
	}
	return ctrl.Result{}, nil
}

// keepCoordination writes down what Auto stands for, before the first worker is made by it: nothing that comes between
// may lose it, and a KafkaCluster may be edited any time. What a predecessor wrote the cache may not have yet.
func (r *ConsumerGroupReconciler) keepCoordination(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	known := r.written.of(s.group, &s.group.Status, s.now).status
	if !s.usable || s.barred || known.Coordination == s.coordination {
		return ctrl.Result{}, nil
	}
	current := &v1alpha1.ConsumerGroup{}
	if err := r.reader.Get(ctx, s.key(), current); err != nil {
		return ctrl.Result{}, err
	}
	if kept := current.Status.Coordination; kept != "" && current.UID == s.group.UID {
		return ctrl.Result{}, fmt.Errorf("coordination %s stands in the status, which the cache does not have yet", kept)
	}
	kept := known.DeepCopy()
	kept.Coordination = s.coordination
	version, err := storeStatus(ctx, r.client, s.group, known, kept)
	if err == nil && version != "" {
		r.written.is(s.group, kept, version, s.now)
	}
	return ctrl.Result{}, err
}

// coordinationOf is where a group is kept: as it is known, else as its spec says, else what its cluster has. It is
// empty where none of them tells.
func coordinationOf(
	known v1alpha1.Coordination, group *v1alpha1.ConsumerGroup, cluster *v1alpha1.KafkaCluster,
) v1alpha1.Coordination {
	asked := group.Spec.Coordination
	switch {
	case known != "":
		return known
	case asked != "" && asked != v1alpha1.CoordinationAuto:
		return asked
	case cluster == nil:
		return ""
	case cluster.Spec.ZooKeeper.Connect != "":
		return v1alpha1.CoordinationZooKeeper
	}
	return v1alpha1.CoordinationKafka
}

// lacking says why a cluster cannot coordinate a group so, and what to do; empty if it can, as far as is known.
func lacking(cluster *v1alpha1.KafkaCluster, coordination v1alpha1.Coordination) string {
	switch {
	case coordination == v1alpha1.CoordinationZooKeeper && cluster.Spec.ZooKeeper.Connect == "":
		return fmt.Sprintf("the group is coordinated by ZooKeeper, where its positions are, and KafkaCluster %s names none: "+
			"give it spec.zookeeper, or create another ConsumerGroup", cluster.Name)
	case coordination == v1alpha1.CoordinationKafka && hasNoCoordinator(&cluster.Status):
		return fmt.Sprintf("the group is to be coordinated by brokers, and those of KafkaCluster %s cannot: that begins "+
			"with Kafka 0.9; create another ConsumerGroup with coordination ZooKeeper, or upgrade them", cluster.Name)
	}
	return ""
}

// hasNoCoordinator tells that the brokers are known to be of a Kafka before 0.9.
func hasNoCoordinator(status *v1alpha1.KafkaClusterStatus) bool {
	return status.Era == v1alpha1.EraKafka07 || strings.HasPrefix(status.KafkaVersion, "0.8")
}

// ofClient is a coordination in the client's words.
func ofClient(coordination v1alpha1.Coordination) client.Coordination {
	switch coordination {
	case v1alpha1.CoordinationZooKeeper:
		return client.CoordinationZooKeeper
	case v1alpha1.CoordinationKafka:
		return client.CoordinationKafka
	case v1alpha1.CoordinationAuto:
	}
	return client.CoordinationAuto
}

// sameKeeper tells that two clusters keep groups of a coordination in one place.
func sameKeeper(coordination v1alpha1.Coordination, a, b *v1alpha1.KafkaCluster) bool {
	if coordination == v1alpha1.CoordinationZooKeeper {
		return ensembleOf(a).same(ensembleOf(b))
	}
	if id := a.Status.ClusterID; id != "" && id == b.Status.ClusterID {
		return true
	}
	// Where brokers are found by brokers, a ZooKeeper may serve the groups of many clusters.
	if len(a.Spec.BootstrapServers)+len(b.Spec.BootstrapServers) == 0 {
		return ensembleOf(a).same(ensembleOf(b))
	}
	others := entrances(b)
	return slices.ContainsFunc(entrances(a), func(broker string) bool { return slices.Contains(others, broker) })
}

// entrances are the brokers that a cluster is known by, in one spelling.
func entrances(cluster *v1alpha1.KafkaCluster) (brokers []string) {
	for _, server := range cluster.Spec.BootstrapServers {
		brokers = append(brokers, qualified(string(server), cluster.Namespace))
	}
	return brokers
}
