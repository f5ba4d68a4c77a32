// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
)

// The indexes over ConsumerGroups: by the KafkaCluster's name, by the names of groups that they may use, and by the
// name of the ProducerBinding that is the sink.
const (
	clusterIndex = "spec.clusterRef.name"
	claimIndex   = "samsa.claims"
	sinkIndex    = "spec.sink.producerBinding.name"
)

// rivalCheck is how soon a group that waits for another looks again. The other's end wakes it; but that a KafkaCluster
// is edited to mean another ensemble wakes only its own groups.
const rivalCheck = 5 * time.Second

func indexGroups(indexer client.FieldIndexer) error {
	for name, of := range map[string]func(*v1alpha1.ConsumerGroup) []string{
		clusterIndex: func(g *v1alpha1.ConsumerGroup) []string { return []string{g.Spec.ClusterRef.Name} },
		claimIndex:   claims,
		sinkIndex:    bindingNames,
	} {
		extract := func(object client.Object) []string {
			if group, ok := object.(*v1alpha1.ConsumerGroup); ok {
				return of(group)
			}
			return nil
		}
		if err := indexer.IndexField(context.Background(), &v1alpha1.ConsumerGroup{}, name, extract); err != nil {
			return fmt.Errorf("index %s: %w", name, err)
		}
	}
	return nil
}

// claims are keys of which two ConsumerGroups have one in common if they may use the same group. A Queue uses its own
// name, a Topic all of <name>-<ordinal>, whatever its replicas are now.
func claims(group *v1alpha1.ConsumerGroup) []string {
	name := workload.GroupName(group)
	if group.Spec.Semantics == v1alpha1.SemanticsTopic {
		return []string{name + "-*"}
	}
	keys := []string{name}
	if base, ok := ordinalOf(name); ok {
		keys = append(keys, base+"-*")
	}
	return keys
}

// ordinalOf splits the name of a group that may be a pod's.
func ordinalOf(name string) (base string, ok bool) {
	base = strings.TrimRight(name, "0123456789")
	digits := name[len(base):]
	if digits == "" || len(digits) > 1 && digits[0] == '0' || !strings.HasSuffix(base, "-") {
		return "", false
	}
	return strings.TrimSuffix(base, "-"), true
}

// overlap tells that two ConsumerGroups use the same group, if they use the same cluster.
func overlap(a, b *v1alpha1.ConsumerGroup) bool {
	topicA, topicB := a.Spec.Semantics == v1alpha1.SemanticsTopic, b.Spec.Semantics == v1alpha1.SemanticsTopic
	nameA, nameB := workload.GroupName(a), workload.GroupName(b)
	switch {
	case topicA == topicB:
		return nameA == nameB
	case topicA:
		base, ok := ordinalOf(nameB)
		return ok && base == nameA
	default:
		base, ok := ordinalOf(nameA)
		return ok && base == nameB
	}
}

// older tells that a goes before b: by age, then by uid, so that everybody decides alike.
func older(a, b *v1alpha1.ConsumerGroup) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.UID < b.UID
}

// precedence says why one goes before another: users see their ages, which are in whole seconds.
func precedence(first, second *v1alpha1.ConsumerGroup) string {
	if first.CreationTimestamp.Equal(&second.CreationTimestamp) {
		return "was created in the same second, goes first by its uid,"
	}
	return "is older"
}

// findHolder bars workers of a group that an older ConsumerGroup has: messages would be split between their sinks.
func (r *ConsumerGroupReconciler) findHolder(ctx context.Context, s *groupScope) (ctrl.Result, error) {
	if s.barred {
		return ctrl.Result{}, nil
	}
	holder, err := r.holder(ctx, s)
	if err != nil || holder == nil {
		return ctrl.Result{}, err
	}
	s.barred = true
	s.blocker = blocker{reason: v1alpha1.ReasonGroupInUse, message: fmt.Sprintf(
		"ConsumerGroup %s %s and has group %s of the same cluster: delete one of the two, or create this one anew "+
			"with another spec.group", client.ObjectKeyFromObject(holder), precedence(holder, s.group),
		workload.GroupName(s.group))}
	return ctrl.Result{RequeueAfter: rivalCheck}, nil
}

// holder is the oldest of those older than this group that have it.
func (r *ConsumerGroupReconciler) holder(ctx context.Context, s *groupScope) (*v1alpha1.ConsumerGroup, error) {
	var holder *v1alpha1.ConsumerGroup
	found, err := r.overlapping(ctx, s.group)
	for i := range found {
		other := &found[i]
		if !older(other, s.group) || holder != nil && older(holder, other) {
			continue
		}
		same, sameErr := r.sameHome(ctx, s, other)
		if sameErr != nil {
			return nil, sameErr
		}
		if same {
			holder = other
		}
	}
	return holder, err
}

func (r *ConsumerGroupReconciler) overlapping(
	ctx context.Context, group *v1alpha1.ConsumerGroup,
) (found []v1alpha1.ConsumerGroup, err error) {
	for _, key := range claims(group) {
		var groups v1alpha1.ConsumerGroupList
		if err := r.client.List(ctx, &groups, client.MatchingFields{claimIndex: key}); err != nil {
			return nil, err
		}
		found = append(found, groups.Items...)
	}
	return slices.DeleteFunc(found, func(other v1alpha1.ConsumerGroup) bool {
		return other.UID == group.UID || !overlap(group, &other)
	}), nil
}

// sameHome tells that another group is kept where this one is: in the same cluster, by the same coordination.
func (r *ConsumerGroupReconciler) sameHome(
	ctx context.Context, s *groupScope, other *v1alpha1.ConsumerGroup,
) (bool, error) {
	cluster := s.cluster
	if clusterKey(other) != clusterKey(s.group) {
		if s.cluster == nil {
			return false, nil
		}
		cluster = &v1alpha1.KafkaCluster{}
		if err := r.client.Get(ctx, clusterKey(other), cluster); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	if coordinationOf(other.Status.Coordination, other, cluster) != s.coordination {
		return false, nil
	}
	return cluster == s.cluster || sameKeeper(s.coordination, s.cluster, cluster), nil
}

// rivals are the groups to wake when one is made, changed or gone: those that it may have kept waiting.
func (r *ConsumerGroupReconciler) rivals(ctx context.Context, object client.Object) []reconcile.Request {
	group, ok := object.(*v1alpha1.ConsumerGroup)
	if !ok {
		return nil
	}
	found, _ := r.overlapping(ctx, group) // see groupsOfCluster
	return requests(found)
}

// ensemble is the ZooKeeper of a cluster, without hosts if it has none.
type ensemble struct {
	hosts  []string
	chroot string
}

func ensembleOf(cluster *v1alpha1.KafkaCluster) ensemble {
	hosts, chroot, _ := strings.Cut(cluster.Spec.ZooKeeper.Connect, "/")
	e := ensemble{chroot: strings.Trim(chroot, "/")}
	if hosts == "" {
		return e
	}
	for host := range strings.SplitSeq(hosts, ",") {
		e.hosts = append(e.hosts, qualified(host, cluster.Namespace))
	}
	return e
}

// same tells that two are one: a server belongs to one ensemble, so one in common is enough.
func (e ensemble) same(o ensemble) bool {
	return e.chroot == o.chroot &&
		slices.ContainsFunc(e.hosts, func(host string) bool { return slices.Contains(o.hosts, host) })
}

// qualified gives host:port one spelling: a Service's short name means another host in another namespace, and its long
// ones mean the same.
func qualified(host, namespace string) string {
	name, port, found := strings.Cut(strings.ToLower(strings.TrimSpace(host)), ":")
	if !found {
		port = "2181"
	}
	if strings.Contains(host, "[") || strings.Count(host, ":") > 1 {
		return strings.ToLower(host) // an IPv6 address
	}
	for _, suffix := range []string{".", ".cluster.local", ".svc"} {
		name = strings.TrimSuffix(name, suffix)
	}
	if !strings.Contains(name, ".") && name != "localhost" {
		name += "." + namespace
	}
	return name + ":" + port
}
