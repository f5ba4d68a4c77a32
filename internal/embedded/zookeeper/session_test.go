// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = onBoth("sessions", func(server func() target) {
	var root string
	BeforeEach(func() {
		root = ownPath()
		openSession(server(), time.Second).must(OpCreate, plainCreate(root))
	})

	// gone waits until a node is no more and returns how long that took.
	gone := func(path string) time.Duration {
		GinkgoHelper()
		began := time.Now()
		conn := dial(server(), 4*time.Second)
		for {
			exists, _, events, err := conn.ExistsW(path)
			Expect(err).NotTo(HaveOccurred())
			if !exists {
				return time.Since(began)
			}
			Eventually(events).Should(Receive())
		}
	}

	DescribeTable("last from 2 to 20 ticks",
		func(asked, want time.Duration) { Expect(openSession(server(), asked).timeout).To(Equal(want)) },
		Entry("too short", time.Duration(0), 2*tick),
		Entry("negative", -time.Second, 2*tick),
		Entry("in between", 7*tick+time.Millisecond, 7*tick+time.Millisecond),
		Entry("too long", time.Hour, 20*tick),
	)

	It("go on over a new connection, by number and password", func() {
		p := openSession(server(), 4*time.Second)
		p.must(OpCreate, createBody(root+"/e", nil, openACL(), flagEphemeral))
		Expect(p.nc.Close()).To(Succeed())
		again := rawDial(server())
		again.hello(0, time.Second, p.session, p.password)
		Expect(again.session).To(Equal(p.session))
		Expect(again.password).To(Equal(p.password))
		Expect(again.timeout).To(Equal(time.Second))
		again.must(OpExists, pathWatch(root+"/e", false))
	})

	It("move to the new connection, and the old one ends", func() {
		p := openSession(server(), 4*time.Second)
		again := rawDial(server())
		again.hello(0, 4*time.Second, p.session, p.password)
		p.closed()
		again.must(OpExists, pathWatch(root, false))
	})

	It("are refused with a wrong password, at the cost of the old connection", func() {
		p := openSession(server(), 4*time.Second)
		p.must(OpCreate, createBody(root+"/e", nil, openACL(), flagEphemeral))
		thief := rawDial(server())
		thief.hello(0, 4*time.Second, p.session, bytes.Repeat([]byte{7}, passwordSize))
		Expect(thief.session).To(BeZero())
		Expect(thief.timeout).To(BeZero())
		Expect(thief.password).To(Equal(make([]byte, passwordSize)))
		thief.closed()
		p.closed()
		again := rawDial(server())
		again.hello(0, 4*time.Second, p.session, p.password)
		again.must(OpExists, pathWatch(root+"/e", false))
	})

	It("are refused where nobody knows them", func() {
		p := rawDial(server())
		p.hello(0, time.Second, 0x1234, make([]byte, passwordSize))
		Expect(p.session).To(BeZero())
		p.closed()
	})

	It("are not opened for one who has seen what is still to come", func() {
		p := rawDial(server())
		b := appendInt32(appendInt64(appendInt32(nil, 0), 1<<40), 1000)
		p.write(appendBuffer(appendInt64(b, 0), make([]byte, passwordSize)))
		rest, _ := io.ReadAll(p.nc)
		Expect(rest).To(BeEmpty())
	})

	It("tell clients since 3.4 that the server is not read-only", func() {
		p := rawDial(server())
		b := appendInt32(appendInt64(appendInt32(nil, 0), 0), 1000)
		b = appendBuffer(appendInt64(b, 0), make([]byte, passwordSize))
		p.write(appendBool(b, true))
		body := p.read()
		Expect(body).To(HaveLen(4 + 4 + 8 + 4 + passwordSize + 1))
		Expect(body[len(body)-1]).To(BeZero())
	})

	It("end with the timeout once nothing is heard, and the nodes with them", func() {
		p := openSession(server(), 3*tick)
		p.must(OpCreate, createBody(root+"/e", nil, openACL(), flagEphemeral))
		Expect(gone(root + "/e")).To(And(BeNumerically(">", 2*tick), BeNumerically("<", 5*time.Second)))
		p.closed()
		again := rawDial(server())
		again.hello(0, time.Second, p.session, p.password)
		Expect(again.session).To(BeZero())
	})

	It("live on by pings alone", func() {
		conn := dial(server(), 5*tick)
		id := conn.SessionID()
		Consistently(conn.State, 10*tick).Should(Equal(zk.StateHasSession))
		Expect(conn.SessionID()).To(Equal(id))
	})

	It("answer a ping with the last transaction and the number of pings", func() {
		p := openSession(server(), time.Second)
		last := p.must(OpSetData, setDataBody(root, nil, -1)).Zxid
		p.write(appendInt32(appendInt32(nil, xidPing), int32(OpPing)))
		f := p.next()
		Expect(f.Zxid).To(BeNumerically(">=", last))
		Expect(f).To(Equal(frame{Xid: xidPing, Zxid: f.Zxid, Body: []byte{}}))
	})

	It("end at once when closed, in a transaction", func() {
		p := openSession(server(), 4*time.Second)
		zxid := p.must(OpCreate, createBody(root+"/e", nil, openACL(), flagEphemeral)).Zxid
		f := p.must(OpCloseSession, nil)
		Expect(f.Zxid).To(BeNumerically(">", zxid))
		p.closed()
		q := openSession(server(), time.Second)
		f, _ = q.call(OpExists, pathWatch(root+"/e", false))
		Expect(f.Code).To(Equal(codeNoNode))
	})

	// Without go-zookeeper: it reads and writes its last transaction at once when it sets watches again, and
	// waits for ten of its timeouts on a connection that the real server forgot because it was still starting.
	It("survive a restart with nodes and watches", func(ctx SpecContext) {
		p := openSession(server(), 4*time.Second)
		p.must(OpCreate, createBody(root+"/e", nil, openACL(), flagEphemeral))
		seen := p.must(OpGetData, pathWatch(root, true)).Zxid
		Expect(server().Restart(ctx)).To(Succeed())
		p.closed()
		again := rawDial(server())
		again.hello(seen, 4*time.Second, p.session, p.password)
		Expect(again.session).To(Equal(p.session))
		again.must(OpExists, pathWatch(root+"/e", false))
		_, events := again.call(OpSetWatches, setWatchesBody(seen, []string{root}, nil, nil))
		Expect(events).To(BeEmpty())
		_, events = again.call(OpSetData, setDataBody(root, nil, -1))
		Expect(events).To(Equal([]event{{eventDataChanged, root}}))
	})

	freeze := func() {
		DeferCleanup(server().Thaw) // the specs that follow share the server
		server().Freeze()
	}

	// silent expects that nothing comes for d.
	silent := func(p *peer, d time.Duration) {
		GinkgoHelper()
		Expect(p.nc.SetReadDeadline(time.Now().Add(d))).To(Succeed())
		_, err := p.nc.Read(make([]byte, 1))
		Expect(err).To(MatchError(ContainSubstring("timeout")))
		Expect(p.nc.SetReadDeadline(time.Now().Add(10 * time.Second))).To(Succeed())
	}

	It("hear nothing from a frozen server, and go on when it wakes in time", func() {
		p := openSession(server(), 4*time.Second)
		freeze()
		p.send(OpSetData, setDataBody(root, []byte("late"), -1))
		silent(p, tick)
		server().Thaw()
		Expect(p.next().Code).To(Equal(codeOK))
	})

	It("end when the server was frozen for longer than they last", func() {
		p := openSession(server(), 5*tick)
		p.must(OpCreate, createBody(root+"/e", nil, openACL(), flagEphemeral))
		freeze()
		silent(p, 8*tick)
		server().Thaw()
		gone(root + "/e")
		p.closed()
	})
})

var _ = onBoth("frames", func(server func() target) {
	It("may be one byte short of a mebibyte, and no longer", func() {
		p := openSession(server(), 4*time.Second)
		path := ownPath()
		p.must(OpCreate, plainCreate(path))
		overhead := 8 + len(setDataBody(path, nil, -1))
		data := make([]byte, 0xfffff-overhead)
		p.must(OpSetData, setDataBody(path, data, -1))
		f := p.must(OpGetData, pathWatch(path, false))
		Expect(f.Body).To(HaveLen(4 + len(data) + len(appendStat(nil, Stat{}))))
		p.must(OpSetData, setDataBody(path, nil, -1))

		_, err := p.nc.Write(appendInt32(nil, 0xfffff+1))
		Expect(err).NotTo(HaveOccurred())
		p.closed()
	})

	It("may not be of negative length", func() {
		p := openSession(server(), time.Second)
		_, err := p.nc.Write(appendInt32(nil, -5))
		Expect(err).NotTo(HaveOccurred())
		p.closed()
	})

	It("need a whole header", func() {
		p := openSession(server(), time.Second)
		p.write([]byte{0, 0})
		p.closed()
	})

	It("need a handshake that makes sense", func() {
		p := rawDial(server())
		p.write([]byte{0, 0, 0, 0, 1})
		p.closed()
	})

	It("end the connection with an operation nobody knows", func() {
		p := openSession(server(), time.Second)
		f, _ := p.call(Op(77), nil)
		Expect(f.Code).To(Equal(codeUnimplemented))
		p.closed()
	})

	It("may be a reconfiguration, which is switched off", func() {
		p := openSession(server(), time.Second)
		body := appendInt64(appendString(appendString(appendString(nil, ""), ""), ""), -1)
		f, _ := p.call(OpReconfig, body)
		Expect(f.Code).To(Equal(codeReconfigDisabled))
		p.must(OpExists, pathWatch("/", false))
	})
})

var _ = onBoth("the words of four letters", func(server func() target) {
	It("tell health and mode", func() {
		for word, want := range map[string]string{"ruok": "imok", "srvr": "\nMode: standalone\n"} {
			p := rawDial(server())
			_, err := io.WriteString(p.nc, word)
			Expect(err).NotTo(HaveOccurred())
			text, err := io.ReadAll(p.nc)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(text)).To(ContainSubstring(want))
			Expect(strings.HasPrefix(string(text), "\n")).To(BeFalse())
		}
	})
})
