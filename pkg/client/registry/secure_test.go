// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client/registry"
)

var _ = Describe("A connection by TLS", Label(onEmbedded), func() {
	var (
		w    *world
		pool *x509.CertPool
	)

	BeforeEach(func(ctx SpecContext) {
		certified := httptest.NewTLSServer(nil) // for 127.0.0.1
		certified.Close()
		pool = x509.NewCertPool()
		pool.AddCert(certified.Certificate())
		server, err := zookeeper.Start(ctx, zookeeper.Config{
			TickTime: tick,
			Listen: func(ctx context.Context, addr string) (net.Listener, error) {
				plain, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
				if err != nil {
					return nil, err
				}
				config := &tls.Config{Certificates: certified.TLS.Certificates} //nolint:gosec // a test's own server
				return tls.NewListener(plain, config), nil
			},
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Close)
		w = &world{target: embeddedTarget{server}}
	})

	It("stands, and again after it was lost", func(ctx SpecContext) {
		p := w.start(func(c *registry.Config) { c.TLS = &tls.Config{RootCAs: pool} }) //nolint:gosec // default versions
		s := p.session()
		p.network.drop()
		Eventually(func() error { return s.Register(ctx, group, "x", nil) }).Should(Succeed())
	})

	It("is refused to a server nobody vouches for, and says so", func() {
		pool = x509.NewCertPool()
		p := w.start(func(c *registry.Config) { c.TLS = &tls.Config{RootCAs: pool} }) //nolint:gosec // default versions
		Eventually(p.State).Should(HaveField("Err", SatisfyAll(
			ofKind(registry.Unavailable), MatchError(ContainSubstring("certificate")))))
	})

	It("fails with a word about it where the other side speaks none", func() {
		p := w.start()
		Eventually(p.State).Should(HaveField("Err", ofKind(registry.Unavailable)))
		Consistently(p.State).Should(HaveField("Session", BeNil()))
	})
})

// refuser shakes hands and refuses the credentials, as a server with another provider for a scheme does.
type refuser struct {
	net.Listener
	refused atomic.Int32
}

func (r *refuser) serve() {
	for {
		conn, err := r.Accept()
		if err != nil {
			return
		}
		r.refuse(conn)
		conn.Close()
	}
}

func (r *refuser) refuse(conn net.Conn) {
	if _, err := request(conn); err != nil {
		return
	}
	var shake []byte
	for _, n := range []uint32{36, 0, 1000, 0, 7, 16, 0, 0, 0, 0} {
		shake = binary.BigEndian.AppendUint32(shake, n)
	}
	if _, err := conn.Write(shake); err != nil {
		return
	}
	body, err := request(conn)
	if err != nil || binary.BigEndian.Uint32(body[4:]) != uint32(zookeeper.OpSetAuth) {
		return
	}
	failed := int32(-115)
	answer := slices.Concat(
		binary.BigEndian.AppendUint32(nil, 16), body[:4], make([]byte, 8), binary.BigEndian.AppendUint32(nil, uint32(failed)))
	if _, err := conn.Write(answer); err == nil {
		r.refused.Add(1)
	}
}

func request(conn net.Conn) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(conn, body)
	return body, err
}

var _ = underFaults("Credentials that the server refuses", func(w *world) {
	It("are named, tried again slowly, and heal", func(ctx SpecContext) {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		r := &refuser{Listener: listener}
		go r.serve()
		DeferCleanup(listener.Close)
		var mended atomic.Bool
		p := w.start(func(c *registry.Config) {
			c.Digest = "samsa:secret"
			c.Dial = func(ctx context.Context, kind, address string) (net.Conn, error) {
				if !mended.Load() {
					address = listener.Addr().String()
				}
				return new(net.Dialer).DialContext(ctx, kind, address)
			}
		})
		denied := HaveField("Err", SatisfyAll(
			ofKind(registry.Denied), MatchError(ContainSubstring("refuses the credentials"))))
		Eventually(p.State).Should(denied)
		Consistently(p.State, time.Second).Should(denied)
		Expect(r.refused.Load()).To(BeNumerically("<=", 5))
		mended.Store(true)
		began := time.Now()
		p.session()
		Expect(time.Since(began)).To(BeNumerically("<", healing))
	})
})

var _ = underFaults("A digest from a source", func(w *world) {
	It("is named while it cannot be had or is none, and used once it can be", func() {
		var digest atomic.Pointer[string]
		p := w.start(func(c *registry.Config) {
			c.DigestSource = func() (string, error) {
				if now := digest.Load(); now != nil {
					return *now, nil
				}
				return "", errors.New("the secret is not there")
			}
		})
		Eventually(p.State).Should(HaveField("Err", SatisfyAll(
			ofKind(registry.Denied), MatchError(ContainSubstring("digest: the secret is not there")))))
		digest.Store(new("hunter2"))
		Eventually(p.State).Should(HaveField("Err", SatisfyAll(
			ofKind(registry.Denied), MatchError(ContainSubstring("digest: want user:password")),
			Not(MatchError(ContainSubstring("hunter2"))))))
		digest.Store(new("samsa:hunter2"))
		began := time.Now()
		p.session()
		Expect(time.Since(began)).To(BeNumerically("<", healing))
	})
})
