// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"slices"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = onBoth("the tree", func(server func() target) {
	var (
		conn *zk.Conn
		root string
	)
	BeforeEach(func() {
		conn = dial(server(), 4*time.Second)
		root = mustCreate(conn, ownPath(), 0)
	})

	It("gives a new node its stat", func() {
		before := time.Now().UnixMilli()
		path := mustCreate(conn, root+"/n", 0)
		data, stat, err := conn.Get(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(data).To(Equal([]byte("x")))
		Expect(stat.Czxid).To(BeNumerically(">", 0))
		Expect(stat.Mzxid).To(Equal(stat.Czxid))
		Expect(stat.Pzxid).To(Equal(stat.Czxid))
		Expect(stat.Ctime).To(And(BeNumerically(">=", before), BeNumerically("<=", time.Now().UnixMilli())))
		Expect(stat.Mtime).To(Equal(stat.Ctime))
		Expect([]int32{stat.Version, stat.Cversion, stat.Aversion, stat.NumChildren}).To(HaveEach(BeZero()))
		Expect(stat.EphemeralOwner).To(BeZero())
		Expect(stat.DataLength).To(BeEquivalentTo(1))
	})

	It("counts writes of data and of the ACL apart", func() {
		stat, err := conn.Set(root, []byte("four"), 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(stat.Version).To(BeEquivalentTo(1))
		Expect(stat.Mzxid).To(BeNumerically(">", stat.Czxid))
		Expect(stat.Pzxid).To(Equal(stat.Czxid))
		Expect(stat.DataLength).To(BeEquivalentTo(4))
		after, err := conn.SetACL(root, zk.WorldACL(zk.PermAll), 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(after.Aversion).To(BeEquivalentTo(1))
		Expect(after.Version).To(BeEquivalentTo(1))
		Expect(after.Mzxid).To(Equal(stat.Mzxid))
	})

	It("counts children that come and go in the parent", func() {
		mustCreate(conn, root+"/a", 0)
		b := mustCreate(conn, root+"/b", 0)
		_, bStat, err := conn.Exists(b)
		Expect(err).NotTo(HaveOccurred())
		_, stat, err := conn.Exists(root)
		Expect(err).NotTo(HaveOccurred())
		Expect(stat.Cversion).To(BeEquivalentTo(2))
		Expect(stat.NumChildren).To(BeEquivalentTo(2))
		Expect(stat.Pzxid).To(Equal(bStat.Czxid))

		Expect(conn.Delete(b, -1)).To(Succeed())
		_, stat, err = conn.Exists(root)
		Expect(err).NotTo(HaveOccurred())
		Expect(stat.Cversion).To(BeEquivalentTo(3))
		Expect(stat.NumChildren).To(BeEquivalentTo(1))
		Expect(stat.Pzxid).To(BeNumerically(">", bStat.Czxid))
		Expect(stat.Version).To(BeZero())
	})

	It("has the server's own nodes from the beginning", func() {
		names, stat, err := conn.Children("/zookeeper")
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(ConsistOf("quota", "config"))
		Expect(stat.Cversion).To(BeEquivalentTo(-2))
		Expect(stat.Czxid).To(BeZero())
		for _, path := range []string{"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"} {
			data, stat, err := conn.Get(path)
			Expect(err).NotTo(HaveOccurred())
			Expect(data).To(BeEmpty())
			Expect(stat.Mzxid).To(BeZero(), path)
		}
		acl, _, err := conn.GetACL("/zookeeper/config")
		Expect(err).NotTo(HaveOccurred())
		Expect(acl).To(Equal(zk.WorldACL(zk.PermRead)))
	})

	It("keeps null data apart from empty data", func() {
		for name, data := range map[string][]byte{"null": nil, "empty": {}} {
			_, err := conn.Create(root+"/"+name, data, 0, open())
			Expect(err).NotTo(HaveOccurred())
			got, stat, err := conn.Get(root + "/" + name)
			Expect(err).NotTo(HaveOccurred())
			Expect(got == nil).To(Equal(data == nil), name)
			Expect(stat.DataLength).To(BeZero())
		}
	})

	It("numbers sequential children by the children ever created", func() {
		Expect(mustCreate(conn, root+"/s-", zk.FlagSequence)).To(Equal(root + "/s-0000000000"))
		mustCreate(conn, root+"/plain", 0)
		Expect(mustCreate(conn, root+"/t", zk.FlagEphemeralSequential)).To(Equal(root + "/t0000000002"))
		Expect(conn.Delete(root+"/plain", -1)).To(Succeed())
		_, err := conn.Create(root+"/t0000000002", nil, 0, open())
		Expect(err).To(MatchError(zk.ErrNodeExists))
		Expect(mustCreate(conn, root+"/", zk.FlagSequence)).To(Equal(root + "/0000000003"))
	})

	It("lists all children", func() {
		var want []string
		for _, name := range []string{"c", "a", "b"} {
			mustCreate(conn, root+"/"+name, 0)
			want = append(want, name)
		}
		names, stat, err := conn.Children(root)
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(ConsistOf(want))
		Expect(stat.NumChildren).To(BeEquivalentTo(3))
		names, _, err = conn.Children(root + "/a")
		Expect(err).NotTo(HaveOccurred())
		Expect(names).To(BeEmpty())
	})

	It("marks ephemeral nodes with their session and deletes them with it", func() {
		other := dial(server(), 4*time.Second)
		path := mustCreate(other, root+"/e", zk.FlagEphemeral)
		_, stat, events, err := conn.ExistsW(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(stat.EphemeralOwner).To(Equal(other.SessionID()))
		_, err = other.Create(path+"/child", nil, 0, open())
		Expect(err).To(MatchError(zk.ErrNoChildrenForEphemerals))
		other.Close()
		Eventually(events).Should(Receive(HaveField("Type", zk.EventNodeDeleted)))
		_, stat, err = conn.Exists(root)
		Expect(err).NotTo(HaveOccurred())
		Expect(stat.Cversion).To(BeEquivalentTo(2))
	})

	It("answers sync with the path", func() {
		path, err := conn.Sync(root)
		Expect(err).NotTo(HaveOccurred())
		Expect(path).To(Equal(root))
		path, err = conn.Sync(root + "/none")
		Expect(err).NotTo(HaveOccurred())
		Expect(path).To(Equal(root + "/none"))
	})

	It("hands out transaction numbers in order, also to those that fail", func() {
		// Sessions that earlier specs left behind may end in between, in transactions of their own.
		Eventually(func(g Gomega) {
			p := openSession(server(), time.Second)
			first := p.must(OpCreate, createBody(root+"/z", nil, openACL(), flagSequence)).Zxid
			g.Expect(p.must(OpExists, pathWatch(root, false)).Zxid).To(Equal(first))
			fails, _ := p.call(OpCreate, plainCreate(root))
			g.Expect(fails.Code).To(Equal(codeNodeExists))
			g.Expect(fails.Zxid).To(Equal(first + 1))
			g.Expect(p.must(OpExists, pathWatch(root, false)).Zxid).To(Equal(first + 1))
			g.Expect(p.must(OpSetData, setDataBody(root, nil, -1)).Zxid).To(Equal(first + 2))
			g.Expect(p.must(OpSetAuth, authBody("digest", "a:b")).Zxid).To(BeZero())
			many := p.must(OpMulti, multiBody(op(OpCheck, pathVersion(root, 77)), op(OpDelete, pathVersion(root, -1))))
			g.Expect(many.Zxid).To(Equal(first + 3))
			other := openSession(server(), time.Second)
			g.Expect(other.must(OpExists, pathWatch(root, false)).Zxid).To(Equal(first + 4))
			g.Expect(other.must(OpCloseSession, nil).Zxid).To(Equal(first + 5))
			g.Expect(p.must(OpExists, pathWatch(root, false)).Zxid).To(Equal(first + 5))
		}).Should(Succeed())
	})

	DescribeTable("says what is wrong",
		func(kind Op, body func(root string) []byte, want code) {
			mustCreate(conn, root+"/full", 0)
			mustCreate(conn, root+"/full/child", 0)
			mustCreate(conn, root+"/ephemeral", zk.FlagEphemeral)
			p := openSession(server(), time.Second)
			f, _ := p.call(kind, body(root))
			Expect(f.Code).To(Equal(want))
			Expect(f.Body).To(BeEmpty())
			p.must(OpExists, pathWatch(root, false)) // the connection lives
		},
		Entry("create without a parent", OpCreate, at("/no/child", plainCreate), codeNoNode),
		Entry("create of what exists", OpCreate, at("/full", plainCreate), codeNodeExists),
		Entry("create of the root", OpCreate, func(string) []byte { return plainCreate("/") }, codeNodeExists),
		Entry("create below an ephemeral", OpCreate, at("/ephemeral/c", plainCreate), codeNoChildrenForEphemerals),
		Entry("create with a slash at the end", OpCreate, at("/a/", plainCreate), codeNoNode),
		Entry("create below a node, slash at the end", OpCreate, at("/full/", plainCreate), codeBadArguments),
		Entry("create of a relative path", OpCreate, func(string) []byte { return plainCreate("a") }, codeBadArguments),
		Entry("create of an empty path", OpCreate, func(string) []byte { return plainCreate("") }, codeBadArguments),
		Entry("create of ..", OpCreate, at("/..", plainCreate), codeBadArguments),
		Entry("create of .", OpCreate, at("/.", plainCreate), codeBadArguments),
		Entry("create of ...", OpDelete, at("/...", func(p string) []byte { return pathVersion(p, -1) }), codeNoNode),
		Entry("create with a control character", OpCreate, at("/a\x1f", plainCreate), codeBadArguments),
		Entry("create with NUL", OpCreate, at("/a\x00", plainCreate), codeBadArguments),
		Entry("create with a private character", OpCreate, at("/\ue000", plainCreate), codeBadArguments),
		Entry("create beyond the basic plane", OpCreate, at("/\U0001F600", plainCreate), codeBadArguments),
		Entry("create with broken UTF-8", OpCreate, at("/\xff\xfe", plainCreate), codeBadArguments),
		Entry("create without an ACL", OpCreate, at("/a", func(p string) []byte {
			return createBody(p, nil, nil, 0)
		}), codeInvalidACL),
		Entry("create with an ACL of an unknown scheme", OpCreate, at("/a", func(p string) []byte {
			return createBody(p, nil, []ACL{{1, "nobody", "x"}}, 0)
		}), codeInvalidACL),
		Entry("create with a digest that is none", OpCreate, at("/a", func(p string) []byte {
			return createBody(p, nil, []ACL{{1, "digest", "user"}}, 0)
		}), codeInvalidACL),
		Entry("create for auth without having any", OpCreate, at("/a", func(p string) []byte {
			return createBody(p, nil, []ACL{{1, "auth", ""}}, 0)
		}), codeInvalidACL),
		Entry("create with unknown flags", OpCreate, at("/a", func(p string) []byte {
			return createBody(p, nil, openACL(), 77)
		}), codeBadArguments),
		Entry("create with a time to live", OpCreate, at("/a", func(p string) []byte {
			return createBody(p, nil, openACL(), flagTTL)
		}), codeUnimplemented),
		Entry("createTTL", OpCreateTTL, at("/a", func(p string) []byte {
			return appendInt64(createBody(p, nil, openACL(), flagTTL), 1000)
		}), codeUnimplemented),
		Entry("delete of nothing", OpDelete, at("/no", func(p string) []byte { return pathVersion(p, -1) }), codeNoNode),
		Entry("delete of a parent", OpDelete, at("/full", func(p string) []byte { return pathVersion(p, 0) }), codeNotEmpty),
		Entry("delete of a version", OpDelete, at("/full", func(p string) []byte { return pathVersion(p, 3) }), codeBadVersion),
		Entry("delete of the root", OpDelete, func(string) []byte { return pathVersion("/", -1) }, codeBadArguments),
		Entry("delete of the config", OpDelete,
			func(string) []byte { return pathVersion("/zookeeper/config", -1) }, codeBadArguments),
		Entry("delete of a relative path", OpDelete, func(string) []byte { return pathVersion("a", -1) }, codeBadArguments),
		Entry("setData of nothing", OpSetData, at("/no", func(p string) []byte {
			return setDataBody(p, nil, -1)
		}), codeNoNode),
		Entry("setData of a version", OpSetData, at("/full", func(p string) []byte {
			return setDataBody(p, nil, 1)
		}), codeBadVersion),
		Entry("setData of a bad path", OpSetData, at("//a", func(p string) []byte {
			return setDataBody(p, nil, -1)
		}), codeBadArguments),
		Entry("setData without permission", OpSetData,
			func(string) []byte { return setDataBody("/zookeeper/config", nil, -1) }, codeNoAuth),
		Entry("setACL of nothing", OpSetACL, at("/no", func(p string) []byte {
			return setACLBody(p, openACL(), -1)
		}), codeNoNode),
		Entry("setACL to nothing", OpSetACL, at("/full", func(p string) []byte {
			return setACLBody(p, nil, -1)
		}), codeInvalidACL),
		Entry("setACL of a version", OpSetACL, at("/full", func(p string) []byte {
			return setACLBody(p, openACL(), 5)
		}), codeBadVersion),
		Entry("getData of nothing", OpGetData, at("/no", func(p string) []byte { return pathWatch(p, true) }), codeNoNode),
		Entry("getData of no path", OpGetData, func(string) []byte { return pathWatch("no", false) }, codeNoNode),
		Entry("getChildren2 of nothing", OpGetChildren2,
			at("/no", func(p string) []byte { return pathWatch(p, true) }), codeNoNode),
		Entry("exists of nothing", OpExists, at("/no", func(p string) []byte { return pathWatch(p, false) }), codeNoNode),
		Entry("getACL of nothing", OpGetACL, at("/no", func(p string) []byte { return appendString(nil, p) }), codeNoNode),
		Entry("a create cut short", OpCreate, at("/a", func(p string) []byte {
			return appendString(nil, p)
		}), codeMarshalling),
		Entry("a path longer than the frame", OpGetData, func(string) []byte { return appendInt32(nil, 1000) }, codeMarshalling),
		Entry("a negative length", OpGetData, func(string) []byte { return appendInt32(nil, -2) }, codeMarshalling),
		Entry("an ACL of two thousand million", OpCreate, func(string) []byte {
			return appendInt32(appendBuffer(appendString(nil, "/a"), nil), 0x7fffffff)
		}, codeMarshalling),
		Entry("a multi with an operation it cannot hold", OpMulti, func(string) []byte {
			return multiBody(op(OpSync, appendString(nil, "/")))
		}, codeMarshalling),
		Entry("a multi without an end", OpMulti, func(root string) []byte {
			return op(OpCheck, pathVersion(root, -1))
		}, codeMarshalling),
	)

	It("ignores bytes behind a request", func() {
		p := openSession(server(), time.Second)
		p.must(OpExists, append(pathWatch(root, false), 1, 2, 3))
	})

	It("answers every request in order", func() {
		p := openSession(server(), 4*time.Second)
		var want, got []int32
		for range 200 {
			want = append(want, p.send(OpSetData, setDataBody(root, []byte("y"), -1)))
		}
		for range want {
			got = append(got, p.next().Xid)
		}
		Expect(slices.Equal(want, got)).To(BeTrue())
	})
})

// at builds a body for a path below the root of the spec.
func at(suffix string, body func(path string) []byte) func(root string) []byte {
	return func(root string) []byte { return body(root + suffix) }
}
