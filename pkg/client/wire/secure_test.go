// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kfake"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("A cluster that wants proof", func() {
	var (
		cluster   *embedkafka.Cluster
		authority *pki.Authority
		config    wire.Config
		dialed    atomic.Int64
		given     atomic.Pointer[wire.Credentials]
	)

	BeforeEach(func(ctx SpecContext) {
		var err error
		authority, err = pki.NewAuthority("embedded")
		Expect(err).NotTo(HaveOccurred())
		pair, err := authority.Issue(pki.Certificate{Hosts: []string{"127.0.0.1"}})
		Expect(err).NotTo(HaveOccurred())
		certificate, err := pair.TLS()
		Expect(err).NotTo(HaveOccurred())
		cluster, err = embedkafka.Start(ctx, embedkafka.Config{
			Brokers: 2, Topics: map[string]int32{"orders": 2},
			Options: []kfake.Opt{
				kfake.EnableSASL(), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}), //nolint:gosec // default
				kfake.Superuser("PLAIN", "samsa", "secret"), kfake.Superuser("SCRAM-SHA-512", "samsa", "secret"),
				kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "2500"}),
			},
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		dialed.Store(0)
		given.Store(&wire.Credentials{User: "samsa", Password: "secret"})
		secured, err := secure.Config("", secure.Static(secure.Material{CA: authority.PEM()}), nil)
		Expect(err).NotTo(HaveOccurred())
		config = wire.Config{
			Brokers: cluster.Addrs(), TLS: secured, FetchMaxWait: 50 * time.Millisecond, Admission: wire.NewAdmission(),
			SASL: &wire.SASL{
				Mechanism:   wire.ScramSHA512,
				Credentials: func(context.Context) (wire.Credentials, error) { return *given.Load(), nil },
			},
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				dialed.Add(1)
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		}
	})

	open := func() *reader {
		GinkgoHelper()
		transport, err := wire.Open(config)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(transport.Close)
		r := newReader(transport)
		transport.Add(map[kafka.Partition]int64{first: 0})
		return r
	}
	write := func(ctx context.Context, r *reader, text string) {
		GinkgoHelper()
		_, err := r.transport.Append(ctx, first, []kafka.Message{{Value: []byte(text)}})
		Expect(err).NotTo(HaveOccurred())
	}

	DescribeTable("takes", func(ctx SpecContext, mechanism wire.Mechanism) {
		config.SASL.Mechanism = mechanism
		r := open()
		write(ctx, r, "a")
		r.until(ctx, func(g Gomega) { g.Expect(r.values[first]).To(Equal([]string{"a"})) })
		Expect(config.Admission.Err()).NotTo(HaveOccurred())
	}, Entry(nil, wire.Plain), Entry(nil, wire.ScramSHA512))

	It("is asked seldom while it refuses, tells why, and heals soon after other credentials", func(ctx SpecContext) {
		given.Store(&wire.Credentials{User: "samsa", Password: "wrong"})
		r := open()
		want := ContainSubstring("(SCRAM-SHA-512), so it most likely refuses them: correct them")
		r.until(ctx, func(g Gomega) { g.Expect(config.Admission.Err()).To(MatchError(want)) })
		r.until(ctx, func(g Gomega) { g.Expect(r.errs[first]).To(ContainElement(MatchError(want))) })
		Expect(r.stops[first]).To(BeZero())
		said := config.Admission.Err().Error()
		Eventually(func() int64 {
			r.poll(ctx)
			Expect(config.Admission.Err()).To(MatchError(said))
			return dialed.Load()
		}).WithContext(ctx).Should(BeNumerically(">=", 3))
		began := dialed.Load()
		r.quiet(ctx, func(g Gomega) { g.Expect(dialed.Load()).To(BeNumerically("<=", began+2)) })

		given.Store(&wire.Credentials{User: "samsa", Password: "secret"})
		r.until(ctx, func(g Gomega) { g.Expect(config.Admission.Err()).NotTo(HaveOccurred()) })
		write(ctx, r, "a")
		r.until(ctx, func(g Gomega) { g.Expect(r.values[first]).To(Equal([]string{"a"})) })
	})

	It("is told new credentials on the connection that stands", func(ctx SpecContext) {
		r := open()
		write(ctx, r, "a")
		r.until(ctx, func(g Gomega) { g.Expect(r.values[first]).To(Equal([]string{"a"})) })
		var asked atomic.Int64
		config.SASL.Credentials = func(context.Context) (wire.Credentials, error) {
			asked.Add(1)
			return *given.Load(), nil
		}
		r = open()
		r.until(ctx, func(g Gomega) { g.Expect(r.values[first]).NotTo(BeEmpty()) })
		before, connections := asked.Load(), dialed.Load()
		r.until(ctx, func(g Gomega) { g.Expect(asked.Load()).To(BeNumerically(">", before+1)) })
		Expect(dialed.Load()).To(BeNumerically("<=", connections+1))
		Expect(r.errs[first]).To(BeEmpty())
	})
})
