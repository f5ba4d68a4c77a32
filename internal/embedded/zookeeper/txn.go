// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"bytes"
	"fmt"
	"slices"
)

// mutation tells what a transaction did to one node, for the watches.
type mutation struct {
	kind      eventType // created, deleted or data changed
	path      string
	acl       []ACL // of the node, which decides who may hear of it
	parentACL []ACL
}

// txn is one transaction: it has one number and one time, and happens whole or not at all.
type txn struct {
	tree    *tree
	zxid    int64
	now     int64 // ms since 1970
	session int64
	who     []identity
	done    []mutation
	undo    []func() // newest last
}

// rollback leaves the tree as it was before the transaction.
func (x *txn) rollback() {
	for _, undo := range slices.Backward(x.undo) {
		undo()
	}
	x.undo, x.done = nil, nil
}

// create returns the path of the new node, which a sequence completes. The order of the checks is the
// server's: it decides which error a client sees where several apply.
func (x *txn) create(q request) (string, code) {
	if c := checkFlags(q.flags); c != codeOK {
		return "", c
	}
	parentPath, _, ok := splitPath(q.path)
	if !ok {
		return "", codeBadArguments
	}
	acl, c := fixACL(q.acl, x.who)
	if c != codeOK {
		return "", c
	}
	parent := x.tree.nodes[parentPath]
	switch {
	case parent == nil:
		return "", codeNoNode
	case !permitted(parent.acl, permCreate, x.who):
		return "", codeNoAuth
	}
	path := q.path
	if q.flags&flagSequence != 0 {
		path += fmt.Sprintf("%010d", parent.created)
	}
	switch {
	case !validPath(path):
		return "", codeBadArguments
	case x.tree.nodes[path] != nil:
		return "", codeNodeExists
	case parent.owner != 0:
		return "", codeNoChildrenForEphemerals
	}
	n := newNode(bytes.Clone(q.data), acl)
	if q.flags&flagEphemeral != 0 {
		n.owner = x.session
	}
	x.insert(path, parent, n)
	return path, codeOK
}

// checkFlags refuses what this server leaves out with the answer of one that has it switched off.
func checkFlags(flags int32) code {
	switch flags {
	case 0, flagEphemeral, flagSequence, flagEphemeral | flagSequence:
		return codeOK
	case flagContainer, flagTTL, flagTTLSequence:
		return codeUnimplemented
	}
	return codeBadArguments
}

func (x *txn) insert(path string, parent, n *node) {
	_, name, _ := splitPath(path)
	n.czxid, n.mzxid, n.pzxid = x.zxid, x.zxid, x.zxid
	n.ctime, n.mtime = x.now, x.now
	created, pzxid := parent.created, parent.pzxid
	parent.children[name] = struct{}{}
	parent.created, parent.pzxid = created+1, x.zxid
	x.tree.put(path, n)
	x.did(mutation{kind: eventCreated, path: path, acl: n.acl, parentACL: parent.acl}, func() {
		delete(parent.children, name)
		parent.created, parent.pzxid = created, pzxid
		x.tree.remove(path, n)
	})
}

func (x *txn) delete(path string, version int32) code {
	parentPath, _, ok := splitPath(path)
	if !ok || special(path) {
		return codeBadArguments
	}
	parent := x.tree.nodes[parentPath]
	switch {
	case parent == nil:
		return codeNoNode
	case !permitted(parent.acl, permDelete, x.who):
		return codeNoAuth
	}
	n := x.tree.nodes[path]
	switch {
	case n == nil:
		return codeNoNode
	case version != -1 && version != n.version:
		return codeBadVersion
	case len(n.children) > 0:
		return codeNotEmpty
	}
	x.drop(path, parent, n)
	return codeOK
}

func (x *txn) drop(path string, parent, n *node) {
	_, name, _ := splitPath(path)
	pzxid := parent.pzxid
	delete(parent.children, name)
	parent.pzxid = x.zxid
	x.tree.remove(path, n)
	x.did(mutation{kind: eventDeleted, path: path, acl: n.acl, parentACL: parent.acl}, func() {
		parent.children[name] = struct{}{}
		parent.pzxid = pzxid
		x.tree.put(path, n)
	})
}

// dropOwned removes the ephemeral nodes of a session that ends.
func (x *txn) dropOwned(session int64) {
	for _, path := range x.tree.owned(session) {
		parentPath, _, _ := splitPath(path)
		x.drop(path, x.tree.nodes[parentPath], x.tree.nodes[path])
	}
}

func (x *txn) setData(path string, data []byte, version int32) (Stat, code) {
	n, c := x.lookup(path, permWrite, true)
	switch {
	case c != codeOK:
		return Stat{}, c
	case version != -1 && version != n.version:
		return Stat{}, codeBadVersion
	}
	old := *n
	n.data, n.version, n.mzxid, n.mtime = bytes.Clone(data), n.version+1, x.zxid, x.now
	x.did(mutation{kind: eventDataChanged, path: path, acl: n.acl}, func() {
		n.data, n.version, n.mzxid, n.mtime = old.data, old.version, old.mzxid, old.mtime
	})
	return n.stat(), codeOK
}

// setACL is no operation of a multi, so it needs no undoing; no watch hears of it.
func (x *txn) setACL(path string, list []ACL, version int32) (Stat, code) {
	if !validPath(path) {
		return Stat{}, codeBadArguments
	}
	acl, c := fixACL(list, x.who)
	if c != codeOK {
		return Stat{}, c
	}
	n, c := x.lookup(path, permAdmin, true)
	switch {
	case c != codeOK:
		return Stat{}, c
	case version != -1 && version != n.aversion:
		return Stat{}, codeBadVersion
	}
	n.acl, n.aversion = acl, n.aversion+1
	return n.stat(), codeOK
}

func (x *txn) check(path string, version int32) code {
	n, c := x.lookup(path, permRead, true)
	if c == codeOK && version != -1 && version != n.version {
		return codeBadVersion
	}
	return c
}

// lookup finds a node and checks that perm is given. The server validates the path of writes alone.
func (x *txn) lookup(path string, perm int32, validate bool) (*node, code) {
	if validate && !validPath(path) {
		return nil, codeBadArguments
	}
	n := x.tree.nodes[path]
	switch {
	case n == nil:
		return nil, codeNoNode
	case !permitted(n.acl, perm, x.who):
		return nil, codeNoAuth
	}
	return n, codeOK
}

func (x *txn) did(m mutation, undo func()) {
	x.done = append(x.done, m)
	x.undo = append(x.undo, undo)
}
