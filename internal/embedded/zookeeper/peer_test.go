// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// peer speaks the protocol without a client library: it sees the order of frames, and says what no library
// would.
type peer struct {
	nc       net.Conn
	xid      int32
	session  int64
	password []byte
	timeout  time.Duration
}

// frame is one reply or event as it came.
type frame struct {
	Xid  int32
	Zxid int64
	Code code
	Body []byte
}

type event struct {
	Kind eventType
	Path string
}

func rawDial(t target) *peer {
	GinkgoHelper()
	nc, err := net.Dial("tcp", t.Addr())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = nc.Close() })
	Expect(nc.SetDeadline(time.Now().Add(20 * time.Second))).To(Succeed())
	return &peer{nc: nc}
}

// openSession opens a session of its own.
func openSession(t target, timeout time.Duration) *peer {
	GinkgoHelper()
	p := rawDial(t)
	p.hello(0, timeout, 0, make([]byte, passwordSize))
	Expect(p.session).NotTo(BeZero())
	return p
}

func (p *peer) hello(seen int64, timeout time.Duration, session int64, password []byte) {
	GinkgoHelper()
	b := appendInt32(nil, 0)
	b = appendInt64(b, seen)
	b = appendInt32(b, int32(timeout.Milliseconds()))
	b = appendInt64(b, session)
	b = appendBuffer(b, password)
	p.write(b)
	r := &reader{buf: p.read()}
	r.int32("version")
	p.timeout = time.Duration(r.int32("timeout")) * time.Millisecond
	p.session, p.password = r.int64("session"), r.buffer("password")
	Expect(r.err).NotTo(HaveOccurred())
	Expect(r.left()).To(BeZero())
}

func (p *peer) write(body []byte) {
	GinkgoHelper()
	_, err := p.nc.Write(append(appendInt32(nil, int32(len(body))), body...))
	Expect(err).NotTo(HaveOccurred())
}

func (p *peer) read() []byte {
	GinkgoHelper()
	var head [4]byte
	_, err := io.ReadFull(p.nc, head[:])
	Expect(err).NotTo(HaveOccurred())
	body := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err = io.ReadFull(p.nc, body)
	Expect(err).NotTo(HaveOccurred())
	return body
}

func (p *peer) next() frame {
	GinkgoHelper()
	r := &reader{buf: p.read()}
	f := frame{Xid: r.int32("xid"), Zxid: r.int64("zxid"), Code: code(r.int32("error"))}
	f.Body = r.buf[r.off:]
	Expect(r.err).NotTo(HaveOccurred())
	return f
}

// send writes a request and does not wait.
func (p *peer) send(op Op, body []byte) int32 {
	GinkgoHelper()
	p.xid++
	p.write(append(appendInt32(appendInt32(nil, p.xid), int32(op)), body...))
	return p.xid
}

// call returns the reply and the events that came before it.
func (p *peer) call(op Op, body []byte) (frame, []event) {
	GinkgoHelper()
	xid := p.send(op, body)
	var events []event
	for {
		f := p.next()
		if f.Xid != xidEvent {
			Expect(f.Xid).To(Equal(xid))
			return f, events
		}
		events = append(events, f.event())
	}
}

// must is a call that succeeds.
func (p *peer) must(op Op, body []byte) frame {
	GinkgoHelper()
	f, _ := p.call(op, body)
	Expect(f.Code).To(Equal(codeOK))
	return f
}

func (f frame) event() event {
	GinkgoHelper()
	Expect(f.Xid).To(BeEquivalentTo(xidEvent))
	r := &reader{buf: f.Body}
	kind := eventType(r.int32("type"))
	Expect(r.int32("state")).To(BeEquivalentTo(stateConnected))
	e := event{Kind: kind, Path: r.string("path")}
	Expect(r.err).NotTo(HaveOccurred())
	return e
}

// closed expects the end of the connection, whatever comes before it.
func (p *peer) closed() {
	GinkgoHelper()
	_, err := io.Copy(io.Discard, p.nc)
	Expect(errors.Is(err, os.ErrDeadlineExceeded)).To(BeFalse(), "the connection is still open")
}

// refused expects a reset, which comes while the connection is made or just after.
func refused(t target) {
	GinkgoHelper()
	nc, err := net.Dial("tcp", t.Addr())
	if err != nil {
		Expect(err).To(MatchError(syscall.ECONNRESET))
		return
	}
	defer nc.Close()
	Expect(nc.SetDeadline(time.Now().Add(10 * time.Second))).To(Succeed())
	(&peer{nc: nc}).closed()
}

func createBody(path string, data []byte, acl []ACL, flags int32) []byte {
	b := appendBuffer(appendString(nil, path), data)
	return appendInt32(appendACL(b, acl), flags)
}

func plainCreate(path string) []byte { return createBody(path, []byte("x"), openACL(), 0) }

func pathVersion(path string, version int32) []byte {
	return appendInt32(appendString(nil, path), version)
}

func pathWatch(path string, watch bool) []byte { return appendBool(appendString(nil, path), watch) }

func setDataBody(path string, data []byte, version int32) []byte {
	return appendInt32(appendBuffer(appendString(nil, path), data), version)
}

func setACLBody(path string, acl []ACL, version int32) []byte {
	return appendInt32(appendACL(appendString(nil, path), acl), version)
}

func authBody(scheme, auth string) []byte {
	return appendBuffer(appendString(appendInt32(nil, 0), scheme), []byte(auth))
}

func setWatchesBody(seen int64, data, exist, child []string) []byte {
	b := appendInt64(nil, seen)
	for _, list := range [][]string{data, exist, child} {
		b = appendNames(b, list)
	}
	return b
}

// op is one operation of a multi.
func op(kind Op, body []byte) []byte { return append(appendResult(nil, kind, -1), body...) }

func multiBody(ops ...[]byte) []byte {
	var b []byte
	for _, o := range ops {
		b = append(b, o...)
	}
	return appendEnd(b)
}
