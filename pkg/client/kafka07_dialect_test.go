// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"crypto/tls"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

var _ = Describe("Which Kafka it is", func() {
	var billing client.ConsumerConfig
	const mix = "broker 0 is of Kafka 0.7 and broker 7 of Kafka 0.8 or later"

	BeforeEach(func() {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
	})

	It("is what the brokers registered", func(ctx SpecContext) {
		old, later := open(ctx, start07(ctx, nil)), open(ctx, start(ctx, nil))
		Expect(old.State()).To(And(HaveField("Dialect", layout.Kafka07), HaveField("DialectKnown", true)))
		Expect(old.Brokers()).To(HaveEach(HaveField("Kafka07", true)))
		Expect(old.Err()).NotTo(HaveOccurred())
		Expect(later.State()).To(And(HaveField("Dialect", layout.Modern), HaveField("DialectKnown", true)))
		Expect(later.Brokers()).To(HaveEach(HaveField("Kafka07", false)))
	})

	It("is waited for before a member registers, and not forgotten when the brokers go", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		Expect(w.Kafka07.StopBroker(0)).To(Succeed())
		Expect(w.Kafka07.StopBroker(1)).To(Succeed())
		cluster, err := client.Connect(client.Config{ZooKeeper: w.Connect(), SessionTimeout: sessionTimeout})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		a := join(cluster, "a", billing, newBook())
		Eventually(func() error { return a.Status().RegisterErr }).Should(MatchError(ContainSubstring("which Kafka")))
		Expect(a.Status().Err).To(MatchError(client.ErrNoBrokers))
		Expect(cluster.State().DialectKnown).To(BeFalse())
		Expect(w.ZooKeeper.Children(w.Path("/consumers/billing/ids"))).To(BeEmpty())

		Expect(w.Kafka07.StartBroker(ctx, 0)).To(Succeed())
		Eventually(a.running).Should(Equal(1))
		Expect(a.Status().RegisterErr).NotTo(HaveOccurred())
		before := a.Status().Member
		Expect(data(w, "/consumers/billing/ids/"+before)).To(Equal(`{ "orders": 1 }`))

		Expect(w.Kafka07.StopBroker(0)).To(Succeed())
		Eventually(cluster.Brokers).Should(BeEmpty())
		Eventually(a.running).Should(BeZero())
		Expect(cluster.State()).To(And(HaveField("Dialect", layout.Kafka07), HaveField("DialectKnown", true)))
		Expect(a.Status()).To(And(HaveField("Registered", true), HaveField("Member", before)))
		w.ZooKeeper.ExpireAll()
		Eventually(func() string { return a.Status().Member }).ShouldNot(Or(Equal(before), BeEmpty()))
		Eventually(func() bool { return a.Status().Registered }).Should(BeTrue())
		Expect(data(w, "/consumers/billing/ids/"+a.Status().Member)).To(Equal(`{ "orders": 1 }`))
	})

	It("is an error where both are registered, and what went on before goes on", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		received := newBook()
		a := join(cluster, "a", billing, received)
		Eventually(a.running).Should(Equal(2))
		remove := registerLater(w, "7")
		Eventually(cluster.Err).Should(MatchError(client.ErrBrokersMixed))
		Expect(cluster.State().Err).To(MatchError(And(ContainSubstring(mix), ContainSubstring("chroot of its own"))))
		Expect(cluster.Brokers()).To(HaveLen(2))
		publish(ctx, cluster.Topic("orders"), 10)
		Eventually(received.distinct).Should(Equal(10))

		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := client.Open(short, client.Config{ZooKeeper: w.Connect(), SessionTimeout: sessionTimeout})
		Expect(err).To(MatchError(ContainSubstring(mix)))
		remove()
		Eventually(cluster.Err).Should(Succeed())
		Expect(open(ctx, w).Brokers()).To(HaveLen(2))
	})

	It("may change with all brokers: everything begins anew", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"returns": 1})
		cluster := open(ctx, w)
		received := newBook()
		publish(ctx, cluster.Topic("returns"), 1)
		a := join(cluster, "a", billing, received)
		Eventually(func() []string { return a.Status().Missing }).Should(ConsistOf("orders"))
		before := a.Status().Member
		Expect(w.Kafka.StopBroker(0)).To(Succeed())
		Expect(w.Kafka.StopBroker(1)).To(Succeed())
		Eventually(cluster.Brokers).Should(BeEmpty())
		Expect(a.Status().Member).To(Equal(before))

		old, err := kafka07.Start(ctx, kafka07.Config{ID: 5, ZooKeeper: w.Connect(), FlushMessages: 1})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(old.Close)
		Eventually(cluster.State).Should(HaveField("Dialect", layout.Kafka07))
		publish(ctx, cluster.Topic("orders"), 10)
		Eventually(received.distinct).Should(Equal(10))
		Expect(data(w, "/consumers/billing/ids/"+a.Status().Member)).To(Equal(`{ "orders": 1 }`))
	})

	It("has no TLS before Kafka 0.9", func(ctx SpecContext) {
		w := start07(ctx, nil)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := client.Open(short, client.Config{
			ZooKeeper: w.Connect(), SessionTimeout: sessionTimeout, BrokerTLS: &tls.Config{MinVersion: tls.VersionTLS12},
		})
		Expect(err).To(MatchError(ContainSubstring("no TLS")))
	})

	It("has limits of its own, which are told at once", func() {
		_, err := client.Connect(client.Config{ZooKeeper: "localhost:2181", MaxMessageBytes: -1})
		Expect(err).To(MatchError(ContainSubstring("max message bytes")))
	})
})
