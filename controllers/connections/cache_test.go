// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// key is a KafkaCluster.
var key = types.NamespacedName{Namespace: "n", Name: "main"}

var _ = Describe("The cache of connections", func() {
	var (
		w      *world.World
		cache  *running
		others int // sessions of the brokers
	)
	settings := func() connections.Settings {
		return connections.Settings{ZooKeeper: w.Connect(), SessionTimeout: 2 * time.Second}
	}
	sessions := func() int { return len(w.ZooKeeper.Sessions()) - others }
	get := func() *client.Cluster {
		cluster, _ := cache.Get(key)
		return cluster
	}
	reached := func(key types.NamespacedName) bool {
		cluster, ok := cache.Get(key)
		return ok && cluster.State().Err == nil
	}
	connected := func() bool { return reached(key) }
	counted := func() int {
		topics, _ := cache.Topics(key)
		return topics
	}
	BeforeEach(func(ctx SpecContext) {
		w = startWorld(ctx, map[string]int32{"a": 1, "b": 1})
		others = len(w.ZooKeeper.Sessions())
		cache = startCache(ctx)
	})

	It("connects, and wakes whoever listens", func() {
		cache.Ensure(key, settings())
		Eventually(connected).Should(BeTrue())
		Eventually(cache.woken).Should(ContainElement(key))
		Eventually(counted).Should(Equal(2))
		Expect(cache.Tried(key)).To(BeTrue())
		Expect(cache.Failure(key)).To(Succeed())
	})

	It("counts topics that come later, soon enough for who has made one", func(ctx SpecContext) {
		cache.Ensure(key, settings())
		Eventually(counted).Should(Equal(2))
		Eventually(cache.woken).Should(BeEmpty())
		Expect(w.Brokers().CreateTopic(ctx, "c", 1)).To(Succeed())
		// Within 8 s; the rest is for a busy machine.
		Eventually(counted).WithContext(ctx).WithTimeout(20 * time.Second).Should(Equal(3))
		Eventually(cache.woken).Should(ContainElement(key))
	})

	It("keeps a connection whose settings are ensured again", func() {
		cache.Ensure(key, settings())
		Eventually(connected).Should(BeTrue())
		before := get()
		cache.Ensure(key, settings())
		Consistently(get).WithTimeout(300 * time.Millisecond).Should(BeIdenticalTo(before))
		Expect(sessions()).To(Equal(1))
	})

	It("wakes at each change of state", func(ctx SpecContext) {
		cache.Ensure(key, settings())
		Eventually(connected).Should(BeTrue())
		Eventually(counted).Should(Equal(2))
		Eventually(cache.woken).Should(BeEmpty())
		Expect(w.ZooKeeper.Stop()).To(Succeed())
		Eventually(cache.woken).Should(ContainElement(key))
		Eventually(connected).Should(BeFalse())
		cache.woken()
		Expect(w.ZooKeeper.Restart(ctx)).To(Succeed())
		Eventually(cache.woken).Should(ContainElement(key))
		Eventually(connected).Should(BeTrue())
	})

	It("gives no connection of other settings, and closes the one before when its users let go", func() {
		cache.Ensure(key, settings())
		Eventually(connected).Should(BeTrue())
		old, release, ok := cache.Acquire(key)
		Expect(ok).To(BeTrue())
		other := settings()
		other.SessionTimeout = 3 * time.Second
		cache.Ensure(key, other)
		Expect(get()).NotTo(BeIdenticalTo(old), "from the moment on that others are wanted")
		Eventually(connected).Should(BeTrue())
		Consistently(func() error { return old.State().Err }).WithTimeout(300 * time.Millisecond).Should(Succeed())
		Expect(sessions()).To(Equal(2))
		release()
		release() // once more does nothing
		Eventually(sessions).Should(Equal(1))
		Expect(get().State().SessionTimeout).To(Equal(3 * time.Second))
	})

	It("closes what is released", func() {
		cache.Ensure(key, settings())
		Eventually(connected).Should(BeTrue())
		cache.Release(key)
		Eventually(sessions).Should(BeZero())
		_, ok := cache.Get(key)
		Expect(ok).To(BeFalse())
		_, _, ok = cache.Acquire(key)
		Expect(ok).To(BeFalse())
		cache.Release(key)
		cache.Ensure(key, settings())
		Eventually(connected).Should(BeTrue())
	})

	It("says why settings cannot work, until there are others", func() {
		cache.Ensure(key, connections.Settings{ZooKeeper: "a b:0"})
		Eventually(func() error { return cache.Failure(key) }).Should(MatchError(ContainSubstring("connect")))
		Expect(cache.woken()).To(ContainElement(key))
		Expect(get()).To(BeNil())
		cache.Ensure(key, settings())
		Expect(cache.Failure(key)).To(Succeed())
		Eventually(connected).Should(BeTrue())
	})

	It("takes wishes before it runs, and ends with all its connections", func() {
		var keys []types.NamespacedName
		for i := range 5 {
			keys = append(keys, types.NamespacedName{Namespace: "n", Name: fmt.Sprint(i)})
			cache.Ensure(keys[i], settings())
		}
		// A session that its client has not heard of yet is not closed, but expires.
		for _, key := range keys {
			Eventually(reached).WithArguments(key).Should(BeTrue())
		}
		Expect(sessions()).To(Equal(5))
		cache.stop()
		Expect(sessions()).To(BeZero())
	})

	It("counts", func() {
		registry := prometheus.NewPedanticRegistry()
		Expect(registry.Register(cache.Cache)).To(Succeed())
		cache.Ensure(key, settings())
		Eventually(func() map[string]float64 { return gather(registry) }).Should(Equal(map[string]float64{
			"samsa_kafkacluster_connected": 1, "samsa_kafkacluster_connections_opened_total": 1,
		}))
	})
})

var _ = Describe("Settings", func() {
	It("show nothing that is secret", func() {
		secret := connections.Settings{
			Digest: "u:hidden", ZooKeeperTLS: connections.TLS{Key: "hidden"}, Bootstrap: "kafka:9092",
			BrokerTLS: connections.TLS{Key: "hidden", ServerName: "kafka"},
			SASL:      connections.SASL{Mechanism: wire.Plain, Credentials: wire.Credentials{Password: "hidden"}},
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			Expect(fmt.Sprintf(verb, secret)).To(Equal("kafka:9092"))
			Expect(fmt.Sprintf(verb, secret.BrokerTLS)).To(Equal("kafka"))
			Expect(fmt.Sprintf(verb, secret.SASL)).To(Equal("PLAIN"))
		}
		Expect(secret.LogValue().String()).To(Equal("kafka:9092"))
		secret.ZooKeeper = "zk"
		Expect(secret.String()).To(Equal("zk"))
	})
})

// gather adds up the metrics of a registry by name.
func gather(registry *prometheus.Registry) map[string]float64 {
	GinkgoHelper()
	families, err := registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	sums := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			sums[family.GetName()] += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return sums
}
