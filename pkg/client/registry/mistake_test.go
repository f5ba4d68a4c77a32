// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// healing is what everything has to heal in, once its cause has gone.
const healing = 10 * time.Second

var _ = onBoth("A user's mistake", func(w *world) {
	logged := func(into *gbytes.Buffer) option {
		return func(c *registry.Config) { c.Logger = slog.New(slog.NewTextHandler(into, nil)) }
	}
	times := func(log *gbytes.Buffer, text string) int { return strings.Count(string(log.Contents()), text) }

	It("a chroot that is missing, is named, logged once, and heals", func() {
		log := gbytes.NewBuffer()
		p := w.start(logged(log), func(c *registry.Config) { c.Connect += "/kafka" })
		Eventually(p.State).Should(HaveField("Err", SatisfyAll(
			ofKind(registry.NoChroot), MatchError(ContainSubstring(w.chroot+"/kafka does not exist")))))
		p.network.drop()
		Eventually(p.network.dialed).Should(HaveLen(2))
		w.create("/kafka", "")
		began := time.Now()
		p.session()
		Expect(time.Since(began)).To(BeNumerically("<", healing))
		Expect(times(log, "does not exist")).To(Equal(1))
	})

	It("credentials that do not suffice, are named, logged once, and heal", func() {
		log := gbytes.NewBuffer()
		_, err := w.admin.SetACL(w.chroot, zk.DigestACL(zk.PermAll, "samsa", "right"), -1)
		Expect(err).NotTo(HaveOccurred())
		right := w.start(func(c *registry.Config) { c.Digest = "samsa:right" })
		right.session()
		p := w.start(logged(log), func(c *registry.Config) { c.Digest = "samsa:wrong" })
		Eventually(p.State).Should(HaveField("Err", SatisfyAll(
			ofKind(registry.Denied), MatchError(ContainSubstring("credentials")))))
		Expect(p.State()).To(HaveField("Session", BeNil()))
		Expect(string(log.Contents())).NotTo(ContainSubstring("wrong"))

		mend := connect(w.Addr())
		DeferCleanup(mend.Close)
		Expect(mend.AddAuth("digest", []byte("samsa:right"))).To(Succeed())
		_, err = mend.SetACL(w.chroot, zk.WorldACL(zk.PermAll), -1)
		Expect(err).NotTo(HaveOccurred())
		began := time.Now()
		p.session()
		Expect(time.Since(began)).To(BeNumerically("<", healing))
		Expect(times(log, "not usable")).To(Equal(1))
	})

	It("credentials that hold are sent again on each connection", func(ctx SpecContext) {
		_, err := w.admin.SetACL(w.chroot, zk.DigestACL(zk.PermAll, "samsa", "right"), -1)
		Expect(err).NotTo(HaveOccurred())
		p := w.start(func(c *registry.Config) { c.Digest = "samsa:right" })
		s := p.session()
		for _, id := range []string{"a", "b", "c"} {
			p.network.drop()
			Expect(s.Register(ctx, group, id, nil)).To(Or(Succeed(), ofKind(registry.Unavailable)))
			Expect(s.Register(ctx, group, id, nil)).To(Succeed())
		}
		Expect(w.owner(layout.Member(group, "c"))).To(Equal(s.ID()), "the group's nodes are open to old members")
	})

	It("a node that may not be written, is named", func(ctx SpecContext) {
		m := w.join(ctx, "pod-0")
		_, err := m.claim(ctx, partition(0))
		Expect(err).NotTo(HaveOccurred())
		_, err = w.admin.SetACL(w.path(layout.Owners(group, topic)), zk.DigestACL(zk.PermAll, "somebody", "else"), -1)
		Expect(err).NotTo(HaveOccurred())
		_, err = m.claim(ctx, partition(1))
		Expect(err).To(SatisfyAll(
			ofKind(registry.Denied), MatchError(ContainSubstring(layout.Owner(group, partition(1))))))
	})

	It("a server that is not there, is named, logged once, and found when it comes", func() {
		log := gbytes.NewBuffer()
		p := w.start(logged(log))
		p.session()
		p.network.cut()
		Eventually(p.network.dialed).Should(HaveLen(4))
		Expect(p.State().Err).To(SatisfyAll(
			ofKind(registry.Unavailable), MatchError(ContainSubstring(w.Addr()+": the network is down"))))
		Expect(times(log, "the network is down")).To(Equal(1))
		p.network.heal()
		began := time.Now()
		p.session()
		Expect(time.Since(began)).To(BeNumerically("<", healing))
	})

	It("a port where something else listens, is named, and takes no memory", func(ctx SpecContext) {
		web, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(web.Close)
		go func() {
			for {
				conn, err := web.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			}
		}()
		p := w.start(func(c *registry.Config) { c.Connect = web.Addr().String() })
		Eventually(p.State).Should(HaveField("Err", MatchError(ContainSubstring("not ZooKeeper's"))))
	})

	It("names are resolved at each attempt, and each server of a list gets its turn", func(ctx SpecContext) {
		var net1 network
		dialer := func(ctx context.Context, kind, address string) (net.Conn, error) {
			if address != "zk-1:2181" {
				_, err := net1.Dial(ctx, kind, "127.0.0.1:1")
				return nil, err
			}
			return net1.Dial(ctx, kind, w.Addr()) // the dialer resolves, so it sees the name
		}
		p := w.start(func(c *registry.Config) {
			c.Dial, c.Connect = dialer, "zk-0,zk-1:2181,[::1]:2182"+w.chroot
		})
		s := p.session()
		net1.drop()
		Expect(s.Register(ctx, group, "x", nil)).To(Or(Succeed(), ofKind(registry.Unavailable)))
		p.session()
	})
})
