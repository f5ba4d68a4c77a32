// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import "slices"

// reply is what a request is answered with.
type reply struct {
	zxid int64
	code code
	body []byte
	last bool // the connection ends behind it
	none bool // there is no answer at all
}

// handle executes one request. It returns false where the connection ends without an error.
func (s *Server) handle(c *conn, frame []byte) (bool, error) {
	r := &reader{buf: frame}
	q, err := decodeHeader(r)
	if err != nil {
		return false, err
	}
	malformed := decodeBody(r, &q)
	if malformed != nil {
		s.log.Warn("Request makes no sense", "client", c.nc.RemoteAddr(), "err", malformed)
		if q.op == OpSetAuth { // the real server lets the connection fail here and answers elsewhere
			return false, malformed
		}
	}
	if !s.lockFor(c) {
		return false, nil
	}
	defer s.mu.Unlock()
	if c.session == nil {
		return false, nil
	}
	v := s.faults.judge(q, c.session.id, s.cfg.Clock)
	if v.dropRequest {
		s.log.Debug("Fault: connection cut before the request", "op", q.op, "path", q.path)
		s.cut(c)
		return false, nil
	}
	s.sessions.touch(c.session, s.age(), c.timeout)
	s.counts[q.op]++
	var a reply
	if malformed != nil {
		a = s.answer(codeMarshalling, nil)
	} else {
		a = s.execute(c, q)
	}
	return s.deliver(c, q, a, v), nil
}

// deliver queues the answer as the faults let it and returns whether the connection goes on.
func (s *Server) deliver(c *conn, q request, r reply, v verdict) bool {
	out := answer{frame: encodeReply(q.xid, r.zxid, r.code, r.body), late: v.late, stop: v.stop}
	if v.dropAnswer {
		out.stopTimers()
		s.log.Debug("Fault: connection cut before the answer", "op", q.op, "path", q.path)
		s.cut(c)
		return false
	}
	if r.none {
		out.stopTimers()
		return true
	}
	if q.op == OpPing && len(v.late) == 0 && !v.cutAfter {
		c.sendPong(out.frame)
		return true
	}
	out.last = r.last || v.cutAfter
	c.send(out)
	if out.last {
		s.unlink(c) // nothing may be queued behind it
	}
	return !out.last
}

// answer carries the number of the last transaction, as every reply does.
func (s *Server) answer(c code, body []byte) reply {
	if c != codeOK {
		body = nil
	}
	return reply{zxid: s.zxid, code: c, body: body}
}

// execute does one well-formed request.
func (s *Server) execute(c *conn, q request) reply {
	switch q.op {
	case OpCreate, OpDelete, OpSetData, OpSetACL, OpMulti:
		return s.write(c, q)
	case OpExists, OpGetData, OpGetACL, OpGetChildren, OpGetChildren2:
		return s.read(c, q)
	case OpPing:
		return s.answer(codeOK, nil)
	case OpSync: // one server has nothing to wait for
		return s.answer(codeOK, appendString(nil, q.path))
	case OpSetWatches:
		if !s.faults.loseSetWatches.Load() {
			s.watches.restore(s.tree, q, c, s.notify)
		}
		return s.answer(codeOK, nil)
	case OpSetAuth:
		return s.setAuth(c, q)
	case OpCloseSession:
		s.closeSession(c.session)
		a := s.answer(codeOK, nil)
		a.last = true
		return a
	case OpContainer, OpCreateTTL:
		return s.answer(codeUnimplemented, nil)
	case OpReconfig:
		return s.answer(codeReconfigDisabled, nil)
	}
	return s.unknown(q)
}

// unknown answers an operation the server does not have, and ends the connection.
func (s *Server) unknown(q request) reply {
	s.log.Warn("Operation is not known here", "op", q.op)
	return reply{code: codeUnimplemented, last: true}
}

func (s *Server) setAuth(c *conn, q request) reply {
	host := c.who[0].id // every connection begins as its address
	who, ok := authenticate(q.scheme, q.auth, host)
	if !ok {
		s.log.Warn("Authentication failed", "client", c.nc.RemoteAddr(), "scheme", q.scheme)
		return reply{code: codeAuthFailed, last: true}
	}
	if !slices.Contains(c.who, who) {
		c.who = append(c.who, who)
	}
	return reply{} // the real server answers outside the order of transactions, with number 0
}

// write runs a transaction. It has a number of its own even where it fails.
func (s *Server) write(c *conn, q request) reply {
	if q.op == OpMulti && s.cfg.DisableMulti {
		if s.cfg.SilentMulti {
			return reply{none: true}
		}
		return s.unknown(q)
	}
	t := s.begin(c.session, c.who)
	var body []byte
	result := codeOK
	switch q.op {
	case OpMulti:
		body = t.multi(q.ops)
	case OpSetACL:
		var stat Stat
		stat, result = t.setACL(q.path, q.acl, q.version)
		body = appendStat(nil, stat)
	default:
		body, result = t.step(q)
	}
	s.fire(t)
	return s.answer(result, body)
}

func (s *Server) begin(x *session, who []identity) *txn {
	s.zxid++
	return &txn{tree: s.tree, zxid: s.zxid, now: s.cfg.Clock.Now().UnixMilli(), session: x.id, who: who}
}

// fire tells the watches what a transaction did. The mutex is held since before it began, so the events
// stand in every queue before an answer that could show the change.
func (s *Server) fire(t *txn) {
	for _, m := range t.done {
		s.watches.fire(m, s.notify)
	}
}

// notify sends one event to a connection that may read the node.
func (s *Server) notify(c *conn, kind eventType, path string, acl []ACL) {
	if s.faults.loseEvents.Load() || !permitted(acl, permRead, c.who) {
		return
	}
	c.send(answer{frame: encodeEvent(kind, path)})
}

// read answers from the tree. A watch is left where the answer says what it begins from: for exists also
// where there is no node.
func (s *Server) read(c *conn, q request) reply {
	t := &txn{tree: s.tree, who: c.who}
	if q.op == OpExists && q.watch {
		s.watches.data.add(q.path, c)
	}
	n, result := t.lookupFor(q)
	if result != codeOK {
		return s.answer(result, nil)
	}
	if q.watch && q.op == OpGetData {
		s.watches.data.add(q.path, c)
	}
	if q.watch && (q.op == OpGetChildren || q.op == OpGetChildren2) {
		s.watches.child.add(q.path, c)
	}
	return s.answer(codeOK, encodeNode(q.op, n, c.who))
}

// lookupFor knows what each reading operation must be permitted: exists nothing, getACL one of two.
func (x *txn) lookupFor(q request) (*node, code) {
	if q.op == OpExists {
		if n := x.tree.nodes[q.path]; n != nil {
			return n, codeOK
		}
		return nil, codeNoNode
	}
	perm := int32(permRead)
	if q.op == OpGetACL {
		perm |= permAdmin
	}
	return x.lookup(q.path, perm, false)
}

func encodeNode(op Op, n *node, who []identity) []byte {
	switch op {
	case OpGetData:
		return appendStat(appendBuffer(nil, n.data), n.stat())
	case OpGetACL:
		acl := n.acl
		if !permitted(acl, permAdmin, who) {
			acl = maskACL(acl)
		}
		return appendStat(appendACL(nil, acl), n.stat())
	case OpGetChildren:
		return appendNames(nil, n.names())
	case OpGetChildren2:
		return appendStat(appendNames(nil, n.names()), n.stat())
	}
	return appendStat(nil, n.stat())
}

func appendNames(dst []byte, names []string) []byte {
	dst = appendInt32(dst, int32(len(names)))
	for _, name := range names {
		dst = appendString(dst, name)
	}
	return dst
}
