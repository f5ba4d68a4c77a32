// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

func TestOverlap(t *testing.T) {
	const queue, topic = v1alpha1.SemanticsQueue, v1alpha1.SemanticsTopic
	for _, c := range []struct {
		a    v1alpha1.Semantics
		nA   string
		b    v1alpha1.Semantics
		nB   string
		want bool
	}{
		{queue, "x", queue, "x", true}, {queue, "x", queue, "y", false}, {topic, "x", topic, "x", true},
		{topic, "x", queue, "x-0", true}, {queue, "x-999", topic, "x", true}, {topic, "x", queue, "x", false},
		{topic, "x", queue, "x-00", false}, {topic, "x", queue, "x-", false}, {topic, "x", queue, "x0", false},
		{topic, "x-1", topic, "x", false}, {topic, "x", queue, "x-1-2", false}, {topic, "x-1", queue, "x-1-2", true},
		{queue, "x-1", queue, "x-2", false},
	} {
		a := &v1alpha1.ConsumerGroup{Spec: v1alpha1.ConsumerGroupSpec{Semantics: c.a, Group: c.nA}}
		b := &v1alpha1.ConsumerGroup{Spec: v1alpha1.ConsumerGroupSpec{Semantics: c.b, Group: c.nB}}
		if overlap(a, b) != c.want || overlap(b, a) != c.want {
			t.Errorf("%s %s and %s %s: got %v", c.a, c.nA, c.b, c.nB, !c.want)
		}
		shared := false
		for _, key := range claims(a) {
			for _, other := range claims(b) {
				shared = shared || key == other
			}
		}
		if c.want && !shared {
			t.Errorf("%s %s and %s %s do not meet in the index", c.a, c.nA, c.b, c.nB)
		}
	}
}

func TestSameEnsemble(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		other string // the second one's namespace, if another
		want  bool
	}{
		{"zk-0:2181,zk-1:2181/kafka", "zk-1/kafka", "", true},
		{"zk-0:2181/kafka", "zk-0:2181/kafka/", "", true},
		{"zk-0:2181/kafka", "zk-0:2181", "", false},
		{"zk-0:2181", "zk-0:2182", "", false},
		{"ZK-0:2181", "zk-0", "", true},
		{"zk:2181", "zk:2181", "other", false},
		{"zk.shop:2181", "zk.shop.svc.cluster.local.:2181", "other", true},
		{"zk:2181", "zk.shop.svc", "other", true},
		{"10.0.0.1:2181", "10.0.0.1", "other", true},
		{"localhost", "localhost", "other", true},
		{"[::1]:2181", "[::1]:2181", "", true},
	} {
		at := func(connect, namespace string) ensemble {
			return ensembleOf(&v1alpha1.KafkaCluster{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
				Spec:       v1alpha1.KafkaClusterSpec{ZooKeeper: v1alpha1.ZooKeeper{Connect: connect}},
			})
		}
		namespace := "shop"
		if c.other != "" {
			namespace = c.other
		}
		if got := at(c.a, "shop").same(at(c.b, namespace)); got != c.want {
			t.Errorf("%s and %s (%s): got %v", c.a, c.b, namespace, got)
		}
	}
}

func TestOlder(t *testing.T) {
	at := func(second int64, uid string) *v1alpha1.ConsumerGroup {
		return &v1alpha1.ConsumerGroup{ObjectMeta: metav1.ObjectMeta{
			UID: types.UID(uid), CreationTimestamp: metav1.Unix(second, 0),
		}}
	}
	if !older(at(1, "z"), at(2, "a")) || older(at(2, "a"), at(1, "z")) {
		t.Error("age goes first")
	}
	if !older(at(1, "a"), at(1, "b")) || older(at(1, "b"), at(1, "a")) {
		t.Error("of one age the uid decides, the same way for both")
	}
	if why := precedence(at(1, "z"), at(2, "a")); why != "is older" {
		t.Errorf("of two ages: %q", why)
	}
	if why := precedence(at(1, "a"), at(1, "b")); !strings.Contains(why, "same second") {
		t.Errorf("of one age, nobody is older: %q", why)
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name, live, desired string
		want                bool
	}{
		{"more in a map", `{"a":1,"b":2}`, `{"a":1}`, true},
		{"another value", `{"a":1}`, `{"a":2}`, false},
		{"a field gone", `{}`, `{"a":1}`, false},
		{"more in a list with names", `[{"name":"x"},{"name":"y"}]`, `[{"name":"y"}]`, true},
		{"a name gone", `[{"name":"x"}]`, `[{"name":"y"}]`, false},
		{"two of one key", `[{"topologyKey":"z","a":1},{"topologyKey":"z","a":2}]`,
			`[{"topologyKey":"z","a":2},{"topologyKey":"z","a":1}]`, true},
		{"more in a plain list", `["a","b"]`, `["a"]`, false},
		{"another order of a plain list", `["a","b"]`, `["b","a"]`, false},
		{"a list where a map should be", `[]`, `{}`, false},
		{"an empty list", `["a"]`, `[]`, false},
	} {
		var live, desired any
		if json.Unmarshal([]byte(c.live), &live) != nil || json.Unmarshal([]byte(c.desired), &desired) != nil {
			t.Fatal(c)
		}
		if got := covers(live, desired); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestNumbersWait(t *testing.T) {
	key := types.NamespacedName{Namespace: "shop", Name: "billing"}
	status := func(lag int64, change func(*v1alpha1.ConsumerGroupStatus)) v1alpha1.ConsumerGroupStatus {
		s := v1alpha1.ConsumerGroupStatus{
			Lag: new(lag), Columns: v1alpha1.Columns{Lag: lagText(lag, v1alpha1.LagUnitMessages), Owned: "2/2"},
			Partitions: []v1alpha1.PartitionStatus{
				{Topic: "orders", Partition: "0", State: v1alpha1.PartitionOwned, Lag: new(lag)},
				{Topic: "orders", Partition: "1", State: v1alpha1.PartitionOwned, Lag: ptr.To[int64](3)},
			},
		}
		change(&s)
		return s
	}
	same := func(*v1alpha1.ConsumerGroupStatus) {}
	before := status(1, same)
	faster := status(9, func(s *v1alpha1.ConsumerGroupStatus) {
		s.Partitions[0], s.Partitions[1] = s.Partitions[1], s.Partitions[0]
		s.Partitions[0].Attempts, s.Partitions[0].Reason = ptr.To[int32](1), "503"
	})
	if wait := untilDue(key, &before, &faster, time.Time{}, noon, numbersEvery); wait != 0 {
		t.Errorf("the first is due at once, not in %s", wait)
	}
	later := status(20, same)
	wait := untilDue(key, &faster, &later, noon, noon.Add(time.Second), numbersEvery)
	if full := wait + time.Second; full < numbersEvery || full >= numbersEvery+numbersJitter {
		t.Errorf("numbers are written every %s", full)
	}
	if wait := untilDue(key, &faster, &later, noon, noon.Add(numbersEvery+numbersJitter), numbersEvery); wait != 0 {
		t.Errorf("they are due, not in %s", wait)
	}
	for name, change := range map[string]func(*v1alpha1.ConsumerGroupStatus){
		"owner":   func(s *v1alpha1.ConsumerGroupStatus) { s.Partitions[0].Owner = "billing-1" },
		"state":   func(s *v1alpha1.ConsumerGroupStatus) { s.Partitions[0].State = v1alpha1.PartitionBlocked },
		"members": func(s *v1alpha1.ConsumerGroupStatus) { s.MemberCount = ptr.To[int32](2) },
		"condition": func(s *v1alpha1.ConsumerGroupStatus) {
			s.Conditions = append(s.Conditions, metav1.Condition{Type: "Ready"})
		},
	} {
		changed := status(20, change)
		if wait := untilDue(key, &faster, &changed, noon, noon, numbersEvery); wait != 0 {
			t.Errorf("%s: due at once, not in %s", name, wait)
		}
	}
}

func TestLosses(t *testing.T) {
	key := types.NamespacedName{Name: "billing"}
	var l losses
	for i, c := range []struct {
		counts map[string]uint64
		want   int
	}{
		{map[string]uint64{"billing-0 orders/0": 5}, 1},
		{map[string]uint64{"billing-0 orders/0": 5}, 0},
		{nil, 0},
		{map[string]uint64{"billing-0 orders/0": 5}, 0}, // it was out of reach for a while
		{map[string]uint64{"billing-0 orders/0": 7, "billing-1 orders/1": 1}, 2},
		{map[string]uint64{"billing-0 orders/0": 2}, 1}, // began anew
	} {
		if got := l.grown(key, c.counts); len(got) != c.want {
			t.Errorf("step %d: got %+v", i, got)
		}
	}
	many := map[string]uint64{}
	for id := range strings.SplitSeq("0123456789", "") {
		many["billing-0 of orders/"+id] = 1
	}
	if got := l.grown(key, many); len(got) != eventsAtOnce+1 ||
		got[eventsAtOnce].note != "Retention removed undelivered messages of 5 more partitions" {
		t.Errorf("got %+v", got)
	}
	l.forget(key)
	for where, want := range map[string]string{
		"billing-0 of orders/0":   "Retention removed what stood at 7 offsets before billing-0 of orders/0 delivered it",
		"billing-0 of orders/1-0": "Retention removed 7 bytes before billing-0 of orders/1-0 delivered it",
	} {
		got := l.grown(key, map[string]uint64{where: 7})
		if len(got) != 1 || got[0].note != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
	l.forget(key)
	if len(l.known) != 0 {
		t.Error("forgotten means gone")
	}
}
