// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = onBoth("multi", func(server func() target) {
	var (
		conn *zk.Conn
		p    *peer
		root string
	)
	BeforeEach(func() {
		conn = dial(server(), 4*time.Second)
		p = openSession(server(), 4*time.Second)
		root = mustCreate(conn, ownPath(), 0)
	})

	It("does every kind of operation in one transaction", func() {
		mustCreate(conn, root+"/old", 0)
		results, err := conn.Multi(
			&zk.CheckVersionRequest{Path: root, Version: 0},
			&zk.CreateRequest{Path: root + "/new", Data: []byte("n"), Acl: open(), Flags: zk.FlagEphemeral},
			&zk.SetDataRequest{Path: root, Data: []byte("changed"), Version: 0},
			&zk.DeleteRequest{Path: root + "/old", Version: -1},
		)
		Expect(err).NotTo(HaveOccurred())
		Expect(results).To(HaveLen(4))
		Expect(results[1].String).To(Equal(root + "/new"))
		Expect(results[2].Stat.Version).To(BeEquivalentTo(1))
		_, stat, err := conn.Exists(root)
		Expect(err).NotTo(HaveOccurred())
		_, made, err := conn.Exists(root + "/new")
		Expect(err).NotTo(HaveOccurred())
		Expect(made.EphemeralOwner).To(Equal(conn.SessionID()))
		Expect([]int64{stat.Mzxid, stat.Pzxid, made.Czxid}).To(HaveEach(stat.Mzxid))
		Expect(stat.Cversion).To(BeEquivalentTo(3))
		Expect(stat.NumChildren).To(BeEquivalentTo(1))
	})

	It("does nothing where one fails, and says which", func() {
		watcher := openSession(server(), 4*time.Second)
		watcher.must(OpGetChildren2, pathWatch(root, true))
		watcher.must(OpGetData, pathWatch(root, true))
		_, before, err := conn.Exists(root)
		Expect(err).NotTo(HaveOccurred())
		results, err := conn.Multi(
			&zk.CreateRequest{Path: root + "/a", Acl: open()},
			&zk.SetDataRequest{Path: root, Data: []byte("changed"), Version: -1},
			&zk.CheckVersionRequest{Path: root, Version: 7},
			&zk.DeleteRequest{Path: root + "/a", Version: -1},
		)
		Expect(err).To(MatchError(zk.ErrBadVersion))
		Expect(results).To(HaveLen(4))
		Expect(results[0].Error).NotTo(HaveOccurred())
		Expect(results[1].Error).NotTo(HaveOccurred())
		Expect(results[2].Error).To(MatchError(zk.ErrBadVersion))
		Expect(results[3].Error).To(MatchError(ContainSubstring("-2")))
		_, after, err := conn.Exists(root)
		Expect(err).NotTo(HaveOccurred())
		Expect(after).To(Equal(before))
		exists, _, err := conn.Exists(root + "/a")
		Expect(exists, err).To(BeFalse())
		_, events := watcher.call(OpExists, pathWatch(root, false))
		Expect(events).To(BeEmpty())
	})

	It("lays out its results as the protocol has them", func() {
		f := p.must(OpMulti, multiBody(
			op(OpCreate, plainCreate(root+"/a")), op(OpCheck, pathVersion(root+"/a", 0)),
			op(OpDelete, pathVersion(root+"/a", -1))))
		want := appendResult(nil, OpCreate, codeOK)
		want = appendString(want, root+"/a")
		want = appendResult(want, OpCheck, codeOK)
		want = appendResult(want, OpDelete, codeOK)
		Expect(f.Body).To(Equal(appendEnd(want)))
	})

	It("answers a failure with OK in the header and the errors in the results", func() {
		f := p.must(OpMulti, multiBody(
			op(OpCheck, pathVersion(root, -1)), op(OpCheck, pathVersion(root+"/no", -1)),
			op(OpDelete, pathVersion(root, -1))))
		Expect(f.Body).To(Equal(encodeFailure(3, 1, codeNoNode)))
	})

	It("takes no operations at all", func() {
		Expect(p.must(OpMulti, multiBody()).Body).To(Equal(appendEnd(nil)))
	})

	It("sees in each operation what those before it did", func() {
		results, err := conn.Multi(
			&zk.CreateRequest{Path: root + "/a", Acl: open()},
			&zk.CreateRequest{Path: root + "/a/b", Acl: open()},
			&zk.SetDataRequest{Path: root + "/a/b", Version: 0},
			&zk.SetDataRequest{Path: root + "/a/b", Version: 1},
			&zk.CreateRequest{Path: root + "/s", Acl: open(), Flags: zk.FlagSequence},
			&zk.CreateRequest{Path: root + "/s", Acl: open(), Flags: zk.FlagSequence},
			&zk.DeleteRequest{Path: root + "/a/b", Version: 2},
			&zk.DeleteRequest{Path: root + "/a", Version: 0},
		)
		Expect(err).NotTo(HaveOccurred())
		Expect(results[4].String).To(Equal(root + "/s0000000001"))
		Expect(results[5].String).To(Equal(root + "/s0000000002"))
		_, stat, err := conn.Exists(root)
		Expect(err).NotTo(HaveOccurred())
		Expect(stat.Cversion).To(BeEquivalentTo(4))
	})

	It("numbers sequences after a failed multi as if it had not been", func() {
		_, err := conn.Multi(
			&zk.CreateRequest{Path: root + "/s", Acl: open(), Flags: zk.FlagSequence},
			&zk.CheckVersionRequest{Path: root + "/no", Version: -1},
		)
		Expect(err).To(MatchError(zk.ErrNoNode))
		Expect(mustCreate(conn, root+"/s", zk.FlagSequence)).To(Equal(root + "/s0000000000"))
	})

	It("gives back what a failed multi had deleted, to its owner too", func() {
		mustCreate(conn, root+"/e", zk.FlagEphemeral)
		_, err := conn.Multi(
			&zk.DeleteRequest{Path: root + "/e", Version: -1},
			&zk.CreateRequest{Path: root + "/e", Acl: open()},
			&zk.DeleteRequest{Path: root + "/no", Version: -1},
		)
		Expect(err).To(MatchError(zk.ErrNoNode))
		_, stat, err := conn.Exists(root + "/e")
		Expect(err).NotTo(HaveOccurred())
		Expect(stat.EphemeralOwner).To(Equal(conn.SessionID()))
		conn.Close()
		Eventually(func() code {
			f, _ := p.call(OpExists, pathWatch(root+"/e", false))
			return f.Code
		}).Should(Equal(codeNoNode))
	})

	It("tells the watches of each operation, in order, before its answer", func() {
		p.must(OpGetChildren2, pathWatch(root, true))
		p.must(OpGetData, pathWatch(root, true))
		_, events := p.call(OpMulti, multiBody(
			op(OpSetData, setDataBody(root, nil, -1)), op(OpCreate, plainCreate(root+"/a"))))
		Expect(events).To(Equal([]event{{eventDataChanged, root}, {eventChildrenChanged, root}}))
	})

	It("asks for permission in every operation", func() {
		_, err := conn.Multi(
			&zk.CreateRequest{Path: root + "/a", Acl: open()},
			&zk.SetDataRequest{Path: "/zookeeper/config", Version: -1},
		)
		Expect(err).To(MatchError(zk.ErrNoAuth))
	})
})
