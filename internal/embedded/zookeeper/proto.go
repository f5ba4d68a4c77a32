// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"fmt"
	"strconv"
)

// Op is the code of an operation on the wire (ZooDefs.OpCode).
type Op int32

// The operations the server knows. AnyOp stands for all of them in a [Match].
const (
	AnyOp           Op = 0
	OpCreate        Op = 1
	OpDelete        Op = 2
	OpExists        Op = 3
	OpGetData       Op = 4
	OpSetData       Op = 5
	OpGetACL        Op = 6
	OpSetACL        Op = 7
	OpGetChildren   Op = 8
	OpSync          Op = 9
	OpPing          Op = 11
	OpGetChildren2  Op = 12
	OpCheck         Op = 13 // inside a multi alone
	OpMulti         Op = 14
	OpReconfig      Op = 16
	OpContainer     Op = 19
	OpCreateTTL     Op = 21
	OpSetAuth       Op = 100
	OpSetWatches    Op = 101
	OpCloseSession  Op = -11
	opError         Op = -1 // a result in a multi
	opCreateSession Op = -10
)

// String names the operation as ZooKeeper's log does.
func (o Op) String() string {
	names := map[Op]string{
		OpCreate: "create", OpDelete: "delete", OpExists: "exists", OpGetData: "getData", OpSetData: "setData",
		OpGetACL: "getACL", OpSetACL: "setACL", OpGetChildren: "getChildren", OpSync: "sync", OpPing: "ping",
		OpGetChildren2: "getChildren2", OpCheck: "check", OpMulti: "multi", OpReconfig: "reconfig",
		OpContainer: "createContainer", OpCreateTTL: "createTTL", OpSetAuth: "auth",
		OpSetWatches: "setWatches", OpCloseSession: "closeSession", opCreateSession: "createSession",
	}
	if name, ok := names[o]; ok {
		return name
	}
	return "op " + strconv.Itoa(int(o))
}

// code is the outcome of an operation on the wire (KeeperException.Code).
type code int32

const (
	codeOK                      code = 0
	codeRuntimeInconsistency    code = -2
	codeMarshalling             code = -5
	codeUnimplemented           code = -6
	codeBadArguments            code = -8
	codeNoNode                  code = -101
	codeNoAuth                  code = -102
	codeBadVersion              code = -103
	codeNoChildrenForEphemerals code = -108
	codeNodeExists              code = -110
	codeNotEmpty                code = -111
	codeInvalidACL              code = -114
	codeAuthFailed              code = -115
	codeReconfigDisabled        code = -123
)

// Flags of a create (CreateMode).
const (
	flagEphemeral   = 1
	flagSequence    = 2
	flagContainer   = 4
	flagTTL         = 5
	flagTTLSequence = 6
)

const (
	xidEvent = -1
	xidPing  = -2
	// minACLSize is a permission and the lengths of two strings.
	minACLSize = 4 + 4 + 4
	// replyHeader is length, xid, zxid and error.
	replyHeader = 4 + 4 + 8 + 4
)

// request is one decoded request. Which fields mean something depends on op. data and auth belong to the
// frame and are copied by whoever keeps them.
type request struct {
	xid     int32
	op      Op
	path    string
	data    []byte
	acl     []ACL
	flags   int32
	version int32
	watch   bool
	ops     []request // of a multi

	scheme string // of setAuth
	auth   []byte

	seen         int64 // of setWatches: the last transaction the client knows
	dataWatches  []string
	existWatches []string
	childWatches []string
}

// decodeHeader reads what every request begins with.
func decodeHeader(r *reader) (request, error) {
	q := request{xid: r.int32("xid"), op: Op(r.int32("type"))}
	if r.err != nil {
		return q, fmt.Errorf("request header: %w", r.err)
	}
	return q, nil
}

// decodeBody reads the fields of q.op. Bytes behind them are ignored, as the real server does. The error
// names the operation and the field.
func decodeBody(r *reader, q *request) error {
	switch q.op {
	case OpMulti:
		decodeMulti(r, q)
	case OpSetAuth:
		r.int32("type")
		q.scheme, q.auth = r.string("scheme"), r.buffer("auth")
	case OpSetWatches:
		q.seen = r.int64("relativeZxid")
		q.dataWatches, q.existWatches = r.strings("dataWatches"), r.strings("existWatches")
		q.childWatches = r.strings("childWatches")
	default:
		decodeFields(r, q)
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", q.op, r.err)
	}
	return nil
}

func decodeFields(r *reader, q *request) {
	switch q.op {
	case OpCreate:
		q.path, q.data, q.acl, q.flags = r.string("path"), r.buffer("data"), readACL(r), r.int32("flags")
	case OpDelete, OpCheck:
		q.path, q.version = r.string("path"), r.int32("version")
	case OpSetData:
		q.path, q.data, q.version = r.string("path"), r.buffer("data"), r.int32("version")
	case OpSetACL:
		q.path, q.acl, q.version = r.string("path"), readACL(r), r.int32("version")
	case OpExists, OpGetData, OpGetChildren, OpGetChildren2:
		q.path, q.watch = r.string("path"), r.bool("watch")
	case OpGetACL, OpSync:
		q.path = r.string("path")
	default: // the others have no fields, or none that are looked at
	}
}

func readACL(r *reader) []ACL {
	n := r.vector("acl", minACLSize)
	list := make([]ACL, 0, n)
	for range n {
		list = append(list, ACL{Perms: r.int32("perms"), Scheme: r.string("scheme"), ID: r.string("id")})
	}
	return list
}

func appendACL(dst []byte, list []ACL) []byte {
	dst = appendInt32(dst, int32(len(list)))
	for _, a := range list {
		dst = appendInt32(dst, a.Perms)
		dst = appendString(dst, a.Scheme)
		dst = appendString(dst, a.ID)
	}
	return dst
}

func appendStat(dst []byte, s Stat) []byte {
	dst = appendInt64(dst, s.Czxid)
	dst = appendInt64(dst, s.Mzxid)
	dst = appendInt64(dst, s.Ctime)
	dst = appendInt64(dst, s.Mtime)
	dst = appendInt32(dst, s.Version)
	dst = appendInt32(dst, s.Cversion)
	dst = appendInt32(dst, s.Aversion)
	dst = appendInt64(dst, s.EphemeralOwner)
	dst = appendInt32(dst, s.DataLength)
	dst = appendInt32(dst, s.NumChildren)
	return appendInt64(dst, s.Pzxid)
}

// encodeReply builds a whole frame. body may be nil; a reply with an error has none.
func encodeReply(xid int32, zxid int64, c code, body []byte) []byte {
	b := make([]byte, 0, replyHeader+len(body))
	b = appendInt32(b, int32(replyHeader-4+len(body)))
	b = appendInt32(b, xid)
	b = appendInt64(b, zxid)
	b = appendInt32(b, int32(c))
	return append(b, body...)
}
