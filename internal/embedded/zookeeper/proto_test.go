// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// encodeRequest is the client's side of decodeHeader and decodeBody.
func encodeRequest(q request) []byte {
	b := appendInt32(appendInt32(nil, q.xid), int32(q.op))
	return append(b, encodeBody(q)...)
}

func encodeBody(q request) []byte {
	switch q.op {
	case OpCreate:
		return createBody(q.path, q.data, q.acl, q.flags)
	case OpDelete, OpCheck:
		return pathVersion(q.path, q.version)
	case OpSetData:
		return setDataBody(q.path, q.data, q.version)
	case OpSetACL:
		return setACLBody(q.path, q.acl, q.version)
	case OpExists, OpGetData, OpGetChildren, OpGetChildren2:
		return pathWatch(q.path, q.watch)
	case OpGetACL, OpSync:
		return appendString(nil, q.path)
	case OpSetAuth:
		return appendBuffer(appendString(appendInt32(nil, 0), q.scheme), q.auth)
	case OpSetWatches:
		return setWatchesBody(q.seen, q.dataWatches, q.existWatches, q.childWatches)
	case OpMulti:
		ops := make([][]byte, 0, len(q.ops))
		for _, o := range q.ops {
			ops = append(ops, op(o.op, encodeBody(o)))
		}
		return multiBody(ops...)
	}
	return nil
}

func decodeRequest(frame []byte) (request, error) {
	r := &reader{buf: frame}
	q, err := decodeHeader(r)
	if err == nil {
		err = decodeBody(r, &q)
	}
	return q, err
}

// samples is one request of each kind.
func samples() []request {
	acl := []ACL{{Perms: 31, Scheme: "world", ID: "anyone"}, {Perms: 1, Scheme: "digest", ID: "u:p"}}
	return []request{
		{xid: 1, op: OpCreate, path: "/a", data: []byte("data"), acl: acl, flags: 3},
		{xid: 2, op: OpCreate, path: "/null", acl: []ACL{}},
		{xid: 3, op: OpDelete, path: "/a", version: -1},
		{xid: 4, op: OpExists, path: "/a", watch: true},
		{xid: 5, op: OpGetData, path: "/a"},
		{xid: 6, op: OpSetData, path: "/a", data: []byte{}, version: 7},
		{xid: 7, op: OpGetACL, path: "/a"},
		{xid: 8, op: OpSetACL, path: "/a", acl: acl, version: 1},
		{xid: 9, op: OpGetChildren2, path: "/", watch: true},
		{xid: 10, op: OpSync, path: "/a"},
		{xid: xidPing, op: OpPing},
		{xid: 11, op: OpSetAuth, scheme: "digest", auth: []byte("u:p")},
		{xid: 12, op: OpSetWatches, seen: 9, dataWatches: []string{"/a", "/b"}, childWatches: []string{"/"}},
		{xid: 13, op: OpCloseSession},
		{xid: 14, op: OpMulti, ops: []request{
			{op: OpCheck, path: "/a", version: 1}, {op: OpCreate, path: "/b", acl: acl},
			{op: OpSetData, path: "/a", data: []byte("x")}, {op: OpDelete, path: "/c"},
		}},
		{xid: 15, op: OpMulti},
	}
}

func TestRequestsSurviveTheWire(t *testing.T) {
	for _, want := range samples() {
		got, err := decodeRequest(encodeRequest(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", want.op, got, err, want)
		}
	}
}

func TestEveryRequestCutShortIsRefused(t *testing.T) {
	for _, q := range samples() {
		whole := encodeRequest(q)
		for n := range whole {
			if _, err := decodeRequest(whole[:n]); err == nil {
				t.Errorf("%s cut to %d of %d bytes is accepted", q.op, n, len(whole))
			}
		}
	}
}

func TestFormatErrorsSayWhere(t *testing.T) {
	for name, c := range map[string]struct {
		frame []byte
		want  string
	}{
		"header":   {[]byte{0, 0, 0, 1}, "request header: type at offset 4 wants 4 bytes, 0 are left"},
		"path":     {encodeHeader(OpGetData, 0, 0, 0, 9, '/'), "getData: path at offset 12 wants 9 bytes, 1 are left"},
		"negative": {encodeHeader(OpGetData, 0xff, 0xff, 0xff, 0xfe), "getData: negative length -2 of path at offset 12"},
		"vector": {
			encodeHeader(OpSetWatches, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff),
			"setWatches: dataWatches at offset 20 wants 8589934588 bytes, 0 are left",
		},
		"multi": {
			encodeHeader(OpMulti, multiBody(op(OpPing, nil))...),
			"multi: operation 0 of the multi is a ping, want create, delete, setData or check",
		},
	} {
		if _, err := decodeRequest(c.frame); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func encodeHeader(kind Op, body ...byte) []byte {
	return append(appendInt32(appendInt32(nil, 1), int32(kind)), body...)
}

// A length that the frame cannot hold must not cost memory.
func TestHostileLengthsTakeNoMemory(t *testing.T) {
	huge := []byte{0x7f, 0xff, 0xff, 0xff}
	for name, frame := range map[string][]byte{
		"buffer":  encodeHeader(OpSetData, append(appendString(nil, "/a"), huge...)...),
		"acl":     encodeHeader(OpSetACL, append(appendString(nil, "/a"), huge...)...),
		"strings": encodeHeader(OpSetWatches, append(appendInt64(nil, 0), huge...)...),
	} {
		result := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeRequest(frame); err == nil {
					b.Fatal("accepted")
				}
			}
		})
		if per := result.AllocedBytesPerOp(); per > 4<<10 {
			t.Errorf("%s: %d bytes for a frame of %d", name, per, len(frame))
		}
	}
}

func TestOpsHaveNames(t *testing.T) {
	if got := OpGetChildren2.String(); got != "getChildren2" {
		t.Error(got)
	}
	if got := Op(77).String(); got != "op 77" {
		t.Error(got)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, q := range samples() {
		f.Add(encodeRequest(q))
	}
	f.Add([]byte{})
	f.Add(encodeHeader(OpCreate, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Add(encodeHeader(OpMulti, 0, 0, 0, 1, 0, 0, 0, 0, 0))
	f.Add(encodeHeader(OpMulti, op(OpContainer, plainCreate("/a"))...))
	f.Fuzz(func(t *testing.T, frame []byte) {
		before := bytes.Clone(frame)
		q, err := decodeRequest(frame)
		if !bytes.Equal(before, frame) {
			t.Fatal("decoding changed the frame")
		}
		if err != nil {
			return
		}
		if n := size(q); n > len(frame) {
			t.Errorf("%d bytes of fields from a frame of %d", n, len(frame))
		}
		if strings.Contains(q.op.String(), "op ") || hasVariant(q) {
			return // nothing to encode
		}
		again, err := decodeRequest(encodeRequest(q))
		if err != nil || !reflect.DeepEqual(again, q) {
			t.Errorf("not canonical: %+v, then %+v, %v", q, again, err)
		}
	})
}

func hasVariant(q request) bool {
	for _, o := range q.ops {
		if o.op == OpContainer || o.op == OpCreateTTL {
			return true
		}
	}
	return false
}

// size is what the variable fields of a request hold.
func size(q request) int {
	n := len(q.path) + len(q.data) + len(q.scheme) + len(q.auth)
	for _, a := range q.acl {
		n += minACLSize + len(a.Scheme) + len(a.ID)
	}
	for _, list := range [][]string{q.dataWatches, q.existWatches, q.childWatches} {
		for _, s := range list {
			n += len(s)
		}
	}
	for _, o := range q.ops {
		n += size(o)
	}
	return n
}

func FuzzDecodeConnect(f *testing.F) {
	f.Add(make([]byte, 44))
	f.Add(append(make([]byte, 24), 0x7f, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := decodeConnect(body)
		if err == nil && len(q.password) > len(body) {
			t.Error("password is longer than the frame")
		}
	})
}
