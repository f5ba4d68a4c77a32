// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/pkg/client"
)

const (
	byZooKeeper = v1alpha1.CoordinationZooKeeper
	byKafka     = v1alpha1.CoordinationKafka
	byAuto      = v1alpha1.CoordinationAuto
)

// clusterOf is a KafkaCluster of a namespace by a connect string and brokers; empty for none.
func clusterOf(namespace, connect string, servers ...v1alpha1.BootstrapServer) *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "main"},
		Spec: v1alpha1.KafkaClusterSpec{
			ZooKeeper: v1alpha1.ZooKeeper{Connect: connect}, BootstrapServers: servers,
		},
	}
}

func TestWhereAGroupIsKept(t *testing.T) {
	zookeeper, brokers, both := clusterOf("n", "zk"), clusterOf("n", "", "a:1"), clusterOf("n", "zk", "a:1")
	for _, c := range []struct {
		known, asked v1alpha1.Coordination
		cluster      *v1alpha1.KafkaCluster
		want         v1alpha1.Coordination
	}{
		{"", byAuto, zookeeper, byZooKeeper}, {"", byAuto, brokers, byKafka}, {"", byAuto, both, byZooKeeper},
		{"", "", brokers, byKafka}, {"", byAuto, nil, ""},
		{"", byKafka, zookeeper, byKafka}, {"", byZooKeeper, brokers, byZooKeeper}, {"", byKafka, nil, byKafka},
		{byZooKeeper, byAuto, brokers, byZooKeeper}, {byKafka, byAuto, both, byKafka}, {byKafka, byAuto, nil, byKafka},
	} {
		group := &v1alpha1.ConsumerGroup{Spec: v1alpha1.ConsumerGroupSpec{Coordination: c.asked}}
		if got := coordinationOf(c.known, group, c.cluster); got != c.want {
			t.Errorf("known %q, asked %q: got %q, want %q", c.known, c.asked, got, c.want)
		}
	}
	if ofClient("") != client.CoordinationAuto || ofClient(byKafka) != client.CoordinationKafka ||
		ofClient(byZooKeeper) != client.CoordinationZooKeeper {
		t.Error("the client has other words")
	}
}

func TestWhatAClusterLacksForACoordination(t *testing.T) {
	with := func(connect, version string, era v1alpha1.Era) *v1alpha1.KafkaCluster {
		cluster := clusterOf("n", connect, "a:1")
		cluster.Status.KafkaVersion, cluster.Status.Era = version, era
		return cluster
	}
	for _, c := range []struct {
		cluster      *v1alpha1.KafkaCluster
		coordination v1alpha1.Coordination
		want         string
	}{
		{with("", "", ""), byZooKeeper, "names none: give it spec.zookeeper"},
		{with("zk", "", ""), byZooKeeper, ""},
		{with("", "", ""), byKafka, ""},
		{with("", "", ""), "", ""},
		{with("zk", "0.7", v1alpha1.EraKafka07), byKafka, "begins with Kafka 0.9"},
		{with("zk", "0.7", v1alpha1.EraKafka07), byZooKeeper, ""},
		{with("zk", "0.8.2", v1alpha1.EraKafka08), byKafka, "begins with Kafka 0.9"},
		{with("zk", "0.10", v1alpha1.EraKafka08), byKafka, ""},
	} {
		got := lacking(c.cluster, c.coordination)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s of %+v: got %q", c.coordination, c.cluster.Status, got)
		}
	}
}

func TestSameKeeper(t *testing.T) {
	named := func(id string, cluster *v1alpha1.KafkaCluster) *v1alpha1.KafkaCluster {
		cluster.Status.ClusterID = id
		return cluster
	}
	for name, c := range map[string]struct {
		coordination v1alpha1.Coordination
		a, b         *v1alpha1.KafkaCluster
		want         bool
	}{
		"an ensemble":  {byZooKeeper, clusterOf("n", "zk-0,zk-1"), clusterOf("n", "zk-1"), true},
		"no ensembles": {byZooKeeper, clusterOf("n", "", "a:1"), clusterOf("n", "", "a:1"), false},
		"two ensembles": {
			byZooKeeper, named("x", clusterOf("n", "zk", "a:1")), named("x", clusterOf("n", "y", "a:1")), false,
		},
		"a broker":                   {byKafka, clusterOf("n", "", "a:1", "b:1"), clusterOf("n", "", "b:1"), true},
		"another port":               {byKafka, clusterOf("n", "", "a:1"), clusterOf("n", "", "a:2"), false},
		"another namespace's broker": {byKafka, clusterOf("n", "", "a:1"), clusterOf("o", "", "a:1"), false},
		"a broker's long name":       {byKafka, clusterOf("n", "", "a:1"), clusterOf("o", "", "a.n.svc:1"), true},
		"one id": {
			byKafka, named("x", clusterOf("n", "zk")), named("x", clusterOf("n", "", "a:1")), true,
		},
		"two ids": {
			byKafka, named("x", clusterOf("n", "", "a:1")), named("y", clusterOf("n", "", "b:1")), false,
		},
		"registered in one ensemble": {byKafka, clusterOf("n", "zk/x"), clusterOf("n", "zk/x"), true},
		"a ZooKeeper for groups":     {byKafka, clusterOf("n", "zk", "a:1"), clusterOf("n", "zk", "b:1"), false},
	} {
		if sameKeeper(c.coordination, c.a, c.b) != c.want || sameKeeper(c.coordination, c.b, c.a) != c.want {
			t.Errorf("%s: got %v", name, !c.want)
		}
	}
}

// The first worker is made after the status says where its group is kept, and only by whoever wrote it.
func TestTheCoordinationIsKeptBeforeAnythingIsMadeByIt(t *testing.T) {
	for name, c := range map[string]struct {
		stands v1alpha1.Coordination // what the API server has, and the cache has not
		change func(*groupScope)
		writes int
		fails  bool
	}{
		"resolved":               {writes: 1},
		"resolved by another":    {stands: byZooKeeper, fails: true},
		"known":                  {change: func(s *groupScope) { s.group.Status.Coordination = byKafka }},
		"no workers to be":       {change: func(s *groupScope) { s.barred = true }},
		"not to be relied on":    {change: func(s *groupScope) { s.usable = false }},
		"cannot be served by it": {change: func(s *groupScope) { s.usable, s.unserved = false, true }},
	} {
		t.Run(name, func(t *testing.T) {
			s := consuming()
			s.coordination, s.group.Status.Coordination, s.group.ResourceVersion = byKafka, "", "5"
			if c.change != nil {
				c.change(s)
			}
			current := s.group.DeepCopy()
			current.Status.Coordination = c.stands
			writes := 0
			api := fakeAPI(t, interceptor.Funcs{SubResourceApply: func(
				_ context.Context, _ kube.Client, _ string, apply runtime.ApplyConfiguration, _ ...kube.SubResourceApplyOption,
			) error {
				writes++
				apply.(interface{ SetResourceVersion(string) }).SetResourceVersion("9")
				return nil
			}}, current)
			r := &ConsumerGroupReconciler{client: api, reader: api}
			_, err := r.keepCoordination(t.Context(), s)
			if (err != nil) != c.fails || writes != c.writes {
				t.Fatalf("%d writes, %v", writes, err)
			}
			if c.writes > 0 && r.written.of(s.group, &s.group.Status, s.now).status.Coordination != byKafka {
				t.Error("the next pass does not know it")
			}
		})
	}
}
