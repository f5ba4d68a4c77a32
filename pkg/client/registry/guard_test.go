// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// scripted is a connection that says what a test wrote, and then hangs up.
type scripted struct {
	net.Conn
	in     []byte
	err    error // of Write
	closed bool
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	return n, nil
}

func (s *scripted) Write(p []byte) (int, error)    { return len(p), s.err }
func (s *scripted) Close() error                   { s.closed = true; return nil }
func (s *scripted) SetDeadline(time.Time) error    { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }

type told struct {
	handshakes       []handshake
	answers, denials int
	lost             []error
	asked            int
}

func guarded(conn *scripted, paths ...string) (*guard, *told) {
	t := &told{}
	return &guard{
		Conn:     conn,
		greeted:  func(h handshake) { t.handshakes = append(t.handshakes, h) },
		answered: func() { t.answers++ },
		denied:   func() { t.denials++ },
		lost:     func(err error) { t.lost = append(t.lost, err) },
		watched:  func() []string { t.asked++; return paths },
	}, t
}

func frame(parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func numbers(n ...int32) []byte {
	var out []byte
	for _, number := range n {
		out = binary.BigEndian.AppendUint32(out, uint32(number))
	}
	return out
}

// shake is a handshake that grants 6 s to session 7.
func shake() []byte { return frame(numbers(0, 6000, 0, 7, 16), make([]byte, 16)) }

// answer is one without an error.
func answer(xid int32, body ...byte) []byte { return frame(numbers(xid, 0, 1, 0), body) }

func request(xid, op int32) []byte { return frame(numbers(xid, op)) }

func TestGuardPassesWhatHoldsTogether(t *testing.T) {
	conn := &scripted{in: slices.Concat(shake(), answer(1), answer(-2))}
	want := slices.Clone(conn.in)
	g, told := guarded(conn)
	got, err := io.ReadAll(g)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %x, %v; want %x", got, err, want)
	}
	if h := told.handshakes; len(h) != 1 || h[0] != (handshake{timeout: 6 * time.Second, session: 7}) {
		t.Errorf("handshakes %v, want one of 6 s and session 7", h)
	}
	if told.answers != 2 || len(told.lost) != 1 || !conn.closed {
		t.Errorf("%d answers, lost %v, closed %t; want 2, once, closed", told.answers, told.lost, conn.closed)
	}
}

func TestGuardRefuses(t *testing.T) {
	stat := make([]byte, statSize)
	after := func(body ...byte) []byte { return slices.Concat(shake(), answer(1, body...)) }
	strange := append(numbers(99), make([]byte, 9)...)
	tests := map[string]struct {
		op   int32
		in   []byte
		want error
	}{
		"HTTP":                        {in: []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), want: errNotZooKeeper},
		"a long handshake":            {in: frame(make([]byte, 4096)), want: errNotZooKeeper},
		"a handshake's long password": {in: frame(numbers(0, 6000, 0, 7, 1<<30), make([]byte, 16)), want: errNotZooKeeper},
		"a short frame":               {in: slices.Concat(shake(), frame(numbers(1, 2))), want: errFrame},
		"a short stat":                {op: opExists, in: after(stat[1:]...), want: errFrame},
		"data beyond the frame":       {op: opGetData, in: after(numbers(1 << 30)...), want: errFrame},
		"children beyond the frame":   {op: opChildren, in: after(numbers(1 << 28)...), want: errFrame},
		"no children":                 {op: opChildren, in: after(numbers(-1)...), want: errFrame},
		"a negative string":           {op: opCreate, in: after(numbers(-1)...), want: errFrame},
		"half a result of a multi":    {op: opMulti, in: after(numbers(opCheck)...), want: errFrame},
		"an unknown result":           {op: opMulti, in: after(strange...), want: errFrame},
		"half an event":               {in: slices.Concat(shake(), answer(eventXid, numbers(1, 3, 99)...)), want: errFrame},
		"half a frame":                {in: shake()[:20], want: io.ErrUnexpectedEOF},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g, told := guarded(&scripted{in: test.in})
			if _, err := g.Write(request(1, test.op)); err != nil {
				t.Fatal(err)
			}
			_, err := io.ReadAll(g)
			if !errors.Is(err, test.want) || !errors.Is(told.lost[0], test.want) {
				t.Errorf("got %v, told %v, want %v", err, told.lost, test.want)
			}
		})
	}
}

func TestGuardTakesAnswersOfEachKind(t *testing.T) {
	stat := make([]byte, statSize)
	null := slices.Concat(numbers(-1), stat)
	results := slices.Concat(
		numbers(opCheck), []byte{0}, numbers(0),
		numbers(opDelete), []byte{0}, numbers(0),
		numbers(opCreate), []byte{0}, numbers(0, 2), []byte("/a"),
		numbers(opSetData), []byte{0}, numbers(0), stat,
		numbers(opError), []byte{0}, numbers(-101, -101),
		numbers(-1), []byte{1}, numbers(-1),
	)
	for op, body := range map[int32][]byte{
		opGetData: null, opExists: stat, opSetData: stat, opMulti: results,
		opChildren: slices.Concat(numbers(2, 1), []byte("a"), numbers(0), stat),
		opCreate:   slices.Concat(numbers(2), []byte("/a")), 77: {1, 2, 3},
	} {
		g, _ := guarded(&scripted{in: slices.Concat(shake(), answer(1, body...))})
		_, _ = g.Write(request(1, op))
		if _, err := io.ReadAll(g); err != nil {
			t.Errorf("operation %d: %v", op, err)
		}
	}
}

func TestGuardReplacesAnAnswerTooLong(t *testing.T) {
	long := answer(1, make([]byte, maxFrame)...)
	g, _ := guarded(&scripted{in: slices.Concat(shake(), long, answer(2))})
	got, err := io.ReadAll(g)
	want := slices.Concat(shake(), frame(numbers(1, 0, 1, tooLong)), answer(2))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %x, %v; want %x", got, err, want)
	}
}

func TestGuardTellsOfRefusedCredentials(t *testing.T) {
	g, told := guarded(&scripted{in: slices.Concat(shake(), frame(numbers(1, 0, 0, authFailed)))})
	if _, err := io.ReadAll(g); err != nil {
		t.Fatal(err)
	}
	if told.denials != 1 || told.answers != 0 {
		t.Errorf("%d denials and %d answers, want 1 and 0", told.denials, told.answers)
	}
}

func TestGuardFiresWatchesWhenTheConnectionIsLost(t *testing.T) {
	half := slices.Concat(shake(), answer(1)[:10])
	g, _ := guarded(&scripted{in: half}, "/a", "/b/c")
	got, err := io.ReadAll(g)
	event := func(path string) []byte {
		return frame(numbers(eventXid, 0, 0, 0, 2, 3, int32(len(path))), []byte(path))
	}
	want := slices.Concat(shake(), event("/a"), event("/b/c")) // and nothing of the half frame
	if !slices.Equal(got, want) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %x, %v; want %x", got, err, want)
	}
}

func TestGuardFiresNothingIntoAHandshake(t *testing.T) {
	g, told := guarded(&scripted{}, "/a")
	if got, _ := io.ReadAll(g); len(got) > 0 || told.asked > 0 {
		t.Errorf("read %x before the handshake, want nothing", got)
	}
}

// The library deadlocks if it is told of a failed write while it sends credentials again.
func TestGuardHidesFailedWrites(t *testing.T) {
	conn := &scripted{err: io.ErrClosedPipe}
	g, _ := guarded(conn)
	if n, err := g.Write(request(1, opSync)); n != 12 || err != nil {
		t.Errorf("wrote %d, %v; want 12 and no error", n, err)
	}
	if !conn.closed {
		t.Error("the connection is open after a failed write; the reader has to learn of it")
	}
}

func FuzzGuard(f *testing.F) {
	f.Add(int32(opGetData), slices.Concat(shake(), answer(1, numbers(-1)...)))
	f.Add(int32(opMulti), slices.Concat(shake(), answer(1, numbers(opCheck, 0)...)))
	f.Add(int32(opChildren), slices.Concat(shake(), answer(1, numbers(1<<30)...)))
	f.Add(int32(0), []byte("HTTP/1.1 400"))
	f.Fuzz(func(t *testing.T, op int32, in []byte) {
		g, _ := guarded(&scripted{in: in})
		_, _ = g.Write(request(1, op))
		out, _ := io.ReadAll(g)
		// Whatever passes is whole frames, none of them shorter than its header or longer than allowed.
		for first := true; len(out) > 0; first = false {
			size := int(binary.BigEndian.Uint32(out))
			if least := headerSize; size < least || size > maxFrame || first && size < handshakeSize {
				t.Fatalf("a frame of %d bytes passed", size)
			}
			out = out[lengthSize+size:]
		}
	})
}
