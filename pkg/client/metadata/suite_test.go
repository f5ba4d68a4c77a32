// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata_test

import (
	"context"
	"net"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
	"go.uber.org/goleak"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/pkg/client/metadata"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

func TestMetadata(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	RunSpecs(t, "Metadata")
}

func reader(addresses ...string) *metadata.Reader {
	r := metadata.NewReader(wire.Config{Brokers: addresses})
	DeferCleanup(r.Close)
	return r
}

func start(ctx context.Context, config embedkafka.Config) *embedkafka.Cluster {
	GinkgoHelper()
	cluster, err := embedkafka.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

func deadAddress(ctx context.Context) string {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

var _ = Describe("Asking brokers", func() {
	It("tells brokers, and of the topics asked for what is known", func(ctx SpecContext) {
		cluster := start(ctx, embedkafka.Config{Brokers: 2, Topics: map[string]int32{"orders": 3, "audit": 1}})
		r := reader(cluster.Addrs()[1])
		view, err := r.Read(ctx, metadata.Question{})
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Brokers).To(Equal(map[string]string{"0": cluster.Addrs()[0], "1": cluster.Addrs()[1]}))
		Expect(view.ClusterID).NotTo(BeEmpty())
		Expect(view.Topics).To(BeEmpty())

		view, err = r.Read(ctx, metadata.Question{Topics: []string{"orders", "none"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Topics["orders"].Partitions).To(ConsistOf(int32(0), int32(1), int32(2)))
		Expect(view.Topics["none"].Err).To(MatchError(metadata.ErrNoTopic))

		view, err = r.Read(ctx, metadata.Question{All: true})
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Topics).To(And(HaveLen(2), HaveKey("audit"), HaveKey("orders")))
	}, SpecTimeout(time.Minute))

	It("makes no topic by naming it, once it knows how", func(ctx SpecContext) {
		cluster := start(ctx, embedkafka.Config{Options: []kfake.Opt{kfake.AllowAutoTopicCreation()}})
		r := reader(cluster.Addrs()...)
		for range 2 {
			view, err := r.Read(ctx, metadata.Question{Topics: []string{"none"}})
			Expect(err).NotTo(HaveOccurred())
			Expect(view.Topics["none"].Err).To(MatchError(metadata.ErrNoTopic))
			offers, err := r.Survey(ctx, view.Brokers)
			Expect(err).NotTo(HaveOccurred())
			Expect(r.Learn([]metadata.Offer{offers["0"]})).To(Succeed())
		}
		Expect(cluster.Fake().TopicInfo("none")).To(BeNil())
	}, SpecTimeout(time.Minute))

	It("asks another broker where one hangs or is gone", func(ctx SpecContext) {
		cluster := start(ctx, embedkafka.Config{Brokers: 3})
		Expect(cluster.FreezeBroker(0)).To(Succeed())
		Expect(cluster.StopBroker(1)).To(Succeed())
		r := reader(cluster.Addrs()...)
		for range 5 {
			began := time.Now()
			_, err := r.Read(ctx, metadata.Question{})
			Expect(err).NotTo(HaveOccurred())
			Expect(time.Since(began)).To(BeNumerically("<", time.Second))
		}
		Expect(cluster.ThawBroker(0)).To(Succeed())
	}, SpecTimeout(time.Minute))

	It("does not take a broker that was slow for an old one", func(ctx SpecContext) {
		cluster := start(ctx, embedkafka.Config{})
		Expect(cluster.FreezeBroker(0)).To(Succeed())
		r := reader(cluster.Addrs()...)
		thaw := time.AfterFunc(1500*time.Millisecond, func() { _ = cluster.ThawBroker(0) })
		defer thaw.Stop()
		_, err := r.Read(ctx, metadata.Question{})
		Expect(err).NotTo(HaveOccurred())
		Expect(r.Release()).To(Equal(wire.Negotiated))
	}, SpecTimeout(time.Minute))

	It("names each address where nobody answers", func(ctx SpecContext) {
		cluster := start(ctx, embedkafka.Config{})
		Expect(cluster.FreezeBroker(0)).To(Succeed())
		DeferCleanup(func() error { return cluster.ThawBroker(0) })
		dead := deadAddress(ctx)
		bounded, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		_, err := reader(dead, cluster.Addrs()[0]).Read(bounded, metadata.Question{})
		Expect(err).To(MatchError(metadata.ErrNobody))
		Expect(err).To(MatchError(ContainSubstring(dead + ": connection refused")))
		Expect(err).To(MatchError(ContainSubstring(cluster.Addrs()[0] + ": no answer in time")))
	}, SpecTimeout(time.Minute))

	It("says that it is closed", func(ctx SpecContext) {
		r := reader(deadAddress(ctx))
		r.Close()
		_, err := r.Read(ctx, metadata.Question{})
		Expect(err).To(MatchError(metadata.ErrClosed))
	}, SpecTimeout(time.Minute))
})

var _ = Describe("Which Kafka brokers are", func() {
	DescribeTable("is what they say they understand", func(ctx SpecContext, version string, raft bool) {
		cluster := start(ctx, embedkafka.Config{Brokers: 2, Options: []kfake.Opt{
			kfake.MaxVersions(kversion.FromString(version)),
		}})
		addresses := map[string]string{"0": cluster.Addrs()[0], "1": cluster.Addrs()[1]}
		offers, err := reader(cluster.Addrs()...).Survey(ctx, addresses)
		Expect(err).NotTo(HaveOccurred())
		Expect(offers).To(HaveLen(2))
		Expect(offers["1"].Versions).To(Equal(metadata.Versions{Oldest: version, Newest: version}))
		Expect(metadata.WithoutZooKeeper(version)).To(Equal(raft))
	},
		Entry("0.10.2", "0.10.2", false, SpecTimeout(time.Minute)),
		Entry("1.1", "1.1", false, SpecTimeout(time.Minute)),
		Entry("2.8", "2.8", false, SpecTimeout(time.Minute)),
		Entry("3.9", "3.9", false, SpecTimeout(time.Minute)),
		Entry("4.1", "4.1", true, SpecTimeout(time.Minute)),
	)

	It("is told of those that answer, where others do not", func(ctx SpecContext) {
		cluster := start(ctx, embedkafka.Config{})
		dead := deadAddress(ctx)
		offers, err := reader(dead).Survey(ctx, map[string]string{"0": cluster.Addrs()[0], "1": dead})
		Expect(err).To(MatchError(ContainSubstring(dead + ": connection refused")))
		Expect(offers).To(And(HaveLen(1), HaveKey("0")))
	}, SpecTimeout(time.Minute))

	DescribeTable("is found out where they cannot say it", func(ctx SpecContext, release wire.Release) {
		address := startOld(ctx, release)
		r := reader(deadAddress(ctx), address)
		view, err := r.Read(ctx, metadata.Question{Topics: []string{"orders", "none"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(r.Release()).To(Equal(release))
		Expect(view.Brokers).To(Equal(map[string]string{"7": address}))
		Expect(view.Topics["orders"].Partitions).To(HaveLen(2))
		Expect(view.Topics["none"].Err).To(MatchError(metadata.ErrNoTopic))

		offers, err := r.Survey(ctx, view.Brokers)
		Expect(err).NotTo(HaveOccurred())
		Expect(offers["7"]).To(Equal(metadata.OfferOf(release)))
		Expect(metadata.Summarize([]metadata.Offer{offers["7"]}).Oldest).To(Equal(release.String()))
	},
		Entry("0.8", wire.Kafka08, SpecTimeout(time.Minute)),
		Entry("0.9", wire.Kafka09, SpecTimeout(time.Minute)),
	)

	It("is learned anew when brokers are replaced", func(ctx SpecContext) {
		r := reader(deadAddress(ctx))
		Expect(r.Learn([]metadata.Offer{metadata.OfferOf(wire.Kafka09), {}})).To(Succeed())
		Expect(r.Release()).To(Equal(wire.Kafka09))
		Expect(r.Learn([]metadata.Offer{metadata.OfferOf(wire.Kafka09), metadata.OfferOf(wire.Kafka08)})).To(Succeed())
		Expect(r.Release()).To(Equal(wire.Kafka08))
		Expect(r.Learn([]metadata.Offer{{}})).To(Succeed())
		Expect(r.Release()).To(Equal(wire.Negotiated))
	}, SpecTimeout(time.Minute))
})
