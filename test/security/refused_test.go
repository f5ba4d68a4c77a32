// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// watched is how long a client that is refused is watched. It should try at once, after 2 s (2.4 with jitter), and 4 s
	// (4.8) after that, so that the next is not before 2 + 4 + 8 s.
	watched = 9 * time.Second
	// mostAttempts are those, and what two clients (one fetches, one produces) had under way before the first refusal:
	// two each, or three where the broker hangs up instead of an answer, which franz-go takes for another cause.
	mostAttempts = 2 + 2*3
)

// refused watches a client that reads and writes, and gives what it says is wrong.
func refused(ctx context.Context, config wire.Config) string {
	GinkgoHelper()
	var count counter
	config.Dial, config.Admission = count.dial, wire.NewAdmission()
	transport := connect(config)
	r := newReader(transport, 0)
	Eventually(ctx, func() error {
		r.poll(ctx)
		return config.Admission.Err()
	}).Should(HaveOccurred())
	said := config.Admission.Err().Error()
	var typed *wire.NotAdmitted
	Expect(errors.As(config.Admission.Err(), &typed)).To(BeTrue())

	end := time.Now().Add(watched)
	for time.Now().Before(end) {
		trying, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		_, err := transport.Append(trying, partition, []kafka.Message{{Value: []byte("x")}})
		cancel()
		Expect(err).To(HaveOccurred())
		r.poll(ctx)
		Expect(config.Admission.Err()).To(MatchError(said), "the text changes while the cause does not")
	}
	Expect(r.values).To(BeEmpty())
	Expect(r.errs).NotTo(BeEmpty(), "who consumes the partition is not told")
	Expect(r.errs[len(r.errs)-1]).To(MatchError(ContainSubstring(cause(said))))
	Expect(transport.Ping(ctx)).To(MatchError(ContainSubstring(cause(said))))
	GinkgoWriter.Printf("%d connections in %s: %s\n", count.dialed.Load(), watched, said)
	Expect(count.dialed.Load()).To(BeNumerically("<=", mostAttempts), "a storm of attempts")
	Expect(count.dialed.Load()).To(BeNumerically(">=", 2), "nobody tries again")
	return said
}

// cause is what is said without the address.
func cause(said string) string {
	_, rest, _ := strings.Cut(said, ": ")
	return rest
}

func describeRefused(b func() *broker) {
	watch := func(ctx SpecContext, want string, chosen func(b *broker) way) {
		Expect(refused(ctx, b().by(chosen(b())))).To(ContainSubstring(want))
	}
	DescribeTable("is refused, in so many words and seldom,", watch,
		Entry("for an unknown authority",
			"tls: nobody trusted has signed the server's certificate (its issuer is CN=samsa): give the certificate of its"+
				" authority as the CA",
			func(*broker) way { return way{listener: byTLS, trusting: authority("another")} }),
		Entry("for a certificate that expired", "tls: the server's certificate expired at ",
			func(b *broker) way { return way{listener: expired, trusting: b.authority} }),
		Entry("for another name", "tls: the server's certificate is not for 127.0.0.1, but for somebody.else: connect by a",
			func(b *broker) way { return way{listener: stranger, trusting: b.authority} }),
		Entry("where it speaks no TLS", "tls: the server ",
			func(b *broker) way { return way{listener: open, trusting: b.authority} }),
		Entry("by a client without a certificate", "certificate, or the lack of one",
			func(b *broker) way { return way{listener: mutual, trusting: b.authority} }),
		Entry("by a client whose certificate expired", "certificate",
			func(b *broker) way {
				return way{
					listener: mutual, trusting: b.authority,
					own: issue(b.authority, pki.Certificate{Name: user, Expired: true}),
				}
			}),
		Entry("by a client of an unknown authority", "certificate",
			func(b *broker) way {
				return way{
					listener: mutual, trusting: b.authority,
					own: issue(authority("another"), pki.Certificate{Name: user}),
				}
			}),
		Entry("for a wrong password (PLAIN)",
			"sasl: the broker refuses the credentials (it says: Authentication failed: Invalid username or password): correct",
			func(*broker) way { return way{listener: byPlain, sasl: password(wire.Plain, user, "wrong")} }),
		Entry("for a wrong password (SCRAM-SHA-256)", "sasl: the broker refuses the credentials (it says: ",
			func(b *broker) way {
				return way{listener: byScram, trusting: b.authority, sasl: password(wire.ScramSHA256, user, "wrong")}
			}),
		Entry("for an unknown user (SCRAM-SHA-512)", "sasl: the broker refuses the credentials (it says: ",
			func(b *broker) way {
				return way{listener: byScram, trusting: b.authority, sasl: password(wire.ScramSHA512, "nobody", secret)}
			}),
		Entry("for a token that expired", "sasl: the broker refuses the credentials (it says: ",
			func(*broker) way { return way{listener: byToken, sasl: bearer(token(user, -time.Minute))} }),
		Entry("for another mechanism", "sasl: the broker does not offer this mechanism there: use one that it does",
			func(*broker) way { return way{listener: byPlain, sasl: password(wire.ScramSHA256, user, secret)} }),
		Entry("for SASL where none is wanted", "sasl: the broker wants no SASL there: leave it out",
			func(*broker) way { return way{listener: open, sasl: password(wire.Plain, user, secret)} }),
		Entry("for credentials that are not there", "sasl: the credentials cannot be read: nobody knows them",
			func(*broker) way {
				return way{listener: byPlain, sasl: &wire.SASL{
					Mechanism: wire.Plain, Credentials: func(context.Context) (wire.Credentials, error) {
						return wire.Credentials{}, errors.New("nobody knows them")
					},
				}}
			}),
	)
}
