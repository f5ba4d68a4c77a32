// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"bytes"
	"maps"
	"slices"
)

const (
	pathZooKeeper = "/zookeeper"
	pathQuota     = "/zookeeper/quota"
	pathConfig    = "/zookeeper/config"
)

// Stat is what ZooKeeper tells of a node besides its data.
type Stat struct {
	Czxid          int64 // transaction that created the node
	Mzxid          int64 // transaction that last wrote the data
	Pzxid          int64 // transaction that last added or removed a child
	Ctime          int64 // time of creation, ms since 1970
	Mtime          int64 // time of the last write of the data, ms since 1970
	Version        int32 // writes of the data
	Cversion       int32 // children added plus children removed
	Aversion       int32 // writes of the ACL
	EphemeralOwner int64 // session that owns the node, 0 where it is persistent
	DataLength     int32
	NumChildren    int32
}

// tree holds the nodes. It is free of I/O, time and locks; whoever owns it serializes its use. It changes
// through a [txn] alone.
type tree struct {
	nodes      map[string]*node
	ephemerals map[int64]map[string]struct{} // paths by session
}

type node struct {
	data         []byte
	acl          []ACL
	czxid, mzxid int64
	pzxid        int64
	ctime, mtime int64
	version      int32
	aversion     int32
	owner        int64
	// created counts the children ever created. The next sequential child is numbered by it, and Cversion
	// is derived from it.
	created  int32
	children map[string]struct{}
}

// newTree holds what the real server begins with. Its nodes have the transaction 0.
func newTree() *tree {
	t := &tree{nodes: map[string]*node{}, ephemerals: map[int64]map[string]struct{}{}}
	root := newNode(nil, openACL())
	root.data = []byte{}
	t.nodes[""], t.nodes["/"] = root, root
	for _, path := range []string{pathZooKeeper, pathQuota, pathConfig} {
		n := newNode([]byte{}, openACL())
		parent, name, _ := splitPath(path)
		t.nodes[parent].children[name] = struct{}{}
		t.nodes[path] = n
	}
	t.nodes[pathConfig].acl = []ACL{{Perms: permRead, Scheme: schemeWorld, ID: idAnyone}}
	return t
}

func newNode(data []byte, acl []ACL) *node {
	return &node{data: data, acl: acl, children: map[string]struct{}{}}
}

func (n *node) stat() Stat {
	children := int32(len(n.children))
	return Stat{
		Czxid: n.czxid, Mzxid: n.mzxid, Pzxid: n.pzxid, Ctime: n.ctime, Mtime: n.mtime,
		Version: n.version, Aversion: n.aversion, EphemeralOwner: n.owner,
		DataLength: int32(len(n.data)), NumChildren: children,
		// Creations plus removals, where removals are the creations whose child is gone. The root counts
		// /zookeeper as a child that nobody created, so it begins at -1, as the real one.
		Cversion: 2*n.created - children,
	}
}

// names lists the children in no order, as the real server's hash set does: a client must not rely on one.
func (n *node) names() []string { return slices.Collect(maps.Keys(n.children)) }

// owned lists the ephemeral nodes of a session, sorted.
func (t *tree) owned(session int64) []string { return slices.Sorted(maps.Keys(t.ephemerals[session])) }

// size counts the nodes as the real server does, which has the root under two names.
func (t *tree) size() int { return len(t.nodes) }

func (t *tree) put(path string, n *node) {
	t.nodes[path] = n
	if n.owner == 0 {
		return
	}
	if t.ephemerals[n.owner] == nil {
		t.ephemerals[n.owner] = map[string]struct{}{}
	}
	t.ephemerals[n.owner][path] = struct{}{}
}

func (t *tree) remove(path string, n *node) {
	delete(t.nodes, path)
	if n.owner == 0 {
		return
	}
	delete(t.ephemerals[n.owner], path)
	if len(t.ephemerals[n.owner]) == 0 {
		delete(t.ephemerals, n.owner)
	}
}

// paths lists all nodes once, sorted.
func (t *tree) paths() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for path := range t.nodes {
			if path != "" && !yield(path) {
				return
			}
		}
	})
}

// export copies a node for whoever looks at the tree from outside.
func (n *node) export(path string) Node {
	return Node{Path: path, Data: bytes.Clone(n.data), ACL: slices.Clone(n.acl), Stat: n.stat()}
}

// Node is a copy of a node of the tree.
type Node struct {
	Path string
	Data []byte
	ACL  []ACL
	Stat Stat
}
