// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = It("Publishing to Kafka 0.7 acknowledges only what a broker has, whichever dies", func(ctx SpecContext) {
	const (
		kills = 25
		// A broker that was killed can only be started again when its session has expired; that of one that lives must not
		// expire, however busy this machine is.
		grain, session = 50 * time.Millisecond, 600 * time.Millisecond
	)
	seed := uint64(GinkgoRandomSeed()) //nolint:gosec // any will do
	random := rand.New(rand.NewPCG(seed, kills))
	w, err := world.Start(ctx, world.Config{
		Era: world.Era07, Tick: grain, Brokers: 2, Topics: map[string]int32{"orders": 4},
		Broker07: kafka07.Config{SessionTimeout: session},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	cluster := open(ctx, w)
	publisher := cluster.Topic("orders").Publisher(client.Random())
	acknowledged := 0
	publishSome := func() int32 {
		GinkgoHelper()
		messages := make([]kafka.Message, 1+random.IntN(20))
		for i := range messages {
			messages[i].Value = fmt.Appendf(nil, "message %d", acknowledged+i)
		}
		published, err := publisher.PublishMessages(ctx, messages)
		Expect(err).NotTo(HaveOccurred())
		acknowledged += len(messages)
		broker, err := strconv.Atoi(published.Partition.ID[:1])
		Expect(err).NotTo(HaveOccurred())
		return int32(broker) //nolint:gosec // 0 or 1
	}
	for range kills {
		// Or both could be dead, as far as the client has heard on a busy machine.
		Eventually(ctx, cluster.Brokers).Should(HaveLen(2))
		written := publishSome()
		direction := []kafka07.Direction{kafka07.In, kafka07.Out}[random.IntN(2)]
		died := faults(w, written).DieAfter(direction, random.IntN(500))
		for w.Kafka07.Broker(written).Running() {
			publishSome()
		}
		Eventually(died).Should(BeClosed())
		publishSome() // while the dead one is registered
		Expect(w.Kafka07.StartBroker(ctx, written)).To(Succeed())
	}
	kept := map[string]bool{}
	for _, value := range all(held(w, "orders")) {
		kept[value] = true
	}
	for i := range acknowledged {
		Expect(kept).To(HaveKey(fmt.Sprintf("message %d", i)))
	}
	GinkgoWriter.Println(kills, "kills,", acknowledged, "messages acknowledged")
})
