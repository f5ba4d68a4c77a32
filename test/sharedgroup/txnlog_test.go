// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// change is one thing that ZooKeeper did to one node, as its transaction log has it.
type change struct {
	at      time.Time
	zxid    int64
	session int64
	kind    changeKind
	path    string
	data    string
}

type changeKind int32

// The kinds that matter here, by the numbers of ZooKeeper's protocol (ZooDefs.OpCode).
const (
	created      changeKind = 1
	deleted      changeKind = 2
	written      changeKind = 5
	created2     changeKind = 15
	several      changeKind = 14
	sessionEnded changeKind = -11
)

// readLog gives everything in the transaction log of a server, in its order. A server that runs may be writing: what is
// not whole yet is left out.
func readLog(dataDir string) ([]change, error) {
	files, err := filepath.Glob(filepath.Join(dataDir, "version-2", "log.*"))
	if err != nil {
		return nil, fmt.Errorf("transaction log: %w", err)
	}
	var all []change
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("transaction log: %w", err)
		}
		changes, err := parseLog(data)
		if err != nil {
			return nil, fmt.Errorf("transaction log %s: %w", file, err)
		}
		all = append(all, changes...)
	}
	slices.SortStableFunc(all, func(a, b change) int { return int(a.zxid - b.zxid) })
	return all, nil
}

const (
	logMagic = 0x5a4b4c47 // ZKLG
	// logHeader is the magic, a version and a database id; entryHeader a checksum and the length of what follows.
	logHeader, entryHeader = 16, 12
)

var errForm = errors.New("not in the form of a transaction log")

// parseLog reads one file: entries until the zeros that it is filled up with.
func parseLog(data []byte) (all []change, err error) {
	if len(data) < logHeader || binary.BigEndian.Uint32(data) != logMagic {
		return nil, errForm
	}
	data = data[logHeader:]
	for len(data) > entryHeader {
		size := int(binary.BigEndian.Uint32(data[8:]))
		if size == 0 || size >= len(data)-entryHeader {
			return all, nil
		}
		changes, err := parseEntry(data[entryHeader : entryHeader+size])
		if err != nil {
			return nil, err
		}
		all = append(all, changes...)
		data = data[entryHeader+size+1:] // a byte marks the end
	}
	return all, nil
}

func parseEntry(data []byte) ([]change, error) {
	r := encoded{rest: data}
	one := change{session: r.long()}
	r.int() // the request's number in its session
	one.zxid, one.at = r.long(), time.UnixMilli(r.long())
	kind := changeKind(r.int())
	if kind == several {
		return parseSeveral(one, &r)
	}
	return parseOne(one, kind, &r)
}

func parseSeveral(of change, r *encoded) (all []change, err error) {
	for range r.int() {
		kind := changeKind(r.int())
		part := encoded{rest: []byte(r.text())}
		changes, err := parseOne(of, kind, &part)
		if err != nil {
			return nil, err
		}
		all = append(all, changes...)
	}
	return all, r.err
}

// parseOne reads the body of a transaction. Those that change no node give nothing.
func parseOne(one change, kind changeKind, r *encoded) ([]change, error) {
	one.kind = kind
	switch kind {
	case created, created2:
		one.kind = created
		one.path, one.data = r.text(), r.text()
	case written:
		one.path, one.data = r.text(), r.text()
	case deleted:
		one.path = r.text()
	case sessionEnded:
		return closed(one, r)
	default:
		return nil, nil
	}
	return []change{one}, r.err
}

// closed is what goes with a session: its ephemeral nodes, one deletion each.
func closed(one change, r *encoded) (all []change, err error) {
	if len(r.rest) > 0 {
		for range r.int() {
			all = append(all, change{at: one.at, zxid: one.zxid, session: one.session, kind: deleted, path: r.text()})
		}
	}
	return append(all, one), r.err
}

// encoded reads ZooKeeper's encoding, big-endian and with the length before each text. Once something is missing, all
// that follows is zero, and err says so.
type encoded struct {
	rest []byte
	err  error
}

func (r *encoded) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.err, r.rest = errForm, nil
		return make([]byte, 8)
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *encoded) int() int32  { return int32(binary.BigEndian.Uint32(r.take(4))) } //nolint:gosec // as it is written
func (r *encoded) long() int64 { return int64(binary.BigEndian.Uint64(r.take(8))) } //nolint:gosec // as it is written

// text is also how bytes are written; a length of -1 is none at all.
func (r *encoded) text() string {
	size := r.int()
	if size < 0 || r.err != nil {
		return ""
	}
	return string(r.take(int(size)))
}
