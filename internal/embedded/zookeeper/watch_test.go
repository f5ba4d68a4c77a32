// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = onBoth("watches", func(server func() target) {
	var (
		p    *peer // watches
		q    *peer // writes
		root string
	)
	BeforeEach(func() {
		p, q = openSession(server(), 4*time.Second), openSession(server(), 4*time.Second)
		root = ownPath()
		q.must(OpCreate, plainCreate(root))
	})

	// heard returns the events that came up to now: those that stand before the answer to a read.
	heard := func() []event {
		GinkgoHelper()
		f, events := p.call(OpExists, pathWatch(root+"/none", false))
		Expect(f.Code).To(Equal(codeNoNode))
		return events
	}

	It("tells a data watch of a write, once", func() {
		p.must(OpGetData, pathWatch(root, true))
		q.must(OpSetData, setDataBody(root, nil, -1))
		q.must(OpSetData, setDataBody(root, nil, -1))
		Expect(heard()).To(Equal([]event{{eventDataChanged, root}}))
	})

	It("tells of a create whom exists found nothing for", func() {
		f, _ := p.call(OpExists, pathWatch(root+"/a", true))
		Expect(f.Code).To(Equal(codeNoNode))
		q.must(OpCreate, plainCreate(root+"/a"))
		Expect(heard()).To(Equal([]event{{eventCreated, root + "/a"}}))
	})

	It("leaves no watch where getData or getChildren2 found nothing", func() {
		for _, kind := range []Op{OpGetData, OpGetChildren2} {
			f, _ := p.call(kind, pathWatch(root+"/a", true))
			Expect(f.Code).To(Equal(codeNoNode))
		}
		q.must(OpCreate, plainCreate(root+"/a"))
		q.must(OpCreate, plainCreate(root+"/a/b"))
		Expect(heard()).To(BeEmpty())
	})

	It("keeps data and children apart", func() {
		p.must(OpGetChildren2, pathWatch(root, true))
		q.must(OpSetData, setDataBody(root, nil, -1))
		Expect(heard()).To(BeEmpty())
		q.must(OpCreate, plainCreate(root+"/a"))
		q.must(OpCreate, plainCreate(root+"/b"))
		Expect(heard()).To(Equal([]event{{eventChildrenChanged, root}}))

		p.must(OpGetData, pathWatch(root, true))
		q.must(OpCreate, plainCreate(root+"/c"))
		Expect(heard()).To(BeEmpty())
		q.must(OpSetACL, setACLBody(root, openACL(), -1))
		Expect(heard()).To(BeEmpty())
	})

	It("tells of a deleted node once, whatever was watched, and then the parent", func() {
		q.must(OpCreate, plainCreate(root+"/a"))
		p.must(OpGetData, pathWatch(root+"/a", true))
		p.must(OpExists, pathWatch(root+"/a", true))
		p.must(OpGetChildren2, pathWatch(root+"/a", true))
		p.must(OpGetChildren2, pathWatch(root, true))
		q.must(OpDelete, pathVersion(root+"/a", -1))
		Expect(heard()).To(Equal([]event{{eventDeleted, root + "/a"}, {eventChildrenChanged, root}}))
	})

	It("sends an event before the answer to the one who made it happen", func() {
		p.must(OpGetData, pathWatch(root, true))
		p.must(OpGetChildren2, pathWatch(root, true))
		_, events := p.call(OpCreate, plainCreate(root+"/a"))
		Expect(events).To(Equal([]event{{eventChildrenChanged, root}}))
		_, events = p.call(OpSetData, setDataBody(root, nil, -1))
		Expect(events).To(Equal([]event{{eventDataChanged, root}}))
	})

	It("sends events in the order of the changes, before any answer that shows them", func() {
		var want []event
		for _, name := range []string{"/a", "/b", "/c"} {
			p.call(OpExists, pathWatch(root+name, true))
			want = append(want, event{eventCreated, root + name})
		}
		for _, name := range []string{"/a", "/b", "/c"} {
			q.must(OpCreate, plainCreate(root+name))
		}
		f, events := p.call(OpGetData, pathWatch(root+"/c", false))
		Expect(f.Code).To(Equal(codeOK))
		Expect(events).To(Equal(want))
	})

	It("carries no transaction number in an event", func() {
		p.must(OpGetData, pathWatch(root, true))
		q.must(OpSetData, setDataBody(root, nil, -1))
		f := p.next()
		Expect(f.Zxid).To(BeEquivalentTo(-1))
		Expect(f.Code).To(Equal(codeOK))
	})

	It("tells of the nodes that a closed session leaves behind", func() {
		q.must(OpCreate, createBody(root+"/e", nil, openACL(), flagEphemeral))
		p.must(OpGetData, pathWatch(root+"/e", true))
		p.must(OpGetChildren2, pathWatch(root, true))
		q.must(OpCloseSession, nil)
		Expect(heard()).To(Equal([]event{{eventDeleted, root + "/e"}, {eventChildrenChanged, root}}))
	})

	It("forgets the watches of a connection that ended", func() {
		p.must(OpGetData, pathWatch(root, true))
		Expect(p.nc.Close()).To(Succeed())
		again := rawDial(server())
		again.hello(0, 4*time.Second, p.session, p.password)
		q.must(OpSetData, setDataBody(root, nil, -1))
		_, events := again.call(OpExists, pathWatch(root, false))
		Expect(events).To(BeEmpty())
	})

	It("says nothing to one who may not read the node", func() {
		secret := ACL{permAll, "digest", digest("a:b")}
		p.call(OpExists, pathWatch(root+"/s", true))
		q.must(OpCreate, createBody(root+"/s", nil, []ACL{secret}, 0))
		Expect(heard()).To(BeEmpty())
		p.must(OpSetAuth, authBody("digest", "a:b"))
		q.must(OpSetAuth, authBody("digest", "a:b"))
		p.must(OpGetData, pathWatch(root+"/s", true))
		q.must(OpDelete, pathVersion(root+"/s", -1))
		Expect(heard()).To(Equal([]event{{eventDeleted, root + "/s"}}))
	})

	Describe("set again after a reconnect", func() {
		It("tells at once what was missed", func() {
			for _, name := range []string{"/changed", "/gone", "/parent", "/parentgone"} {
				q.must(OpCreate, plainCreate(root+name))
			}
			seen := q.must(OpExists, pathWatch(root, false)).Zxid
			q.must(OpSetData, setDataBody(root+"/changed", nil, -1))
			q.must(OpDelete, pathVersion(root+"/gone", -1))
			q.must(OpDelete, pathVersion(root+"/parentgone", -1))
			q.must(OpCreate, plainCreate(root+"/parent/child"))
			q.must(OpCreate, plainCreate(root+"/new"))
			f, events := p.call(OpSetWatches, setWatchesBody(seen,
				[]string{root + "/changed", root + "/gone"}, []string{root + "/new"},
				[]string{root + "/parent", root + "/parentgone"}))
			Expect(f.Code).To(Equal(codeOK))
			Expect(events).To(ConsistOf(
				event{eventDataChanged, root + "/changed"}, event{eventDeleted, root + "/gone"},
				event{eventCreated, root + "/new"},
				event{eventChildrenChanged, root + "/parent"}, event{eventDeleted, root + "/parentgone"},
			))
			q.must(OpSetData, setDataBody(root+"/changed", nil, -1))
			Expect(heard()).To(BeEmpty())
		})

		It("waits for what comes", func() {
			q.must(OpCreate, plainCreate(root+"/data"))
			q.must(OpCreate, plainCreate(root+"/parent"))
			seen := q.must(OpExists, pathWatch(root, false)).Zxid
			_, events := p.call(OpSetWatches, setWatchesBody(seen,
				[]string{root + "/data"}, []string{root + "/new"}, []string{root + "/parent"}))
			Expect(events).To(BeEmpty())
			q.must(OpSetData, setDataBody(root+"/data", nil, -1))
			q.must(OpCreate, plainCreate(root+"/new"))
			q.must(OpCreate, plainCreate(root+"/parent/child"))
			Expect(heard()).To(Equal([]event{
				{eventDataChanged, root + "/data"}, {eventCreated, root + "/new"}, {eventChildrenChanged, root + "/parent"},
			}))
		})
	})
})
