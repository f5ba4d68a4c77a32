// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// Brokers before 1.0 hang up where later ones say what is wrong.
var _ = Describe("Kafka "+taciturn, Label(taciturn), Ordered, ContinueOnFailure, func() {
	var address string

	BeforeAll(func(ctx SpecContext) {
		need(taciturn)
		ensemble := startZooKeeper(ctx, nil)
		modules := filepath.Join(GinkgoT().TempDir(), "jaas.conf")
		text := fmt.Sprintf("KafkaServer { org.apache.kafka.common.security.plain.PlainLoginModule required user_%s=%q; };\n",
			user, secret)
		Expect(os.WriteFile(modules, []byte(text), 0o600)).To(Succeed())
		cluster, err := realkafka.Start(ctx, realkafka.Config{
			Version: taciturn, ZooKeeper: ensemble.plain, StartTimeout: startTimeout, Keep: keep,
			Listeners:  []realkafka.Listener{{Protocol: open}, {Protocol: "SASL_PLAINTEXT"}},
			Properties: map[string]string{"sasl.enabled.mechanisms": "PLAIN"},
			JVM:        []string{"-Djava.security.auth.login.config=" + modules},
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Stop)
		address = cluster.Addresses("SASL_PLAINTEXT")
		makeTopic(ctx, cluster.Bootstrap())
	})

	It("admits PLAIN", func(ctx SpecContext) {
		roundTrip(ctx, wire.Config{Brokers: []string{address}, SASL: password(wire.Plain, user, secret)})
	})

	It("is told to refuse where it hangs up", func(ctx SpecContext) {
		said := refused(ctx, wire.Config{Brokers: []string{address}, SASL: password(wire.Plain, user, "wrong")})
		Expect(said).To(ContainSubstring(
			"sasl: the broker hangs up when it is shown the credentials (PLAIN), so it most likely refuses them: correct"))
	})

	It("is refused for another mechanism", func(ctx SpecContext) {
		said := refused(ctx, wire.Config{Brokers: []string{address}, SASL: password(wire.ScramSHA256, user, secret)})
		Expect(said).To(ContainSubstring("sasl: the broker does not offer this mechanism there: use one that it does"))
	})
})

// makeTopic makes the topic by a listener that is open to all.
func makeTopic(ctx context.Context, bootstrap string) {
	GinkgoHelper()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	Expect(err).NotTo(HaveOccurred())
	defer client.Close()
	_, err = kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, topic)
	Expect(err).NotTo(HaveOccurred())
}
