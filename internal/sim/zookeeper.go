// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// server is a model of ZooKeeper: one tree, transactions that happen wholly or not at all, sessions that expire by
// ticks. Directories are not modelled: every node may be made at any time.
type server struct {
	*world
	down     bool
	nodes    map[string]*znode
	zxid     int64
	sessions map[int64]*zsession
	last     int64
	watches  map[string][]*connection
	owners   map[string]kafka.Partition
	offsets  map[string]kafka.Partition
}

type znode struct {
	data         []byte
	version      int32
	czxid, mzxid int64
	// owner is the session of an ephemeral node.
	owner int64
	// member is the decoded registration of a node below ids: it never changes.
	member *layout.Registration
}

type zsession struct {
	id    int64
	by    string
	heard time.Duration
	over  bool
	conn  *connection
}

// origin says who composed a request, and in which session.
type origin struct {
	by      string
	session int64
}

func newServer(w *world) *server {
	return &server{
		world: w, nodes: map[string]*znode{}, sessions: map[int64]*zsession{}, watches: map[string][]*connection{},
		owners: map[string]kafka.Partition{}, offsets: map[string]kafka.Partition{}, last: 0x1000,
	}
}

func (s *server) knows(p kafka.Partition) {
	s.owners[layout.Owner(groupName, p)] = p
	s.offsets[layout.Offset(groupName, p)] = p
}

// open begins a session.
func (s *server) open(by string, conn *connection) *zsession {
	s.last++
	session := &zsession{id: s.last, by: by, conn: conn}
	s.sessions[session.id] = session
	s.touch(session)
	s.watch(session)
	return session
}

// touch notes that a session was heard of. The leader learns of it up to half a tick late, and counts from what it knew
// before.
func (s *server) touch(session *zsession) {
	session.heard = max(session.heard, s.now-s.between(0, s.profile.tick/2))
}

// watch expires a session at the first tick at which it has been silent for its timeout.
func (s *server) watch(session *zsession) {
	due := max(session.heard+s.profile.session, s.now)
	s.at(due.Truncate(s.profile.tick)+s.profile.tick, func() {
		switch {
		case session.over:
		case s.down || session.heard+s.profile.session > s.now:
			s.watch(session)
		default:
			s.end(session, "expired")
		}
	})
}

// end ends a session: its nodes go, and its connection is closed.
func (s *server) end(session *zsession, how string) {
	if session.over {
		return
	}
	session.over = true
	s.record(sessionEnded{Session: session.id, By: session.by})
	s.tracef("session %x of %s %s", session.id, session.by, how)
	for path, node := range inOrder(s.nodes) {
		if node.owner == session.id {
			s.remove(path)
		}
	}
	if session.conn != nil {
		session.conn.closed()
	}
}

// children are the paths below a directory, in order.
func (s *server) children(directory string) []string {
	var paths []string
	for path := range s.nodes {
		if strings.HasPrefix(path, directory) && path[len(directory)] == '/' {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

func (s *server) make(path string, data []byte, owner int64) *znode {
	s.zxid++
	node := &znode{data: data, czxid: s.zxid, mzxid: s.zxid, owner: owner}
	members := layout.Members(groupName)
	if id, ok := strings.CutPrefix(path, members+"/"); ok {
		if member, err := layout.DecodeMember(groupName, id, data); err == nil {
			node.member = &member
		}
	}
	s.nodes[path] = node
	s.fire(path)
	return node
}

func (s *server) remove(path string) {
	s.zxid++
	delete(s.nodes, path)
	s.fire(path)
}

func (s *server) write(path string, data []byte) *znode {
	s.zxid++
	node := s.nodes[path]
	node.data, node.mzxid, node.version = data, s.zxid, node.version+1
	s.fire(path)
	return node
}

// watchOn leaves a watch that fires once.
func (s *server) watchOn(path string, conn *connection) {
	if !slices.Contains(s.watches[path], conn) {
		s.watches[path] = append(s.watches[path], conn)
	}
}

// fire tells those who watch a path, or its directory; some of the news get lost.
func (s *server) fire(path string) {
	directory := path[:strings.LastIndexByte(path, '/')]
	for _, watched := range []string{path, directory} {
		watchers := s.watches[watched]
		if len(watchers) == 0 {
			continue
		}
		delete(s.watches, watched)
		for _, conn := range watchers {
			if !s.chance(s.profile.blind) {
				conn.news(watched)
			}
		}
	}
}

// verdict is the answer to a transaction: refused is the index of the operation that was, -1 if it was carried out.
type verdict struct {
	refused  int
	versions []int32
	zxids    []int64
}

// transact carries out a transaction in a session, or refuses it.
func (s *server) transact(from origin, session int64, txn layout.Txn) verdict {
	for i, op := range txn {
		if !s.allows(op, txn[:i]) {
			return verdict{refused: i}
		}
	}
	s.record(tookEffect{By: from.by, Composed: from.session, Carried: session})
	v := verdict{refused: -1, versions: make([]int32, len(txn)), zxids: make([]int64, len(txn))}
	for i, op := range txn {
		v.versions[i], v.zxids[i] = s.carryOut(from, session, op)
	}
	return v
}

// allows reports whether an operation can be done, after those before it in its transaction.
func (s *server) allows(op layout.Op, before layout.Txn) bool {
	node := s.nodes[op.Path]
	for _, earlier := range before {
		if earlier.Kind == layout.Delete && earlier.Path == op.Path {
			node = nil
		}
	}
	if op.Kind == layout.Create || op.Kind == layout.CreateEphemeral {
		return node == nil
	}
	return node != nil && (op.Version == layout.AnyVersion || op.Version == node.version)
}

func (s *server) carryOut(from origin, session int64, op layout.Op) (version int32, zxid int64) {
	switch op.Kind {
	case layout.Create:
		node := s.make(op.Path, op.Data, 0)
		s.recordMade(from, op, node)
		return 0, node.mzxid
	case layout.CreateEphemeral:
		return 0, s.make(op.Path, op.Data, session).mzxid
	case layout.Set:
		over := s.nodes[op.Path].mzxid
		node := s.write(op.Path, op.Data)
		s.recordWritten(from, op, over, node)
		return node.version, node.mzxid
	case layout.Delete:
		s.remove(op.Path)
	case layout.Check:
	}
	return -1, 0
}

func (s *server) recordMade(from origin, op layout.Op, node *znode) {
	if op.Path == layout.Birth(groupName) {
		ends := map[kafka.Partition]int64{}
		for _, log := range s.logs {
			ends[log.partition] = log.end()
		}
		s.record(groupBegan{By: from.by, Ends: ends})
		return
	}
	if p, ok := s.offsets[op.Path]; ok {
		position, _ := layout.ParseOffset(op.Data)
		s.record(positionMade{By: from.by, Partition: p, Position: position, Zxid: node.mzxid})
	}
}

func (s *server) recordWritten(from origin, op layout.Op, over int64, node *znode) {
	if p, ok := s.offsets[op.Path]; ok {
		position, _ := layout.ParseOffset(op.Data)
		s.record(positionWritten{By: from.by, Partition: p, Position: position, Over: over, Zxid: node.mzxid})
	}
}

// fail takes the server away for a while. Nobody expires meanwhile: a new leader gives every session its whole timeout
// again.
func (s *server) fail(d time.Duration) {
	s.down = true
	s.disturbance("the server is down")
	for _, session := range s.all() {
		if session.conn != nil {
			session.conn.closed()
		}
	}
	s.after(d, func() {
		s.down = false
		for _, session := range s.all() {
			session.heard = s.now
		}
		s.disturbance("the server is up")
	})
}

func (s *server) all() []*zsession {
	var sessions []*zsession
	for _, session := range inOrder(s.sessions) {
		if !session.over {
			sessions = append(sessions, session)
		}
	}
	return sessions
}
