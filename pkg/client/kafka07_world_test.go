// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// start07 runs a world of two brokers of Kafka 0.7 that ends with the spec.
func start07(ctx context.Context, topics map[string]int32) *world.World {
	GinkgoHelper()
	return start07With(ctx, world.Config{Brokers: 2, Topics: topics})
}

func start07With(ctx context.Context, config world.Config) *world.World {
	GinkgoHelper()
	config.Era, config.Tick = world.Era07, tick
	config.Broker07.SessionTimeout = sessionTimeout
	w, err := world.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	return w
}

// open07 is open for a cluster of another configuration.
func open07(ctx context.Context, w *world.World, config client.Config) *client.Cluster {
	GinkgoHelper()
	config.ZooKeeper, config.SessionTimeout, config.Logger = w.Connect(), sessionTimeout, logger()
	cluster, err := client.Open(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// held are the values that the brokers hold of a topic, by partition, visible or not.
func held(w *world.World, topic string) map[string][]string {
	GinkgoHelper()
	values := map[string][]string{}
	for _, name := range w.Kafka07.Partitions(topic) {
		partition := kafka.Partition{Topic: topic, ID: name}
		stored, err := w.Kafka07.Stored(partition, 0)
		Expect(err).NotTo(HaveOccurred())
		for _, m := range stored {
			values[name] = append(values[name], string(m.Value))
		}
	}
	return values
}

// all are the values of all partitions.
func all(values map[string][]string) []string {
	return slices.Concat(slices.Collect(maps.Values(values))...)
}

// brokersOf are the brokers that hold something.
func brokersOf(values map[string][]string) []string {
	brokers := map[string]bool{}
	for name := range values {
		broker, _, _ := strings.Cut(name, "-")
		brokers[broker] = true
	}
	return slices.Sorted(maps.Keys(brokers))
}

// numbered are values "prefix 0" to "prefix n-1".
func numbered(prefix string, n int) [][]byte {
	values := make([][]byte, n)
	for i := range values {
		values[i] = fmt.Appendf(nil, "%s %d", prefix, i)
	}
	return values
}

// committed are the positions that ZooKeeper has of a group, by partition; "" for a node that is empty.
func committed(w *world.World, group, topic string) map[string]string {
	positions := map[string]string{}
	at := "/consumers/" + group + "/offsets/" + topic
	for _, name := range w.ZooKeeper.Children(w.Path(at)) {
		node, _ := w.ZooKeeper.Get(w.Path(at + "/" + name))
		positions[name] = string(node.Data)
	}
	return positions
}

// data is what a node holds.
func data(w *world.World, path string) string {
	node, _ := w.ZooKeeper.Get(w.Path(path))
	return string(node.Data)
}

// foreigner is a consumer of Kafka 0.7's own, as far as its nodes go.
type foreigner struct {
	world *world.World
	conn  *zk.Conn
	group string
	id    string
}

// joinForeign registers a foreign member. Its directories must be there.
func joinForeign(w *world.World, group, registration string) *foreigner {
	GinkgoHelper()
	f := &foreigner{world: w, conn: outsider(w), group: group, id: group + "_host-1353000000000-1a2b3c4d"}
	f.create("/ids/"+f.id, registration)
	return f
}

func (f *foreigner) create(path, value string) {
	GinkgoHelper()
	_, err := f.conn.Create(f.world.Path("/consumers/"+f.group+path), []byte(value), zk.FlagEphemeral,
		zk.WorldACL(zk.PermAll))
	Expect(err).NotTo(HaveOccurred())
}

// claim claims a partition as soon as nobody has it any more.
func (f *foreigner) claim(topic, partition string) {
	GinkgoHelper()
	path := "/owners/" + topic + "/" + partition
	Eventually(func() bool {
		_, taken := f.world.ZooKeeper.Get(f.world.Path("/consumers/" + f.group + path))
		return taken
	}).Should(BeFalse())
	f.create(path, f.id+"-0")
}

// declare makes a topic with so many partitions on each broker, in the order of their ids.
func declare(w *world.World, topic string, counts ...int32) {
	GinkgoHelper()
	for id, count := range counts {
		broker := w.Kafka07.Broker(int32(id)) //nolint:gosec // a handful
		Expect(broker.Declare(topic, count)).To(Succeed())
		Eventually(func() bool { return broker.Registered(topic) }).Should(BeTrue())
	}
}

// faults of a broker.
func faults(w *world.World, id int32) *kafka07.Faults { return w.Kafka07.Broker(id).Faults() }
