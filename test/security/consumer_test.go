// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// ledger is what a consumer was given.
type ledger struct {
	mu    sync.Mutex // guards texts
	texts []string
}

func (l *ledger) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.texts = append(l.texts, text)
}

// missing are those of a list that were not given, and others that came twice.
func (l *ledger) missing(wanted []string) (missing, twice []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := make(map[string]int)
	for _, text := range l.texts {
		times[text]++
	}
	for _, text := range wanted {
		switch times[text] {
		case 0:
			missing = append(missing, text)
		case 1:
		default:
			twice = append(twice, text)
		}
	}
	return missing, twice
}

// byFiles is a cluster whose credentials and authorities are in files of the broker's directory.
func (b *broker) byFiles(listener string) client.Config {
	GinkgoHelper()
	return client.Config{
		Bootstrap: strings.Split(b.Addresses(listener), ","),
		BrokerTLS: secured(secure.Files(b.file("consumer-ca.pem"), "", "")),
		SASL: &wire.SASL{Mechanism: wire.ScramSHA256, Credentials: func(context.Context) (wire.Credentials, error) {
			now, err := os.ReadFile(b.file("consumer-password"))
			return wire.Credentials{User: user, Password: string(now)}, err
		}},
	}
}

// follow keeps a cluster until the spec ends.
func follow(config client.Config) *client.Cluster {
	GinkgoHelper()
	cluster, err := client.Connect(config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// consume consumes until the spec ends.
func consume(ctx context.Context, cluster *client.Cluster, name string, into *ledger) {
	GinkgoHelper()
	consumer, err := cluster.Consumer(client.ConsumerConfig{
		Group: name, Topics: []string{topic}, Name: name + "-0", Start: kafka.Latest(),
	})
	Expect(err).NotTo(HaveOccurred())
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for message, err := range consumer.Messages(ctx) {
			if err == nil {
				into.add(string(message.Value))
			}
		}
	}()
	DeferCleanup(func() {
		end()
		Eventually(done).Should(BeClosed())
	})
	Eventually(consumer.Status).Should(HaveField("Claims", ConsistOf(HaveField("State", group.Running))))
}

func describeConsumer(b func() *broker) {
	It("keeps a consumer through a new password, a new authority and a restart", func(ctx SpecContext) {
		broker := b()
		broker.write("consumer-ca.pem", broker.authority.PEM())
		broker.write("consumer-password", []byte(secret))
		cluster := follow(broker.byFiles(byScram))
		received := new(ledger)
		consume(ctx, cluster, "rotated", received)
		writer := connect(broker.at(open))
		var wrote []string
		run := func(name string) {
			GinkgoHelper()
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
				text := fmt.Sprintf("%s %d", name, len(wrote))
				_, err := writer.Append(ctx, partition, []kafka.Message{{Value: []byte(text)}})
				Expect(err).NotTo(HaveOccurred())
				wrote = append(wrote, text)
			}
			Eventually(ctx, func() []string {
				missing, _ := received.missing(wrote)
				return missing
			}).Should(BeEmpty(), "lost")
		}
		run("before")

		const changed = "another horse"
		broker.write("consumer-password", []byte(changed))
		broker.setPassword(ctx, changed)
		DeferCleanup(func(ctx SpecContext) { broker.setPassword(ctx, secret) })
		run("another password")

		next := authority("the next one")
		broker.write("consumer-ca.pem", next.PEM())
		broker.keep("server", next, pki.Certificate{Hosts: []string{host}})
		broker.restart(ctx)
		broker.authority = next
		run("another authority")
		Eventually(cluster.Err).Should(Succeed())
		_, twice := received.missing(wrote)
		GinkgoWriter.Printf("%d messages, %d of them again after the restart\n", len(wrote), len(twice))
	})

	It("is seen to refuse, in the cluster's state", func(ctx SpecContext) {
		broker := b()
		broker.write("consumer-ca.pem", broker.authority.PEM())
		broker.write("consumer-password", []byte("wrong"))
		var count counter
		config := broker.byFiles(byScram)
		config.Dial = count.dial
		cluster := follow(config)
		Eventually(ctx, cluster.State).Should(SatisfyAll(
			HaveField("Err", MatchError(ContainSubstring("sasl: the broker refuses the credentials"))),
			HaveField("Kind", registry.Denied)))
		before := count.dialed.Load()
		said := cluster.Err().Error()
		Consistently(ctx, cluster.Err, watched).Should(MatchError(said))
		Expect(count.dialed.Load()-before).To(BeNumerically("<=", mostAttempts), "a storm of attempts")
		broker.write("consumer-password", []byte(secret))
		Eventually(ctx, cluster.Err).Should(Succeed())
	})
}
