// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
)

// Target is what to look at for one ConsumerGroup.
type Target struct {
	// Cluster is the KafkaCluster.
	Cluster types.NamespacedName
	// Coordination is where the groups are kept.
	Coordination client.Coordination
	// Groups are the names of the groups in the cluster: one, or one for each pod.
	Groups []string
	// Topics are what the groups consume; or Pattern, a regular expression (RE2) for whole names, which never means those
	// that begin with __.
	Topics  []string
	Pattern string
	// Pods are the workers.
	Pods []Pod
}

// Pod is a worker's pod.
type Pod struct {
	Name string
	// Address is host:port of its HTTP server.
	Address string
}

// Observation is what was seen of a target. It is shared: treat everything it refers to as read-only.
type Observation struct {
	// At is when the groups were last read; zero before the first time.
	At time.Time
	// Err is why the last reading failed, of stable text; nil if it did not. What had been read before is kept.
	Err error
	// Topics are those that the target means. Missing are those of them that do not exist.
	Topics, Missing []string
	// Groups are what their coordination and the brokers say, by the group's name.
	Groups map[string]client.GroupView
	// Workers are what the workers say, by the pod's name; one that has not been asked yet is missing.
	Workers map[string]Worker
}

// Worker is what a worker says of itself.
type Worker struct {
	// At is when it answered last; zero if it never has.
	At time.Time
	// Status is its last answer, nil if it never gave one.
	Status *worker.Status
	// Err is why it did not answer the last time, of stable text; nil if it did.
	Err error
}

func (t Target) equal(o Target) bool { return t.sameQuestion(o) && slices.Equal(t.Pods, o.Pods) }

// sameQuestion tells that the cluster has to be asked the same.
func (t Target) sameQuestion(o Target) bool {
	return t.Cluster == o.Cluster && t.Coordination == o.Coordination && t.Pattern == o.Pattern &&
		slices.Equal(t.Groups, o.Groups) && slices.Equal(t.Topics, o.Topics)
}

func (t Target) clone() Target {
	t.Groups, t.Topics, t.Pods = slices.Clone(t.Groups), slices.Clone(t.Topics), slices.Clone(t.Pods)
	return t
}

// address is that of a pod, empty if the target does not have it.
func (t Target) address(pod string) string {
	for _, p := range t.Pods {
		if p.Name == pod {
			return p.Address
		}
	}
	return ""
}

// without gives the observation without what a new target does not ask for any more.
func (o Observation) without(old, target Target) Observation {
	if old.Cluster != target.Cluster || old.Coordination != target.Coordination {
		o.Groups, o.Topics, o.Missing, o.At, o.Err = nil, nil, nil, time.Time{}, nil
	}
	o.Groups = maps.Clone(o.Groups)
	maps.DeleteFunc(o.Groups, func(name string, _ client.GroupView) bool { return !slices.Contains(target.Groups, name) })
	o.Workers = maps.Clone(o.Workers)
	maps.DeleteFunc(o.Workers, func(pod string, _ Worker) bool { return old.address(pod) != target.address(pod) })
	return o
}
