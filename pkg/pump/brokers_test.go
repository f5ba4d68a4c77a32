// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"context"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// deleteRecords does what retention does: the log of the first partition begins at that offset.
func deleteRecords(ctx context.Context, w *world.World, before int64) {
	GinkgoHelper()
	broker, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Addrs()...))
	Expect(err).NotTo(HaveOccurred())
	defer broker.Close()
	var offsets kadm.Offsets
	offsets.AddOffset("orders", 0, before, -1)
	answers, err := kadm.NewClient(broker).DeleteRecords(ctx, offsets)
	Expect(err).NotTo(HaveOccurred())
	Expect(answers.Error()).NotTo(HaveOccurred())
}

// set writes the group's position of a partition, as an operator does.
func set(w *world.World, partition, position string) {
	GinkgoHelper()
	conn, _, err := zk.Connect([]string{w.ZooKeeper.Addr()}, 10*time.Second, zk.WithLogger(silent{}))
	Expect(err).NotTo(HaveOccurred())
	defer conn.Close()
	_, err = conn.Set(w.Path("/consumers/billing/offsets/orders/"+partition), []byte(position), -1)
	Expect(err).NotTo(HaveOccurred())
}

type silent struct{}

func (silent) Printf(string, ...any) {}
