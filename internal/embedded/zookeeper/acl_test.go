// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = onBoth("access control", func(server func() target) {
	var (
		owner    *zk.Conn
		stranger *zk.Conn
		root     string
	)
	BeforeEach(func() {
		owner, stranger = dial(server(), 4*time.Second), dial(server(), 4*time.Second)
		Expect(owner.AddAuth("digest", []byte("user:secret"))).To(Succeed())
		root = mustCreate(owner, ownPath(), 0)
	})

	digestACL := func(perms int32) []zk.ACL { return zk.DigestACL(perms, "user", "secret") }

	It("lets in by digest those who proved it", func() {
		_, err := owner.Create(root+"/d", []byte("x"), 0, digestACL(zk.PermAll))
		Expect(err).NotTo(HaveOccurred())
		_, _, err = stranger.Get(root + "/d")
		Expect(err).To(MatchError(zk.ErrNoAuth))
		_, _, err = stranger.Children(root + "/d")
		Expect(err).To(MatchError(zk.ErrNoAuth))
		_, err = stranger.Set(root+"/d", nil, -1)
		Expect(err).To(MatchError(zk.ErrNoAuth))
		_, err = stranger.Create(root+"/d/c", nil, 0, open())
		Expect(err).To(MatchError(zk.ErrNoAuth))
		_, err = stranger.SetACL(root+"/d", open(), -1)
		Expect(err).To(MatchError(zk.ErrNoAuth))
		_, _, err = stranger.GetACL(root + "/d")
		Expect(err).To(MatchError(zk.ErrNoAuth))
		exists, _, err := stranger.Exists(root + "/d")
		Expect(exists, err).To(BeTrue())

		Expect(stranger.AddAuth("digest", []byte("user:wrong"))).To(Succeed())
		_, _, err = stranger.Get(root + "/d")
		Expect(err).To(MatchError(zk.ErrNoAuth))
		Expect(stranger.AddAuth("digest", []byte("user:secret"))).To(Succeed())
		_, _, err = stranger.Get(root + "/d")
		Expect(err).NotTo(HaveOccurred())
	})

	It("deletes by the permission of the parent", func() {
		_, err := owner.Create(root+"/p", nil, 0, digestACL(zk.PermAll))
		Expect(err).NotTo(HaveOccurred())
		mustCreate(owner, root+"/p/open", 0)
		Expect(stranger.Delete(root+"/p/open", -1)).To(MatchError(zk.ErrNoAuth))
		Expect(stranger.Delete(root+"/p/none", -1)).To(MatchError(zk.ErrNoAuth))
		Expect(owner.Delete(root+"/p/open", -1)).To(Succeed())
		Expect(stranger.Delete(root+"/p", -1)).To(Succeed())
	})

	It("turns auth into the identities of the one who asks, without doubles", func() {
		_, err := owner.Create(root+"/a", nil, 0, append(zk.AuthACL(zk.PermRead), zk.AuthACL(zk.PermRead)...))
		Expect(err).NotTo(HaveOccurred())
		_, err = owner.SetACL(root+"/a", zk.AuthACL(zk.PermAll), 0)
		Expect(err).To(MatchError(zk.ErrNoAuth)) // read alone does not administer
		_, err = owner.Create(root+"/b", nil, 0, zk.AuthACL(zk.PermAll))
		Expect(err).NotTo(HaveOccurred())
		acl, _, err := owner.GetACL(root + "/b")
		Expect(err).NotTo(HaveOccurred())
		Expect(acl).To(Equal(digestACL(zk.PermAll)))
	})

	It("hides digests from those who may not administer", func() {
		acl := append(digestACL(zk.PermAll), zk.WorldACL(zk.PermRead)...)
		_, err := owner.Create(root+"/m", nil, 0, acl)
		Expect(err).NotTo(HaveOccurred())
		got, _, err := stranger.GetACL(root + "/m")
		Expect(err).NotTo(HaveOccurred())
		Expect(got[0].ID).To(Equal("user:x"))
		got, stat, err := owner.GetACL(root + "/m")
		Expect(err).NotTo(HaveOccurred())
		Expect(got).To(Equal(acl))
		Expect(stat.Aversion).To(BeZero())
	})

	It("lets in by address", func() {
		_, err := owner.Create(root+"/ip", nil, 0, []zk.ACL{{Perms: zk.PermRead, Scheme: "ip", ID: "127.0.0.0/8"}})
		Expect(err).NotTo(HaveOccurred())
		_, _, err = stranger.Get(root + "/ip")
		Expect(err).NotTo(HaveOccurred())
		_, err = stranger.Set(root+"/ip", nil, -1)
		Expect(err).To(MatchError(zk.ErrNoAuth))
		_, err = owner.Create(root+"/far", nil, 0, []zk.ACL{{Perms: zk.PermRead, Scheme: "ip", ID: "10.0.0.1"}})
		Expect(err).NotTo(HaveOccurred())
		_, _, err = stranger.Get(root + "/far")
		Expect(err).To(MatchError(zk.ErrNoAuth))
	})

	It("answers an unknown scheme with a failure and ends the connection", func() {
		p := openSession(server(), time.Second)
		f, _ := p.call(OpSetAuth, authBody("nobody", "x"))
		Expect(f.Code).To(Equal(codeAuthFailed))
		p.closed()
	})

	It("forgets who a connection was when it ends", func() {
		p := openSession(server(), 4*time.Second)
		p.must(OpSetAuth, authBody("digest", "user:secret"))
		p.must(OpCreate, createBody(root+"/s", nil, []ACL{{permAll, "auth", ""}}, 0))
		again := rawDial(server())
		again.hello(0, 4*time.Second, p.session, p.password)
		f, _ := again.call(OpGetData, pathWatch(root+"/s", false))
		Expect(f.Code).To(Equal(codeNoAuth))
	})
})
