// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"golang.org/x/crypto/bcrypt"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
)

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

func hashed(name, password string) string {
	GinkgoHelper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	Expect(err).NotTo(HaveOccurred())
	return name + ":" + string(hash) + "\n"
}

var _ = Describe("Basic", func() {
	var (
		time0    *clock
		file     string
		log      *gbytes.Buffer
		verifier caller.Verifier
	)
	write := func(text string) {
		GinkgoHelper()
		Expect(os.WriteFile(file, []byte(text), 0o600)).To(Succeed())
		time0.add(2 * time.Second)
	}
	BeforeEach(func() {
		time0, log = newClock(), gbytes.NewBuffer()
		file = filepath.Join(GinkgoT().TempDir(), "users")
		write("# those of the shop\n" + hashed("ann", "secret") + hashed("bob", "s:e:c"))
		users, err := caller.NewUsers(file, time0.now, slog.New(slog.NewTextHandler(log, nil)))
		Expect(err).NotTo(HaveOccurred())
		verifier = caller.Basic(users)
	})
	as := func(ctx SpecContext, name, password string) (caller.Caller, error) {
		return verifier.Verify(ctx, with("Authorization", basic(name, password)))
	}

	It("knows who has the password, twice", func(ctx SpecContext) {
		for range 2 {
			Expect(as(ctx, "ann", "secret")).To(Equal(caller.Caller{Name: "ann"}))
			Expect(as(ctx, "bob", "s:e:c")).To(Equal(caller.Caller{Name: "bob"}))
		}
	})

	DescribeTable("refuses", func(ctx SpecContext, name, password string) {
		_, err := as(ctx, name, password)
		Expect(err).To(MatchError(caller.ErrUnauthenticated))
		Expect(caller.Challenge(err)).To(HavePrefix("Basic "))
	},
		Entry("a wrong password", "ann", "s:e:c"),
		Entry("no password", "ann", ""),
		Entry("a stranger with somebody's password", "eve", "secret"),
		Entry("no name", "", "secret"),
		Entry("a password of which a part would not count", "ann", strings.Repeat("x", 73)),
	)

	It("refuses what is not in the header", func(ctx SpecContext) {
		for _, request := range []*http.Request{
			with(), with("Authorization", "Basic"), with("Authorization", "Basic %%%"),
			with("Authorization", "Bearer x"), with("Authorization", basic("ann", "secret"), "Authorization", "x"),
		} {
			_, err := verifier.Verify(ctx, request)
			Expect(err).To(MatchError(caller.ErrUnauthenticated))
		}
	})

	It("uses a change of the file, and keeps what it has where the change is no good", func(ctx SpecContext) {
		Expect(as(ctx, "ann", "secret")).To(HaveField("Name", "ann"))
		write(hashed("ann", "new"))
		_, err := as(ctx, "ann", "secret")
		Expect(err).To(MatchError(caller.ErrUnauthenticated), "the old password")
		Expect(as(ctx, "ann", "new")).To(HaveField("Name", "ann"))
		write("ann:plain\n")
		for range 3 {
			Expect(as(ctx, "ann", "new")).To(HaveField("Name", "ann"))
			time0.add(2 * time.Second)
		}
		Expect(strings.Count(string(log.Contents()), "level=ERROR")).To(Equal(1))
		Expect(string(log.Contents())).To(And(ContainSubstring("line 1"), Not(ContainSubstring("plain"))))
		write(hashed("bob", "again"))
		Expect(as(ctx, "bob", "again")).To(HaveField("Name", "bob"))
		Expect(string(log.Contents())).To(ContainSubstring("can be used again"))
	})

	DescribeTable("refuses a file", func(text, reason string) {
		write(text)
		_, err := caller.NewUsers(file, time0.now, slog.New(slog.DiscardHandler))
		Expect(err).To(MatchError(ContainSubstring(reason)))
	},
		Entry("without users", "\n# nobody\n", "no users"),
		Entry("with another hash", "ann:{SHA}abc\n", "line 1"),
		Entry("with a hash that takes a minute", "ann:$2y$20$"+strings.Repeat("a", 53)+"\n", "cost 20"),
		Entry("with the same user twice", "a:$2y$04$"+strings.Repeat("a", 53)+"\na:$2y$04$"+strings.Repeat("a", 53)+"\n",
			"line 2"),
		Entry("of megabytes", strings.Repeat("#", 2<<20), "more than"),
	)
})

var _ = Describe("MTLS", func() {
	var (
		time0       *clock
		certificate *x509.Certificate
	)
	BeforeEach(func() {
		time0 = newClock()
		certificate = &x509.Certificate{
			Subject: pkix.Name{CommonName: "billing"}, DNSNames: []string{"billing.shop"},
			URIs:     []*url.URL{{Scheme: "spiffe", Host: "cluster", Path: "/ns/shop/sa/billing"}},
			NotAfter: time0.now().Add(time.Hour),
		}
	})
	over := func(certificates ...*x509.Certificate) *http.Request {
		request := with()
		request.TLS = &tls.ConnectionState{PeerCertificates: certificates}
		if len(certificates) > 0 {
			request.TLS.VerifiedChains = [][]*x509.Certificate{certificates}
		}
		return request
	}

	DescribeTable("knows the names", func(ctx SpecContext, name string, allow ...string) {
		Expect(caller.MTLS(allow, time0.now).Verify(ctx, over(certificate))).To(Equal(caller.Caller{Name: name}))
	},
		Entry("any, the most telling first", "spiffe://cluster/ns/shop/sa/billing"),
		Entry("the common name", "billing", "other", "billing"),
		Entry("a DNS name", "billing.shop", "billing.shop"),
		Entry("a URI", "spiffe://cluster/ns/shop/sa/billing", "spiffe://cluster/ns/shop/sa/billing"),
	)

	It("refuses others", func(ctx SpecContext) {
		_, err := caller.MTLS([]string{"shipping"}, time0.now).Verify(ctx, over(certificate))
		Expect(err).To(MatchError(caller.ErrForbidden))
	})

	It("refuses connections without a certificate that was verified, and those that outlast it", func(ctx SpecContext) {
		late := newClock()
		late.add(2 * time.Hour)
		unverified := over(certificate)
		unverified.TLS.VerifiedChains = nil
		for _, request := range []*http.Request{with(), over(), unverified, over(&x509.Certificate{NotAfter: late.now()})} {
			_, err := caller.MTLS(nil, time0.now).Verify(ctx, request)
			Expect(err).To(MatchError(caller.ErrUnauthenticated))
		}
		_, err := caller.MTLS(nil, late.now).Verify(ctx, over(certificate))
		Expect(err).To(MatchError(ContainSubstring("expired")))
	})
})

var _ = DescribeTable("Allow", func(ctx SpecContext, name string, list []caller.Account, allowed bool) {
	review := new(reviewer)
	review.say(caller.Verdict{Caller: caller.Named(name)}, nil)
	_, err := caller.Allow(caller.Bearer(review), list).Verify(ctx, with("Authorization", "Bearer x"))
	if allowed {
		Expect(err).NotTo(HaveOccurred())
	} else {
		Expect(err).To(MatchError(caller.ErrForbidden))
	}
},
	Entry("the account", billing, []caller.Account{{"other", "x"}, {"shop", "billing"}}, true),
	Entry("its namespace", billing, []caller.Account{{Namespace: "shop"}}, true),
	Entry("another account", billing, []caller.Account{{"shop", "shipping"}}, false),
	Entry("another namespace", billing, []caller.Account{{"shops", "billing"}, {Namespace: "sho"}}, false),
	Entry("nobody's list", billing, nil, false),
	Entry("a user, against an empty entry", "admin", []caller.Account{{}}, false),
	Entry("a name that only begins like one", "system:serviceaccount:shop", []caller.Account{{Namespace: "shop"}}, false),
)

var _ = Describe("Anonymous", func() {
	It("asks nobody", func(ctx SpecContext) {
		Expect(caller.Anonymous().Verify(ctx, with())).To(Equal(caller.Caller{}))
	})
})
