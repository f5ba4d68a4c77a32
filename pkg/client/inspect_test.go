// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// put makes a node and those above it, as somebody who plays by no rules.
func put(conn *zk.Conn, w *world.World, path, data string) {
	GinkgoHelper()
	full := w.Path(path)
	for i, c := range full {
		if c == '/' && i > 0 {
			_, err := conn.Create(full[:i], []byte{}, 0, zk.WorldACL(zk.PermAll))
			Expect(err).To(Or(BeNil(), MatchError(zk.ErrNodeExists)))
		}
	}
	_, err := conn.Create(full, []byte(data), 0, zk.WorldACL(zk.PermAll))
	if errors.Is(err, zk.ErrNodeExists) {
		_, err = conn.Set(full, []byte(data), -1)
	}
	Expect(err).NotTo(HaveOccurred())
}

// inspect looks once; tell may be nil.
func inspect(ctx context.Context, g *client.Group, topics ...string) client.GroupView {
	GinkgoHelper()
	view, err := g.Inspect(ctx, topics, nil)
	Expect(err).NotTo(HaveOccurred())
	return view
}

// owners counts the partitions of each owner's pod; "stray" are those of nobody who is a member.
func ownersOf(view client.GroupView) map[string]int {
	pods := map[string]string{}
	for _, m := range view.Members {
		pods[m.ID] = m.Pod
	}
	count := map[string]int{}
	for _, p := range view.Partitions {
		switch {
		case p.Stray:
			count["stray"]++
		case p.Owner != "":
			count[pods[p.Owner]]++
		}
	}
	return count
}

var _ = Describe("A group, looked at from outside", func() {
	var billing client.ConsumerConfig

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	It("shows members, owners and positions as they are", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 6})
		cluster := open(ctx, w)
		g := cluster.Group("billing")
		before := inspect(ctx, g, "orders", "refunds")
		Expect(before).To(SatisfyAll(
			HaveField("Members", BeEmpty()), HaveField("Partitions", HaveLen(6)), HaveField("Begun", BeFalse()),
			HaveField("Missing", Equal([]string{"refunds"})), HaveField("Strategy", BeZero()),
			HaveField("EndErr", BeNil()), HaveField("Problems", BeEmpty()),
			HaveField("Partitions", HaveEach(SatisfyAll(
				HaveField("Owner", BeEmpty()), HaveField("Committed", BeEquivalentTo(-1)),
				HaveField("Lag", BeEquivalentTo(0)), HaveField("Token", BeZero()))))))

		received := newBook()
		a, b := join(open(ctx, w), "a", billing, received), join(open(ctx, w), "b", billing, received)
		publish(ctx, cluster.Topic("orders"), 60)
		Eventually(received.distinct).Should(Equal(60))
		Eventually(a.running).Should(Equal(3))
		Eventually(b.running).Should(Equal(3))
		Eventually(func() client.GroupView { return inspect(ctx, g, "orders") }).Should(SatisfyAll(
			HaveField("Begun", BeTrue()), HaveField("Strategy", layout.Sticky), HaveField("Why", BeEmpty()),
			HaveField("Members", HaveExactElements(
				SatisfyAll(HaveField("Pod", "a"), HaveField("Foreign", BeFalse()), HaveField("Leaving", BeFalse()),
					HaveField("Topics", Equal([]string{"orders"}))),
				HaveField("Pod", "b"))),
			WithTransform(ownersOf, Equal(map[string]int{"a": 3, "b": 3})),
			HaveField("Partitions", HaveEach(SatisfyAll(
				HaveField("Lag", BeEquivalentTo(0)), HaveField("Token", BeNumerically(">", 0)),
				HaveField("Committed", BeNumerically(">=", 0)))))))
		var end int64
		for i, p := range inspect(ctx, g, "orders").Partitions {
			Expect(p.Partition).To(Equal(kafka.Partition{Topic: "orders", ID: fmt.Sprint(i)}))
			end += p.End
		}
		Expect(end).To(BeEquivalentTo(60))
	})
})

var _ = Describe("Deleting a group", func() {
	billing := client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}

	It("waits for its members to be gone, then leaves nothing, so that the next begins anew", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 4})
		cluster := open(ctx, w)
		g := cluster.Group("billing")
		received := newBook()
		a := join(open(ctx, w), "a", billing, received)
		publish(ctx, cluster.Topic("orders"), 20)
		Eventually(received.distinct).Should(Equal(20))

		inUse := &client.GroupInUseError{}
		Expect(errors.As(g.Delete(ctx), &inUse)).To(BeTrue())
		Expect(inUse).To(MatchError("group billing is in use by a: end its members first"))
		Expect(inUse.Members).To(ConsistOf(HaveField("Pod", "a")))
		Expect(w.ZooKeeper.Children(w.Path("/consumers/billing"))).To(ContainElements("ids", "offsets", "samsa"))

		a.leave()
		Expect(g.Delete(ctx)).To(Succeed())
		Expect(w.ZooKeeper.Children(w.Path("/consumers"))).To(BeEmpty())
		Expect(g.Delete(ctx)).To(Succeed())

		again := newBook()
		join(open(ctx, w), "a", billing, again)
		Eventually(again.distinct).Should(Equal(20))
	})
})

var _ = Describe("A cluster's state", func() {
	It("tells brokers, topics, and what is wrong", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1, "a": 1})
		cluster, err := client.Connect(client.Config{ZooKeeper: w.Connect(), SessionTimeout: sessionTimeout})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		eventually := func(match func(client.ClusterState) bool) client.ClusterState {
			GinkgoHelper()
			deadline, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			for {
				changed := cluster.Changed()
				state := cluster.State()
				if match(state) {
					return state
				}
				select {
				case <-changed:
				case <-deadline.Done():
					Fail(fmt.Sprintf("never came about: %+v", state))
				}
			}
		}
		state := eventually(func(s client.ClusterState) bool { return s.Err == nil })
		Expect(state).To(SatisfyAll(
			HaveField("Connected", BeTrue()), HaveField("Fenced", BeTrue()), HaveField("Kind", BeZero()),
			HaveField("SessionTimeout", sessionTimeout), HaveField("Problems", BeEmpty()),
			HaveField("Brokers", HaveExactElements(HaveField("ID", "0"), HaveField("ID", "1")))))
		Expect(cluster.Topics(ctx)).To(Equal([]string{"a", "orders"}))

		put(outsider(w), w, "/brokers/ids/77", "bad")
		eventually(func(s client.ClusterState) bool { return len(s.Problems) == 1 })
		Expect(w.Kafka.StopBroker(0)).To(Succeed())
		eventually(func(s client.ClusterState) bool { return len(s.Brokers) == 1 })
	})
})
