// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"cmp"
	"slices"
	"time"
)

// SessionInfo describes a live session.
type SessionInfo struct {
	ID         int64
	Timeout    time.Duration // as negotiated when the session was opened
	Client     string        // address of its connection, empty where it has none
	Expires    time.Time     // when it ends unless its client is heard of
	Ephemerals []string      // paths of the nodes it owns, sorted
}

// Sessions lists the live sessions by their number.
func (s *Server) Sessions() []SessionInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]SessionInfo, 0, len(s.sessions.byID))
	for _, x := range s.sessions.byID {
		info := SessionInfo{
			ID: x.id, Timeout: x.timeout, Expires: s.born.Add(x.expires), Ephemerals: s.tree.owned(x.id),
		}
		if x.conn != nil {
			info.Client = x.conn.nc.RemoteAddr().String()
		}
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b SessionInfo) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Dump copies the whole tree, sorted by path.
func (s *Server) Dump() []Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := s.tree.paths()
	list := make([]Node, 0, len(paths))
	for _, path := range paths {
		list = append(list, s.tree.nodes[path].export(path))
	}
	return list
}

// Get copies one node and reports whether there is one.
func (s *Server) Get(path string) (Node, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.tree.nodes[path]
	if !ok {
		return Node{}, false
	}
	return n.export(path), true
}

// Children lists the names of the children of a node, sorted; nil where there is no such node.
func (s *Server) Children(path string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.tree.nodes[path]
	if !ok {
		return nil
	}
	names := n.names()
	slices.Sort(names)
	return names
}

// Requests is the number of requests of one kind executed so far; AnyOp counts all but pings.
func (s *Server) Requests(op Op) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op != AnyOp {
		return s.counts[op]
	}
	sum := uint64(0)
	for o, n := range s.counts {
		if o != OpPing {
			sum += n
		}
	}
	return sum
}

// Connections is the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Watches is the number of watches that wait for an event.
func (s *Server) Watches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches.data.count() + s.watches.child.count()
}

// Zxid is the number of the last transaction.
func (s *Server) Zxid() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.zxid
}
