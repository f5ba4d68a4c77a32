// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry"
)

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

	It("names kind and cause of what is wrong, and never waits", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		cluster, err := client.Connect(client.Config{ZooKeeper: w.ZooKeeper.Addr() + "/nowhere"})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		Expect(cluster.State()).To(SatisfyAll(
			HaveField("Connected", BeFalse()), HaveField("Kind", registry.Unavailable), HaveField("Brokers", BeEmpty())))
		Eventually(cluster.State).Should(SatisfyAll(
			HaveField("Connected", BeFalse()), HaveField("Kind", registry.NoChroot),
			HaveField("Err", MatchError(ContainSubstring("/nowhere"))), HaveField("SessionTimeout", BeZero())))
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_, err = cluster.Topics(short)
		Expect(err).To(MatchError(ContainSubstring("/nowhere")))
	})

	It("keeps the brokers while ZooKeeper is away, and says that it is", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		cluster := open(ctx, w)
		w.ZooKeeper.Faults().RefuseConnections(true)
		w.ZooKeeper.ExpireAll()
		Eventually(cluster.State).Should(SatisfyAll(
			HaveField("Connected", BeFalse()), HaveField("Kind", registry.Unavailable), HaveField("Brokers", HaveLen(2))))
		w.ZooKeeper.Faults().RefuseConnections(false)
		Eventually(cluster.State).Should(HaveField("Connected", BeTrue()))
	})
})
