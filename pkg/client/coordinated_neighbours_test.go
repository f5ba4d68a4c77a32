// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// neighbour is a member of a group that is not samsa's, as others' programs are: it commits what it has written into
// the book, and before it gives anything up.
type neighbour struct {
	kgo    *kgo.Client
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func neighbourOf(brokers *embedkafka.Cluster, name string, into *book, balancer kgo.GroupBalancer) *neighbour {
	GinkgoHelper()
	commit := func(ctx context.Context, own *kgo.Client, _ map[string][]int32) {
		_ = own.CommitUncommittedOffsets(ctx)
	}
	own, err := kgo.NewClient(
		kgo.SeedBrokers(brokers.Addrs()...), kgo.ConsumerGroup(name), kgo.ConsumeTopics("orders"),
		kgo.ClientID("theirs"),
		kgo.Balancers(balancer), kgo.SessionTimeout(coordinatedSession), kgo.HeartbeatInterval(coordinatedSession/6),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.OnPartitionsRevoked(commit), kgo.DisableClientMetrics(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // ends with the spec, in order
	n := &neighbour{kgo: own, cancel: cancel}
	n.done.Go(func() {
		for ctx.Err() == nil {
			fetches := own.PollFetches(ctx)
			fetches.EachRecord(func(r *kgo.Record) {
				into.write(kafka.Message{
					Partition: kafka.Partition{Topic: r.Topic, ID: strconv.Itoa(int(r.Partition))},
					Offset:    r.Offset, Value: r.Value, Next: r.Offset + 1,
				})
			})
			commit(ctx, own, nil)
			own.AllowRebalance()
		}
	})
	DeferCleanup(n.leave)
	return n
}

func (n *neighbour) leave() {
	n.cancel()
	n.done.Wait()
	n.kgo.CloseAllowingRebalance()
}

// cable is a network that can be pulled out.
type cable struct {
	out   atomic.Bool
	mu    sync.Mutex
	conns []net.Conn
}

func (c *cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.out.Load() {
		return nil, errors.New("the cable is out")
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		c.mu.Lock()
		c.conns = append(c.conns, conn)
		c.mu.Unlock()
	}
	return conn, err
}

func (c *cable) pull() {
	c.out.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

var _ = Describe("A consumer group that brokers coordinate, with others in it", func() {
	var (
		billing  client.ConsumerConfig
		brokers  *embedkafka.Cluster
		topic    *client.Topic
		received *book
	)

	BeforeEach(func(ctx SpecContext) {
		billing = client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}
		brokers = startBrokers(ctx, map[string]int32{"orders": 6})
		topic = coordinate(ctx, brokers).Topic("orders")
		received = newBook()
	})

	DescribeTable("shares with members that are not samsa's, and nothing comes twice",
		func(ctx SpecContext, balancer kgo.GroupBalancer) {
			cluster := coordinate(ctx, brokers)
			a := join(cluster, "a", billing, received)
			b := join(coordinate(ctx, brokers), "b", billing, received)
			Eventually(a.running).Should(Equal(3))
			Eventually(b.running).Should(Equal(3))
			publish(ctx, topic, 60)

			theirs := neighbourOf(brokers, "billing", received, balancer)
			Eventually(func() int { return a.running() + b.running() }).Should(Equal(4))
			Eventually(func() string { return a.Status().Why }).Should(ContainSubstring(balancer.ProtocolName()))
			publish(ctx, topic, 60)
			Eventually(received.distinct).Should(Equal(120))

			view, err := cluster.Group("billing").Inspect(ctx, []string{"orders"}, nil)
			Expect(err).NotTo(HaveOccurred())
			foreign := 0
			for _, member := range view.Members {
				if member.Foreign {
					foreign++
				}
			}
			Expect(view.Members).To(HaveLen(3))
			Expect(foreign).To(Equal(1))
			for _, p := range view.Partitions {
				Expect(p.Owner).NotTo(BeEmpty())
			}

			theirs.leave()
			Eventually(func() int { return a.running() + b.running() }).Should(Equal(6))
			Eventually(func() string { return a.Status().Why }).Should(BeEmpty())
			publish(ctx, topic, 60)
			Eventually(received.distinct).Should(Equal(180))
			Expect(received.twice()).To(BeEmpty())
		},
		Entry("by range", kgo.RangeBalancer()),
		Entry("by cooperative-sticky", kgo.CooperativeStickyBalancer()),
	)

	It("takes over what a member held that is cut off, which stops first", func(ctx SpecContext) {
		cut := &cable{}
		cluster, err := client.Open(ctx, client.Config{
			Bootstrap: brokers.Addrs(), SessionTimeout: coordinatedSession, Dial: cut.dial, Logger: logger(),
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		a := join(cluster, "a", billing, received)
		b := join(coordinate(ctx, brokers), "b", billing, received)
		Eventually(a.running).Should(Equal(3))
		Eventually(b.running).Should(Equal(3))
		publish(ctx, topic, 60)
		cut.pull()
		Eventually(func() bool { return a.Status().LeaseHolds }).Should(BeFalse())
		Expect(b.running()).To(Equal(3), "the lease ends before others take over")
		Eventually(b.running).Should(Equal(6))
		publish(ctx, topic, 60)
		Eventually(received.distinct).Should(Equal(120))
		cut.out.Store(false)
		Eventually(a.running).Should(Equal(3))
		Eventually(b.running).Should(Equal(3))
		publish(ctx, topic, 60)
		Eventually(received.distinct).Should(Equal(180))
		Expect(received.outOfOrder()).To(BeEmpty())
	})

	It("begins at the first message of partitions that are added", func(ctx SpecContext) {
		latest := billing
		latest.Start = kafka.Latest()
		a := join(coordinate(ctx, brokers), "a", latest, received)
		Eventually(a.running).Should(Equal(6))
		Expect(brokers.Grow(ctx, "orders", 9)).To(Succeed())
		publish(ctx, topic, 90)
		Eventually(received.distinct, 30*time.Second).Should(Equal(90))
		Expect(a.running()).To(Equal(9))
	})

	It("is seen from outside, and deleted once nobody is in it", func(ctx SpecContext) {
		cluster := coordinate(ctx, brokers)
		billed := cluster.GroupIn(client.CoordinationKafka, "billing")
		_, err := billed.Topics(ctx)
		Expect(err).To(MatchError(client.ErrNoGroup))
		a := join(cluster, "a", billing, received)
		Eventually(a.running).Should(Equal(6))
		publish(ctx, topic, 60)
		Eventually(received.distinct).Should(Equal(60))
		told := make(chan struct{}, 16)
		Eventually(func(g Gomega) {
			view, err := billed.Inspect(ctx, []string{"orders", "none"}, func() { told <- struct{}{} })
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(view.Begun).To(BeTrue())
			g.Expect(view.Strategy).To(Equal(client.Sticky))
			g.Expect(view.Missing).To(ConsistOf("none"))
			g.Expect(view.Members).To(HaveLen(1))
			g.Expect(view.Members[0].Pod).To(Equal("a"))
			for _, p := range view.Partitions {
				g.Expect(p.Owner).To(Equal(view.Members[0].ID))
				g.Expect(p.Lag).To(BeZero())
			}
		}).Should(Succeed())
		Expect(cluster.Groups(ctx)).To(ContainElement(HaveField("Name", "billing")))
		inUse := &client.GroupInUseError{}
		Expect(errors.As(billed.Delete(ctx), &inUse)).To(BeTrue())
		Expect(inUse.Error()).To(ContainSubstring("in use by a"))
		a.leave()
		Eventually(told).Should(Receive())
		Expect(billed.Delete(ctx)).To(Succeed())
		Expect(billed.Delete(ctx)).To(Succeed())
		_, err = billed.Topics(ctx)
		Expect(err).To(MatchError(client.ErrNoGroup))
	})

	It("tells of each claim how far it has come", func(ctx SpecContext) {
		a := join(coordinate(ctx, brokers), "a", billing, received)
		Eventually(a.running).Should(Equal(6))
		publish(ctx, topic, 30)
		Eventually(received.distinct).Should(Equal(30))
		Eventually(func() (committed int64) {
			for _, claim := range a.Status().Claims {
				Expect(claim.State).To(Equal(group.Running))
				Expect(claim.Token).To(BeNumerically(">", 0))
				committed += claim.Committed
			}
			return committed
		}).Should(Equal(int64(30)))
		status := a.Status()
		Expect(status.Connected).To(BeTrue())
		Expect(status.Registered && status.Observed && status.Begun && status.LeaseHolds).To(BeTrue())
		Expect(status.Err).NotTo(HaveOccurred())
	})
})
