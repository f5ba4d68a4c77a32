// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// stream is a reader of what somebody writes all the while, by the listener that is open to all.
type stream struct {
	writer *wire.Transport
	reader *reader
	wrote  []string
}

// begin starts a stream at the end of the log.
func (b *broker) begin(ctx context.Context, config wire.Config) *stream {
	GinkgoHelper()
	s := &stream{writer: connect(b.at(open))}
	ends, err := s.writer.Positions(ctx, []kafka.Partition{partition}, kafka.Latest())
	Expect(err).NotTo(HaveOccurred())
	s.reader = newReader(connect(config), ends[partition])
	s.run(ctx, time.Second)
	return s
}

// run writes and reads for a while, and then until everything has come, once and in order.
func (s *stream) run(ctx context.Context, while time.Duration) {
	GinkgoHelper()
	for end := time.Now().Add(while); time.Now().Before(end); {
		text := fmt.Sprint(len(s.wrote))
		_, err := s.writer.Append(ctx, partition, []kafka.Message{{Value: []byte(text)}})
		Expect(err).NotTo(HaveOccurred())
		s.wrote = append(s.wrote, text)
		s.reader.poll(ctx)
	}
	Eventually(ctx, s.reader.poll).Should(Equal(s.wrote))
}

func describeNewCertificates(b func() *broker) {
	It("goes on through new authorities and certificates on both sides", func(ctx SpecContext) {
		broker := b()
		ca, own, key := broker.file("client-ca.pem"), broker.file("client.pem"), broker.file("client-key.pem")
		hold := func(by *pki.Authority) {
			pair := issue(by, pki.Certificate{Name: user})
			broker.write("client-ca.pem", by.PEM())
			broker.write("client.pem", pair.Certificate)
			broker.write("client-key.pem", pair.Key)
		}
		hold(broker.authority)
		config := broker.at(mutual)
		config.TLS = secured(secure.Files(ca, own, key))
		s := broker.begin(ctx, config)

		next := authority("next")
		hold(next)
		broker.trust(next)
		broker.keep("server", next, pki.Certificate{Hosts: []string{host}})
		s.run(ctx, time.Second) // on the connection that stands
		broker.restart(ctx)
		broker.authority = next
		s.run(ctx, 2*time.Second)
	})

	It("goes on once an expired certificate is renewed", func(ctx SpecContext) {
		broker := b()
		config := broker.at(byTLS)
		config.TLS = secured(secure.Static(secure.Material{CA: broker.authority.PEM()}))
		config.Admission = wire.NewAdmission()
		s := broker.begin(ctx, config)
		broker.keep("server", broker.authority, pki.Certificate{Hosts: []string{host}, Expired: true})
		broker.restart(ctx)
		Eventually(ctx, func() error {
			s.reader.poll(ctx)
			return config.Admission.Err()
		}).Should(MatchError(ContainSubstring("the server's certificate expired at ")))

		broker.keep("server", broker.authority, pki.Certificate{Hosts: []string{host}})
		broker.restart(ctx)
		s.run(ctx, time.Second)
		Expect(config.Admission.Err()).NotTo(HaveOccurred())
	})
}

func describeNewCredentials(b func() *broker) {
	It("goes on with a new password, proved again on the connection that stands", func(ctx SpecContext) {
		broker := b()
		broker.write("password", []byte(secret))
		var asked atomic.Int64
		var count counter
		config := broker.by(way{listener: byScram, trusting: broker.authority, sasl: &wire.SASL{
			Mechanism: wire.ScramSHA512, Credentials: func(context.Context) (wire.Credentials, error) {
				asked.Add(1)
				now, err := os.ReadFile(broker.file("password"))
				return wire.Credentials{User: user, Password: string(now)}, err
			},
		}})
		config.Dial = count.dial
		s := broker.begin(ctx, config)
		connections := count.dialed.Load()

		const changed = "battery staple"
		broker.setPassword(ctx, changed)
		DeferCleanup(func(ctx SpecContext) { broker.setPassword(ctx, secret) })
		broker.write("password", []byte(changed))
		before := asked.Load()
		s.run(ctx, 8*time.Second) // two reauthentications at least
		Expect(asked.Load() - before).To(BeNumerically(">=", 2))
		GinkgoWriter.Printf("%d connections before, %d after\n", connections, count.dialed.Load())
	})

	It("goes on with tokens that live for seconds", func(ctx SpecContext) {
		broker := b()
		var asked atomic.Int64
		config := broker.by(way{listener: byToken, sasl: &wire.SASL{
			Mechanism: wire.OAuthBearer, Credentials: func(context.Context) (wire.Credentials, error) {
				asked.Add(1)
				return wire.Credentials{Token: token(user, 4*time.Second)}, nil
			},
		}})
		s := broker.begin(ctx, config)
		s.run(ctx, 8*time.Second)
		Expect(asked.Load()).To(BeNumerically(">=", 3))
		Expect(s.reader.errs).To(BeEmpty())
	})
}
