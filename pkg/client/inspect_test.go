// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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

	It("tells foreign members, those that leave, and claims of nobody apart", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 6})
		conn, g := outsider(w), open(ctx, w).Group("billing")
		ids := "/consumers/billing/ids/"
		samsa := layout.MemberID("billing", layout.Sticky, "a", 1, 1)
		leaving := layout.MemberID("billing", layout.Sticky, "b", 1, 1)
		put(conn, w, ids+samsa, string(layout.EncodeMember([]string{"orders"}, 1)))
		put(conn, w, ids+leaving, `{"version":1,"subscription":{},"pattern":"static","timestamp":"1","leaving":true}`)
		Expect(inspect(ctx, g, "orders")).To(SatisfyAll(
			HaveField("Strategy", layout.Sticky), HaveField("Why", BeEmpty()),
			HaveField("Members", HaveExactElements(
				SatisfyAll(HaveField("Pod", "a"), HaveField("Leaving", BeFalse())),
				SatisfyAll(HaveField("Pod", "b"), HaveField("Leaving", BeTrue()), HaveField("Topics", BeEmpty()))))))

		put(conn, w, ids+"billing_host-1-abc",
			`{"version":1,"subscription":{"orders":2},"pattern":"static","timestamp":"1"}`)
		put(conn, w, ids+"kazoo:1", `{"version":1,"subscription":{"orders":1},"pattern":"static","timestamp":1}`)
		put(conn, w, ids+"pattern", `{"version":1,"subscription":{"(?i)o.*":1},"pattern":"white_list","timestamp":"1"}`)
		put(conn, w, "/consumers/billing/owners/orders", "")
		for number, thread := range []string{
			samsa + "-0", leaving + "-0", "billing_host-1-abc-1", "kazoo:1", "gone-0", "pattern-0",
		} {
			_, err := conn.Create(w.Path("/consumers/billing/owners/orders/"+strconv.Itoa(number)), []byte(thread),
				zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
			Expect(err).NotTo(HaveOccurred())
		}
		view := inspect(ctx, g, "orders")
		Expect(view).To(SatisfyAll(
			HaveField("Strategy", layout.Range), HaveField("Why", "member billing_host-1-abc is not samsa's"),
			HaveField("Members", HaveLen(5)),
			HaveField("Members", ContainElements(
				SatisfyAll(HaveField("ID", "kazoo:1"), HaveField("Foreign", BeTrue()), HaveField("Unreadable", BeFalse()),
					HaveField("Leaving", BeFalse()), HaveField("Topics", Equal([]string{"orders"}))),
				SatisfyAll(HaveField("ID", "pattern"), HaveField("Foreign", BeTrue()), HaveField("Unreadable", BeTrue()))))))
		Expect(view.Problems).To(ConsistOf(HaveField("Path", ids+"pattern")))
		var owners []string
		var stray []bool
		for _, p := range view.Partitions {
			owners, stray = append(owners, p.Owner), append(stray, p.Stray)
		}
		Expect(owners).To(Equal([]string{samsa, leaving, "billing_host-1-abc", "kazoo:1", "gone-0", "pattern"}))
		Expect(stray).To(Equal([]bool{false, false, false, false, true, false}))
	})

	It("says that a member asks for Range", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		ranged := billing
		ranged.Strategy = client.Range
		cluster := open(ctx, w)
		a := join(cluster, "a", ranged, newBook())
		Eventually(a.running).Should(Equal(1))
		view := inspect(ctx, cluster.Group("billing"), "orders")
		Expect(view.Strategy).To(Equal(layout.Range))
		Expect(view.Why).To(ContainSubstring("asks for Range"))
	})

	It("tells topics that do not exist from such that cannot be understood", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		put(outsider(w), w, "/brokers/topics/bad", "{")
		view := inspect(ctx, open(ctx, w).Group("billing"), "refunds", "orders", "bad", "orders")
		Expect(view.Missing).To(Equal([]string{"refunds"}))
		Expect(view.Problems).To(ConsistOf(HaveField("Path", "/brokers/topics/bad")))
		Expect(view.Partitions).To(HaveLen(1))
	})

	DescribeTable("counts what lies before a position",
		func(ctx SpecContext, committed string, position, lag int64, malformed bool) {
			w := start(ctx, map[string]int32{"orders": 2})
			cluster := open(ctx, w)
			Expect(w.Kafka.CreateTopic(ctx, "one", 1)).To(Succeed())
			Eventually(func() error { return cluster.Topic("one").Publish(ctx, []byte("0")) }).Should(Succeed())
			publish(ctx, cluster.Topic("one"), 9)
			deleteRecords(ctx, w, "one", 4)
			if committed != "" {
				put(outsider(w), w, "/consumers/billing/offsets/one/0", committed)
			}
			view := inspect(ctx, cluster.Group("billing"), "one", "orders")
			Expect(view.EndErr).NotTo(HaveOccurred())
			Expect(view.Partitions[0]).To(Equal(client.GroupPartition{
				Partition: kafka.Partition{Topic: "one", ID: "0"},
				Committed: position, Malformed: malformed, Earliest: 4, End: 10, Lag: lag,
			}))
			Expect(view.Partitions[1].Lag).To(BeZero())
			if malformed {
				Expect(view.Problems).To(ConsistOf(HaveField("Path", "/consumers/billing/offsets/one/0")))
			}
		},
		Entry("that is not there", "", int64(-1), int64(6), false),
		Entry("at the start", "0", int64(0), int64(6), false),
		Entry("that retention has passed", "2", int64(2), int64(6), false),
		Entry("in the middle", "7", int64(7), int64(3), false),
		Entry("at the end", "10", int64(10), int64(0), false),
		Entry("beyond the end", "15", int64(15), int64(0), false),
		Entry("that is no number", "x", int64(-1), int64(-1), true),
	)

	It("shows what it can while ZooKeeper is away, namely nothing, and in time", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		g := open(ctx, w).Group("billing")
		w.ZooKeeper.Faults().Freeze()
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err := g.Inspect(short, []string{"orders"}, nil)
		Expect(err).To(MatchError(ContainSubstring("inspect group billing")))
		Expect(g.Delete(short)).To(MatchError(ContainSubstring("delete group billing")))
		w.ZooKeeper.Faults().Thaw()
		inspect(ctx, g, "orders")
	})

	DescribeTable("refuses names that are none", func(ctx SpecContext, name, topic, says string) {
		g := open(ctx, start(ctx, nil)).Group(name)
		_, err := g.Inspect(ctx, []string{topic}, nil)
		Expect(err).To(MatchError(ContainSubstring(says)))
		if topic == "orders" {
			Expect(g.Delete(ctx)).To(MatchError(ContainSubstring(says)))
		}
	},
		Entry("no name", "", "orders", "name it"),
		Entry("a path", "../brokers", "orders", "remove it"),
		Entry("a parent", "..", "orders", "choose another"),
		Entry("a topic that is a path", "billing", "a/b", `topics[0]: "a/b"`),
	)

	It("ends with its cluster", func(ctx SpecContext) {
		cluster := open(ctx, start(ctx, map[string]int32{"orders": 1}))
		inspect(ctx, cluster.Group("billing"), "orders")
		Expect(cluster.Close()).To(Succeed())
		_, err := cluster.Group("billing").Inspect(ctx, []string{"orders"}, nil)
		Expect(err).To(MatchError(client.ErrClosed))
		Expect(cluster.Group("billing").Delete(ctx)).To(MatchError(client.ErrClosed))
		_, err = cluster.Topics(ctx)
		Expect(err).To(MatchError(client.ErrClosed))
	})
})
