// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// ZooKeeper's frames: a length of 4 bytes, then that many bytes. The first answer shakes hands; each later one begins
// with xid (4 bytes), zxid (8) and error (4).
const (
	lengthSize = 4
	headerSize = 16
	// handshakeSize is version (4), timeout (4), session (8), and a password with its length (4 + 16); newer servers
	// add a byte that says whether they are read-only.
	handshakeSize = 36
	// maxFrame bounds an answer. Nodes are bounded by the server (1 MiB by default), lists of children are not;
	// Java's client draws the line at 4 MiB too.
	maxFrame = 4 << 20
	// eventXid marks an event instead of an answer.
	eventXid = -1
	// tooLong is the error code in place of an answer that is: ZooKeeper's "marshalling error", which its servers do
	// not send.
	tooLong = -5
	// authFailed is the error code of an answer that refuses credentials; the library only logs it when it sends them
	// again.
	authFailed = -115
)

var (
	errNotZooKeeper = errors.New("the answer is not ZooKeeper's: check host, port and TLS")
	errFrame        = errors.New("the answer breaks ZooKeeper's protocol")
)

// guard is a connection as the library should see it. The library trusts every length it reads, takes memory first
// and panics on short frames; so only whole frames that hold together pass, and the handshake has a bound of its own
// (the library's is ten times the session's).
//
// When the connection is lost, every watch fires before the library learns of the loss: each owner reads anew and
// asks for a new watch. The library would set its watches again in the background, log a failure at most, and race
// with its own reader doing so; now it has none to set.
type guard struct {
	net.Conn
	// greeted is called with the handshake, answered with each frame, denied when the credentials are refused. None
	// may block.
	greeted  func(handshake)
	answered func()
	denied   func()
	// lost is called once, when the connection is lost.
	lost func(error)
	// watched gives, then, the paths whose watches have to fire.
	watched func() []string

	sent   requests
	in     []byte // what the library has yet to read
	buffer []byte
	broken error

	mu     sync.Mutex // guards shaken
	shaken bool       // the handshake is over: deadlines are the library's
}

// handshake is the server's answer to the wish for a session.
type handshake struct {
	timeout time.Duration
	session int64
}

// Read gives the library whole frames.
func (g *guard) Read(p []byte) (int, error) {
	for len(g.in) == 0 {
		if g.broken != nil {
			return 0, g.broken
		}
		frame, err := g.frame()
		if err != nil {
			g.broken = err
			g.lost(err)
			g.Close()
			if g.isShaken() { // before that, the library would take an event for the handshake
				g.in = goodbye(g.watched())
			}
			continue
		}
		g.in = frame
	}
	n := copy(p, g.in)
	g.in = g.in[n:]
	return n, nil
}

// Write never fails. The library deadlocks when a write fails while it sends credentials again (it answers the
// request twice, into a channel with room for one). A closed connection says the same, by way of the reader.
func (g *guard) Write(p []byte) (int, error) {
	g.sent.note(p)
	if _, err := g.Conn.Write(p); err != nil {
		g.Close()
	}
	return len(p), nil
}

// SetReadDeadline implements net.Conn.
func (g *guard) SetReadDeadline(t time.Time) error { return g.deadline(g.Conn.SetReadDeadline, t) }

// SetWriteDeadline implements net.Conn.
func (g *guard) SetWriteDeadline(t time.Time) error { return g.deadline(g.Conn.SetWriteDeadline, t) }

func (g *guard) deadline(set func(time.Time) error, t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.shaken {
		return nil
	}
	return set(t)
}

func (g *guard) isShaken() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shaken
}

// frame reads one frame, with its length, and checks it.
func (g *guard) frame() ([]byte, error) {
	var length [lengthSize]byte
	if _, err := io.ReadFull(g.Conn, length[:]); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(length[:]))
	if err := g.checkSize(size); err != nil {
		return nil, err
	}
	rest := max(size-maxFrame, 0)
	if rest > 0 {
		size, rest = headerSize, size-headerSize
	}
	if cap(g.buffer) < lengthSize+size {
		g.buffer = make([]byte, lengthSize+size)
	}
	frame := g.buffer[:lengthSize+size]
	binary.BigEndian.PutUint32(frame, uint32(size))
	if _, err := io.ReadFull(g.Conn, frame[lengthSize:]); err != nil {
		return nil, err
	}
	if rest > 0 { // skip it: hanging up would only bring it again
		if _, err := io.CopyN(io.Discard, g.Conn, int64(rest)); err != nil {
			return nil, err
		}
		code := int32(tooLong)
		binary.BigEndian.PutUint32(frame[lengthSize+12:], uint32(code))
	}
	if !g.isShaken() {
		return frame, g.greet(frame[lengthSize:])
	}
	return frame, g.inspect(frame[lengthSize:])
}

func (g *guard) checkSize(size int) error {
	switch {
	case !g.isShaken() && (size < handshakeSize || size > handshakeSize+1):
		return errNotZooKeeper
	case size < headerSize:
		return errFrame
	default:
		return nil
	}
}

func (g *guard) greet(body []byte) error {
	if binary.BigEndian.Uint32(body[16:]) != handshakeSize-20 {
		return errNotZooKeeper
	}
	if err := g.SetDeadline(time.Time{}); err != nil {
		return err
	}
	g.mu.Lock()
	g.shaken = true
	g.mu.Unlock()
	g.greeted(handshake{
		timeout: time.Duration(binary.BigEndian.Uint32(body[4:])) * time.Millisecond,
		session: int64(binary.BigEndian.Uint64(body[8:])),
	})
	return nil
}

func (g *guard) inspect(body []byte) error {
	code := int32(binary.BigEndian.Uint32(body[12:]))
	if code == authFailed {
		g.denied()
	} else {
		g.answered()
	}
	if !g.sent.answers(int32(binary.BigEndian.Uint32(body)), code, body[headerSize:]) {
		return errFrame
	}
	return nil
}

// goodbye is an event for each path, as a server sends it when a node goes: the one event that all kinds of watch
// fire on.
func goodbye(paths []string) []byte {
	const deleted, connected = 2, 3
	var out []byte
	for _, path := range paths {
		size := headerSize + 12 + len(path)
		out = binary.BigEndian.AppendUint32(out, uint32(size))
		xid := int32(eventXid)
		out = binary.BigEndian.AppendUint32(out, uint32(xid))
		out = append(out, make([]byte, headerSize-4)...) // no zxid, no error
		out = binary.BigEndian.AppendUint32(out, deleted)
		out = binary.BigEndian.AppendUint32(out, connected)
		out = binary.BigEndian.AppendUint32(out, uint32(len(path)))
		out = append(out, path...)
	}
	return out
}
