// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import "fmt"

// multi does all operations or none. One that fails leaves the tree as it was; the answer then tells 0 of
// those before it, the error of the one, and "runtime inconsistency" of those behind it, which were not
// tried. The header of the answer says OK either way, as the real server does.
func (x *txn) multi(ops []request) []byte {
	var body []byte
	for i, q := range ops {
		result, c := x.step(q)
		if c != codeOK {
			x.rollback()
			return encodeFailure(len(ops), i, c)
		}
		body = appendResult(body, q.op, codeOK)
		body = append(body, result...)
	}
	return appendEnd(body)
}

// step does one operation and returns what its result carries behind its header.
func (x *txn) step(q request) ([]byte, code) {
	switch q.op {
	case OpCreate:
		path, c := x.create(q)
		return appendString(nil, path), c
	case OpSetData:
		stat, c := x.setData(q.path, q.data, q.version)
		return appendStat(nil, stat), c
	case OpDelete:
		return nil, x.delete(q.path, q.version)
	case OpCheck:
		return nil, x.check(q.path, q.version)
	}
	return nil, codeUnimplemented
}

func encodeFailure(n, failed int, c code) []byte {
	var body []byte
	for i := range n {
		result := codeOK
		switch {
		case i == failed:
			result = c
		case i > failed:
			result = codeRuntimeInconsistency
		}
		body = appendResult(body, opError, result)
		body = appendInt32(body, int32(result))
	}
	return appendEnd(body)
}

// appendResult writes the header of one result: type, not the end, error.
func appendResult(dst []byte, op Op, c code) []byte {
	dst = appendInt32(dst, int32(op))
	dst = appendBool(dst, false)
	return appendInt32(dst, int32(c))
}

func appendEnd(dst []byte) []byte {
	dst = appendInt32(dst, int32(opError))
	dst = appendBool(dst, true)
	return appendInt32(dst, -1)
}

// decodeMulti reads operations until the header that says "done".
func decodeMulti(r *reader, q *request) {
	for r.err == nil {
		op := request{op: Op(r.int32("op type"))}
		done := r.bool("op done")
		r.int32("op error")
		if done || r.err != nil {
			return
		}
		switch op.op {
		case OpCreate, OpDelete, OpSetData, OpCheck:
			decodeFields(r, &op)
		case OpContainer, OpCreateTTL:
			decodeCreateVariant(r, &op)
		default:
			r.err = fmt.Errorf("operation %d of the multi is a %s, want create, delete, setData or check",
				len(q.ops), op.op)
			return
		}
		q.ops = append(q.ops, op)
	}
}

// decodeCreateVariant steps over the creates that the server leaves out: their answer is an error, but what
// follows them in a multi must be found.
func decodeCreateVariant(r *reader, q *request) {
	op := q.op
	q.op = OpCreate
	decodeFields(r, q)
	q.op = op
	if op == OpCreateTTL {
		r.int64("ttl")
	}
}
