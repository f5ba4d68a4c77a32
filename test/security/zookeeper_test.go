// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"net"
	"os"
	"sync"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/secure"
)

const (
	oldDigest = "samsa:old secret"
	newDigest = "samsa:new secret"
)

var _ = Describe("ZooKeeper", Label(last), Ordered, ContinueOnFailure, func() {
	var (
		server *ensemble
		by     *pki.Authority
	)

	BeforeAll(func(ctx SpecContext) {
		by = authority("keepers")
		server = startZooKeeper(ctx, by)
	})

	// follow keeps a session until the spec ends.
	follow := func(ctx context.Context, config registry.Config) *registry.Client {
		GinkgoHelper()
		client, err := registry.New(config)
		Expect(err).NotTo(HaveOccurred())
		ctx, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- client.Run(ctx) }()
		DeferCleanup(func() {
			end()
			Eventually(done).Should(Receive(BeNil()))
		})
		return client
	}
	inSession := func(client *registry.Client) *registry.Session {
		GinkgoHelper()
		Eventually(client.State).Should(HaveField("Connected", BeTrue()))
		return client.State().Session
	}
	guarded := func(path, digest string) *zk.Conn {
		GinkgoHelper()
		admin := server.as(digest)
		_, err := admin.Create(path, nil, 0, only(digest))
		Expect(err).NotTo(HaveOccurred())
		return admin
	}

	It("lets in who knows the digest, and tells others what is wrong", func(ctx SpecContext) {
		guarded("/digest", oldDigest)
		inSession(follow(ctx, registry.Config{Connect: server.plain + "/digest", Digest: oldDigest}))

		var count counter
		client := follow(ctx, registry.Config{Connect: server.plain + "/digest", Digest: newDigest, Dial: count.dial})
		Eventually(client.State).Should(HaveField("Err", MatchError(ContainSubstring(
			"the credentials (digest or TLS) do not suffice; correct them or the node's ACL"))))
		said := client.State().Err.Error()
		Consistently(client.State, watched).Should(HaveField("Err", MatchError(said)))
		Expect(count.dialed.Load()).To(BeNumerically("==", 1), "one connection is enough to ask again")
	})

	It("is told a new digest in the session that stands", func(ctx SpecContext) {
		const topics = "/rotated/brokers/topics"
		admin := guarded("/rotated", oldDigest)
		for _, path := range []string{"/rotated/brokers", topics} {
			_, err := admin.Create(path, nil, 0, only(oldDigest))
			Expect(err).NotTo(HaveOccurred())
		}
		file := server.file("digest")
		server.write("digest", []byte(oldDigest))
		client := follow(ctx, registry.Config{Connect: server.plain + "/rotated", DigestSource: func() (string, error) {
			text, err := os.ReadFile(file)
			return string(text), err
		}})
		session := inSession(client)
		read := func() error {
			_, err := session.Topics(ctx, nil)
			return err
		}
		Expect(read()).To(Succeed())

		_, err := admin.SetACL(topics, only(newDigest), -1)
		Expect(err).NotTo(HaveOccurred())
		Expect(registry.KindOf(read())).To(Equal(registry.Denied))
		server.write("digest", []byte(newDigest))
		Eventually(ctx, read).Should(Succeed())
		Expect(client.State().Session).To(BeIdenticalTo(session))
		Consistently(client.State).Should(HaveField("Connected", BeTrue()))
	})

	It("lets in who has a certificate, also a renewed one", func(ctx SpecContext) {
		pair := issue(by, pki.Certificate{Name: user})
		source := secure.Files(server.file("ca.pem"), server.file("own.pem"), server.file("own-key.pem"))
		hold := func(pair pki.Pair) {
			server.write("ca.pem", by.PEM())
			server.write("own.pem", pair.Certificate)
			server.write("own-key.pem", pair.Key)
		}
		hold(pair)
		config := secured(source)
		network := new(line)
		client := follow(ctx, registry.Config{Connect: server.secure, TLS: config, Dial: network.dial})
		session := inSession(client)

		hold(issue(by, pki.Certificate{Name: user, Expired: true}))
		network.cut()
		Eventually(client.State).Should(HaveField("Err", MatchError(ContainSubstring("certificate"))))
		hold(issue(by, pki.Certificate{Name: user}))
		Eventually(client.State).Should(HaveField("Connected", BeTrue()))
		Expect(client.State().Session).To(BeIdenticalTo(session), "the session was lost")
	})

	DescribeTable("keeps out, and is not stormed by,", func(ctx SpecContext, want string, trusting, own *pki.Authority,
		wanted pki.Certificate) {
		if trusting == nil {
			trusting = by
		}
		if own == nil {
			own = by
		}
		material := secure.Material{CA: trusting.PEM()}
		if wanted.Name != "" {
			pair := issue(own, wanted)
			material.Certificate, material.Key = pair.Certificate, pair.Key
		}
		var count counter
		config := secured(secure.Static(material))
		client := follow(ctx, registry.Config{Connect: server.secure, TLS: config, Dial: count.dial})
		Eventually(client.State).Should(HaveField("Err", MatchError(ContainSubstring(want))))
		before := count.dialed.Load()
		Consistently(client.State, watched).Should(HaveField("Session", BeNil()))
		attempts := count.dialed.Load() - before
		GinkgoWriter.Printf("%d connections in %s: %v\n", attempts, watched, client.State().Err)
		// Pauses of 1.25, 1.5, 2, 3, 4 s and on, half of what is above 1 s spread.
		Expect(attempts).To(BeNumerically("<=", 7))
		Expect(attempts).To(BeNumerically(">=", 2))
	},
		Entry("a client without a certificate", "certificate", nil, nil, pki.Certificate{}),
		Entry("a client whose certificate expired", "certificate", nil, nil, pki.Certificate{Name: user, Expired: true}),
		Entry("a client of another authority", "certificate", nil, authority("another"), pki.Certificate{Name: user}),
		Entry("a client that does not trust it", "nobody trusted has signed the server's certificate",
			authority("another"), nil, pki.Certificate{Name: user}),
	)
})

// line is a network that can be cut.
type line struct {
	mu    sync.Mutex // guards conns
	conns []net.Conn // all there ever were; some are for questions about the server
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.conns = append(l.conns, conn)
	}
	return conn, err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		_ = conn.Close() // some are closed already
	}
	l.conns = nil
}
