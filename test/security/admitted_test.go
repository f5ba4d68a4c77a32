// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"crypto/tls"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// way is one of reaching the broker. Nil and empty are left out.
type way struct {
	listener string
	// trusting are the authorities of the client; own its certificate.
	trusting *pki.Authority
	own      pki.Pair
	sasl     *wire.SASL
}

func (b *broker) by(w way) wire.Config {
	GinkgoHelper()
	config := b.at(w.listener)
	config.SASL = w.sasl
	if w.trusting != nil {
		config.TLS = secured(secure.Static(secure.Material{
			CA: w.trusting.PEM(), Certificate: w.own.Certificate, Key: w.own.Key,
		}))
	}
	return config
}

func password(mechanism wire.Mechanism, user, password string) *wire.SASL {
	return &wire.SASL{Mechanism: mechanism, Credentials: wire.Credentials{User: user, Password: password}.Always()}
}

func bearer(token string) *wire.SASL {
	return &wire.SASL{Mechanism: wire.OAuthBearer, Credentials: wire.Credentials{Token: token}.Always()}
}

var _ = forEach([]string{newest, last}, func(release string) {
	Describe("Kafka "+release, Label(release), Ordered, ContinueOnFailure, func() {
		var b *broker
		BeforeAll(func(ctx SpecContext) { b = newBroker(ctx, release) })

		describeAdmitted(func() *broker { return b })
		describeRefused(func() *broker { return b })
		describeNewCertificates(func() *broker { return b })
		describeNewCredentials(func() *broker { return b })
		describeConsumer(func() *broker { return b })
	})
})

func forEach(releases []string, describe func(release string)) bool {
	for _, release := range releases {
		describe(release)
	}
	return true
}

func describeAdmitted(b func() *broker) {
	DescribeTable("admits", func(ctx SpecContext, chosen func(b *broker) way) {
		roundTrip(ctx, b().by(chosen(b())))
	},
		Entry("whoever comes by TLS", func(b *broker) way {
			return way{listener: byTLS, trusting: b.authority}
		}),
		Entry("a client with a certificate", func(b *broker) way {
			return way{listener: mutual, trusting: b.authority, own: issue(b.authority, pki.Certificate{Name: user})}
		}),
		Entry("PLAIN", func(*broker) way {
			return way{listener: byPlain, sasl: password(wire.Plain, user, secret)}
		}),
		Entry("SCRAM-SHA-256", func(b *broker) way {
			return way{listener: byScram, trusting: b.authority, sasl: password(wire.ScramSHA256, user, secret)}
		}),
		Entry("SCRAM-SHA-512", func(b *broker) way {
			return way{listener: byScram, trusting: b.authority, sasl: password(wire.ScramSHA512, user, secret)}
		}),
		Entry("OAUTHBEARER", func(*broker) way {
			return way{listener: byToken, sasl: bearer(token(user, time.Hour))}
		}),
	)

	It("admits a client whose certificate is not asked anew", func(ctx SpecContext) {
		pair, err := issue(b().authority, pki.Certificate{Name: user}).TLS()
		Expect(err).NotTo(HaveOccurred())
		config := b().by(way{listener: mutual, trusting: b().authority})
		config.TLS.GetClientCertificate, config.TLS.Certificates = nil, []tls.Certificate{pair}
		roundTrip(ctx, config)
	})
}
