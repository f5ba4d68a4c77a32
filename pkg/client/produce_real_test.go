// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/pkg/client"
)

// realReleases are those whose brokers are killed here, as far as this machine has them: those that SAMSA_TEST_RELEASES
// names (0.8.2,0.11,4), since each takes a minute.
func realReleases() (entries []TableEntry) {
	for name := range strings.SplitSeq(os.Getenv("SAMSA_TEST_RELEASES"), ",") {
		if name != "" && realkafka.Available(name) == nil {
			entries = append(entries, Entry(name, name, SpecTimeout(5*time.Minute)))
		}
	}
	return entries
}

var _ = DescribeTable("A producer's outcomes are true when real brokers are killed",
	func(ctx SpecContext, release string) {
		config := realkafka.Config{Version: release, Brokers: 3, Properties: map[string]string{
			"unclean.leader.election.enable": "false",
		}}
		found, err := realkafka.Find(release)
		Expect(err).NotTo(HaveOccurred())
		connecting := client.Config{Logger: logger()}
		if found.RunsWithZooKeeper() {
			server, err := zookeeper.Start(ctx, zookeeper.Config{TickTime: time.Second})
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(server.Close)
			config.ZooKeeper, connecting.ZooKeeper = server.Addr(), server.Addr()
		}
		brokers, err := realkafka.Start(ctx, config)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(brokers.Stop)
		if !found.RunsWithZooKeeper() {
			connecting.Bootstrap = strings.Split(brokers.Bootstrap(), ",")
		}
		Expect(brokers.CreateTopic(ctx, realkafka.Topic{Name: "orders", Partitions: 6, Replicas: 3,
			Config: map[string]string{"min.insync.replicas": "2"}})).To(Succeed())
		cluster, err := client.Open(ctx, connecting)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		producer := producing(cluster, "orders",
			client.ProducerConfig{Partitioner: client.ByKey(), Timeout: 20 * time.Second})

		book := newLedger()
		working, stop := context.WithCancel(ctx)
		var workers sync.WaitGroup
		for i := range 16 {
			var key []byte
			if i%2 == 0 {
				key = fmt.Appendf(nil, "key %d", i)
			}
			workers.Go(func() { book.work(working, producer, fmt.Sprint(i), key) })
		}
		progress := func(n int64) {
			GinkgoHelper()
			until := book.wins.Load() + n
			Eventually(book.wins.Load).WithTimeout(2 * time.Minute).Should(BeNumerically(">=", until))
		}
		progress(1000)
		for _, victim := range []int{0, 1, 2} {
			broker := brokers.Broker(victim)
			if victim == 1 {
				Expect(broker.Freeze()).To(Succeed())
				progress(500)
				Expect(broker.Resume()).To(Succeed())
			} else {
				Expect(broker.Kill()).To(Succeed())
				progress(500)
				Expect(broker.Start(ctx)).To(Succeed())
			}
			progress(1000)
		}
		stop()
		workers.Wait()
		book.check(realContents(ctx, brokers, "orders", book), 1)
	}, realReleases())

// realContents reads a topic of six partitions until it has had everything that succeeded, and then some.
func realContents(ctx context.Context, brokers *realkafka.Cluster, topic string, book *ledger) map[string][]string {
	GinkgoHelper()
	offsets := map[int32]kgo.Offset{}
	for partition := range int32(6) {
		offsets[partition] = kgo.NewOffset().AtStart()
	}
	reader, err := brokers.Client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}))
	Expect(err).NotTo(HaveOccurred())
	defer reader.Close()
	held := map[string][]string{}
	had := 0
	for {
		polling, cancel := context.WithTimeout(ctx, 5*time.Second)
		fetches := reader.PollFetches(polling)
		cancel()
		Expect(ctx.Err()).NotTo(HaveOccurred())
		fetches.EachRecord(func(record *kgo.Record) {
			value := string(record.Value)
			held[value] = append(held[value], fmt.Sprint(record.Partition))
			if _, wanted := book.written[value]; wanted && len(held[value]) == 1 {
				had++
			}
		})
		if fetches.NumRecords() == 0 && had == len(book.written) {
			return held
		}
	}
}
