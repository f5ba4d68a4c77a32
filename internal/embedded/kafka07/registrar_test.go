// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

var _ = Describe("A broker in ZooKeeper", func() {
	var keeper *zookeeper.Server

	// node gives what a node holds; "(none)" where there is none, "(null)" where it has no data.
	node := func(path string) string {
		found, ok := keeper.Get(path)
		switch {
		case !ok:
			return "(none)"
		case found.Data == nil:
			return "(null)"
		default:
			return string(found.Data)
		}
	}
	owner := func(path string) int64 {
		found, _ := keeper.Get(path)
		return found.Stat.EphemeralOwner
	}
	config := func() kafka07.Config {
		return kafka07.Config{
			ID: 1, ZooKeeper: keeper.Addr(), Partitions: 3, TopicPartitions: map[string]int32{"audit": 2},
			FlushMessages: 1, Clock: frozen(), SessionTimeout: time.Second,
		}
	}

	BeforeEach(func(ctx SpecContext) {
		var err error
		keeper, err = zookeeper.Start(ctx, zookeeper.Config{TickTime: 100 * time.Millisecond})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(keeper.Close()).To(Succeed()) })
	})

	It("registers as the recorded one did", func(ctx SpecContext) {
		broker := start(ctx, config())
		Expect(node("/brokers")).To(Equal("(null)"))
		Expect(node("/brokers/ids")).To(Equal("(null)"))
		Expect(node("/brokers/topics")).To(Equal("(none)"))
		// Recorded: 127.0.0.1-1795355272277:127.0.0.1:19092
		Expect(node("/brokers/ids/1")).To(Equal(fmt.Sprintf("127.0.0.1-%d:%s", recordedAt.UnixMilli(), broker.Addr())))
		Expect(owner("/brokers/ids/1")).To(Equal(broker.Session()))
		Expect(owner("/brokers")).To(BeZero())

		By("a topic, once it is produced to, with its configured number of partitions")
		conn := dial(ctx, broker)
		conn.fetch("events", 0, 100)
		conn.send(produce("events", "good"), produce("audit", "good"))
		conn.end("events")
		Eventually(func() string { return node("/brokers/topics/events/1") }).Should(Equal("3"))
		Eventually(func() string { return node("/brokers/topics/audit/1") }).Should(Equal("2"))
		Expect(owner("/brokers/topics/events/1")).To(Equal(broker.Session()))
		Expect(node("/brokers/topics/events")).To(Equal("(null)"))

		By("a topic whose first produce is refused")
		bad := produce("refused", "bad")
		bad.Set = corrupt(bad.Set)
		conn.send(bad)
		conn.expectEnd()
		Eventually(func() string { return node("/brokers/topics/refused/1") }).Should(Equal("3"))
	})

	It("leaves at once when it stops, and registers its topics when it starts", func(ctx SpecContext) {
		broker := start(ctx, config())
		conn := dial(ctx, broker)
		conn.send(produce("events", "good"))
		Eventually(func() string { return node("/brokers/topics/events/1") }).Should(Equal("3"))
		broker.Stop()
		Expect(node("/brokers/ids/1")).To(Equal("(none)"))
		Expect(keeper.Children("/brokers/topics/events")).To(BeEmpty())
		Expect(node("/brokers/topics/events")).To(Equal("(null)"))
		Expect(broker.Session()).To(BeZero())
		Expect(broker.Restart(ctx)).To(Succeed())
		Expect(node("/brokers/ids/1")).To(HaveSuffix(broker.Addr()))
		Expect(node("/brokers/topics/events/1")).To(Equal("3"))
	})

	It("leaves its registration to expire when it is killed, and waits for that to come back", func(ctx SpecContext) {
		broker := start(ctx, config())
		session := broker.Session()
		broker.Kill()
		Expect(owner("/brokers/ids/1")).To(Equal(session))
		Expect(broker.Restart(ctx)).To(Succeed())
		Expect(owner("/brokers/ids/1")).To(And(Equal(broker.Session()), Not(Equal(session))))
	})

	It("does not start while its id is taken", func(ctx SpecContext) {
		first := start(ctx, config())
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, err := kafka07.Start(short, config())
		Expect(err).To(MatchError(ContainSubstring("register broker 1")))
		Expect(owner("/brokers/ids/1")).To(Equal(first.Session()))
	})

	It("registers everything again when its session expired", func(ctx SpecContext) {
		broker := start(ctx, config())
		dial(ctx, broker).send(produce("events", "good"))
		Eventually(func() string { return node("/brokers/topics/events/1") }).Should(Equal("3"))
		session := broker.Session()
		Expect(keeper.ExpireAll()).To(BeNumerically(">", 0))
		for _, path := range []string{"/brokers/ids/1", "/brokers/topics/events/1"} {
			Eventually(func() int64 { return owner(path) }).Should(And(Not(BeZero()), Not(Equal(session))))
		}
		Expect(dial(ctx, broker).payloads("events", 0)).To(Equal([]string{"good"}))
	})

	It("registers below a chroot, under the name it is given", func(ctx SpecContext) {
		below := config()
		below.ZooKeeper += "/kafka/old"
		below.Host = "broker.example"
		broker := start(ctx, below)
		_, port, _ := strings.Cut(broker.Addr(), ":")
		Expect(node("/kafka/old/brokers/ids/1")).To(HaveSuffix(":broker.example:" + port))
	})

	It("fails to start without ZooKeeper", func(ctx SpecContext) {
		nowhere := config()
		nowhere.ZooKeeper = "127.0.0.1:1"
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err := kafka07.Start(short, nowhere)
		Expect(err).To(MatchError(ContainSubstring("no session")))
	})
})
