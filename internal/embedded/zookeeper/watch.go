// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

// eventType is the kind of an event on the wire (Watcher.Event.EventType).
type eventType int32

const (
	eventCreated         eventType = 1
	eventDeleted         eventType = 2
	eventDataChanged     eventType = 3
	eventChildrenChanged eventType = 4
)

// stateConnected is the state of the session that every event carries (KeeperState.SyncConnected).
const stateConnected = 3

// watches holds one-shot watches by path, for data (and existence) and for children apart, as the real
// server does. Whoever owns it serializes its use.
type watches[W comparable] struct {
	data  watchTable[W]
	child watchTable[W]
}

// watchTable knows both ways, so that a connection that ends costs what it watched, not all there is.
type watchTable[W comparable] struct {
	byPath    map[string]map[W]struct{}
	byWatcher map[W]map[string]struct{}
}

func newWatches[W comparable]() *watches[W] {
	return &watches[W]{data: newWatchTable[W](), child: newWatchTable[W]()}
}

func newWatchTable[W comparable]() watchTable[W] {
	return watchTable[W]{byPath: map[string]map[W]struct{}{}, byWatcher: map[W]map[string]struct{}{}}
}

func (t watchTable[W]) add(path string, w W) {
	if t.byPath[path] == nil {
		t.byPath[path] = map[W]struct{}{}
	}
	if t.byWatcher[w] == nil {
		t.byWatcher[w] = map[string]struct{}{}
	}
	t.byPath[path][w] = struct{}{}
	t.byWatcher[w][path] = struct{}{}
}

// take removes and returns those who watch path.
func (t watchTable[W]) take(path string) map[W]struct{} {
	taken := t.byPath[path]
	delete(t.byPath, path)
	for w := range taken {
		t.forget(path, w)
	}
	return taken
}

func (t watchTable[W]) forget(path string, w W) {
	delete(t.byWatcher[w], path)
	if len(t.byWatcher[w]) == 0 {
		delete(t.byWatcher, w)
	}
}

func (t watchTable[W]) removeWatcher(w W) {
	for path := range t.byWatcher[w] {
		delete(t.byPath[path], w)
		if len(t.byPath[path]) == 0 {
			delete(t.byPath, path)
		}
	}
	delete(t.byWatcher, w)
}

func (t watchTable[W]) count() int {
	n := 0
	for _, paths := range t.byWatcher {
		n += len(paths)
	}
	return n
}

func (s *watches[W]) remove(w W) {
	s.data.removeWatcher(w)
	s.child.removeWatcher(w)
}

// notify says that kind happened to path to everybody who watches it. acl decides who may hear of it.
type notify[W comparable] func(to W, kind eventType, path string, acl []ACL)

// fire sends what a mutation means to the watches, in the order of DataTree. One who watches both the data
// and the children of a deleted node hears of it once.
func (s *watches[W]) fire(m mutation, send notify[W]) {
	told := s.data.take(m.path)
	for w := range told {
		send(w, m.kind, m.path, m.acl)
	}
	if m.kind == eventDeleted {
		for w := range s.child.take(m.path) {
			if _, twice := told[w]; !twice {
				send(w, m.kind, m.path, m.acl)
			}
		}
	}
	if m.kind == eventDataChanged {
		return
	}
	parent, _, _ := splitPath(m.path)
	parent = rootOr(parent)
	for w := range s.child.take(parent) {
		send(w, eventChildrenChanged, parent, m.parentACL)
	}
}

// restore sets the watches of a client that comes back, or tells it at once what it missed since the
// transaction it has seen.
func (s *watches[W]) restore(t *tree, q request, w W, send notify[W]) {
	for _, path := range q.dataWatches {
		switch n := t.nodes[path]; {
		case n == nil:
			send(w, eventDeleted, path, nil)
		case n.mzxid > q.seen:
			send(w, eventDataChanged, path, n.acl)
		default:
			s.data.add(path, w)
		}
	}
	for _, path := range q.existWatches {
		if n := t.nodes[path]; n != nil {
			send(w, eventCreated, path, n.acl)
		} else {
			s.data.add(path, w)
		}
	}
	for _, path := range q.childWatches {
		switch n := t.nodes[path]; {
		case n == nil:
			send(w, eventDeleted, path, nil)
		case n.pzxid > q.seen:
			send(w, eventChildrenChanged, path, n.acl)
		default:
			s.child.add(path, w)
		}
	}
}

func encodeEvent(kind eventType, path string) []byte {
	body := appendInt32(nil, int32(kind))
	body = appendInt32(body, stateConnected)
	return encodeReply(xidEvent, -1, codeOK, appendString(body, path))
}
