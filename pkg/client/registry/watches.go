// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"sync"

	"github.com/go-zookeeper/zk"
)

// watches shares out the watches of one connection. The library cannot remove a watch, and each request for one adds
// a channel that stays until it fires; so there is one outstanding watch per path, whoever reads it, and who reads
// while it stands reads plainly.
//
// Events come by the library's callback, not by its channels, which nobody reads: they are buffered, and dropped when
// they fire.
type watches struct {
	mu       sync.Mutex // guards what follows
	standing map[watchKey]*watch
	// touched are the paths of all watches asked for since the connection was made: a superset of those the library
	// holds.
	touched map[string]struct{}
}

// watchKey tells the two kinds of watch on one path apart: on its children, and on the node itself.
type watchKey struct {
	path     string
	children bool
}

type watch struct {
	// armed says that the server has it. It may fire before.
	armed bool
	hints map[string]func()
}

// hint is whom to tell. Of one party the newest hint counts: it asks again and again.
type hint struct {
	party string
	call  func()
}

// hinting is nil, for no watch, without somebody to tell.
func hinting(party string, call func()) *hint {
	if call == nil {
		return nil
	}
	return &hint{party: party, call: call}
}

func newWatches() *watches {
	return &watches{standing: make(map[watchKey]*watch), touched: make(map[string]struct{})}
}

// want notes that a party wants to hear of a path, and tells whether a watch has to be asked for.
func (w *watches) want(key watchKey, h *hint) (entry *watch, ask bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry = w.standing[key]
	if entry == nil {
		entry = &watch{hints: make(map[string]func(), 1)}
		w.standing[key] = entry
	}
	entry.hints[h.party] = h.call
	if !entry.armed {
		w.touched[key.path] = struct{}{}
	}
	return entry, !entry.armed
}

// arm says that the server has the watch. If it fired meanwhile, the entry is gone from the map and nothing is lost:
// the hint was given, and the next reading asks for a new one.
func (w *watches) arm(key watchKey, entry *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry.armed = true
	// Again: a request that waited for a new connection set its watch on that one.
	w.touched[key.path] = struct{}{}
}

// forget drops the hints of a party. A watch that the server has stays, as nobody can take it back, and serves whoever
// wants the path next.
func (w *watches) forget(party string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, entry := range w.standing {
		delete(entry.hints, party)
		if len(entry.hints) == 0 && !entry.armed {
			delete(w.standing, key)
		}
	}
}

// fire gives the hints for an event. It runs on the library's goroutine.
func (w *watches) fire(path string, event zk.EventType) {
	w.mu.Lock()
	var fired []*watch
	if event != zk.EventNodeChildrenChanged {
		fired = w.take(fired, watchKey{path: path})
	}
	if event != zk.EventNodeCreated && event != zk.EventNodeDataChanged {
		fired = w.take(fired, watchKey{path: path, children: true})
	}
	w.mu.Unlock()
	tell(fired)
}

func (w *watches) take(into []*watch, key watchKey) []*watch {
	entry := w.standing[key]
	if entry == nil {
		return into
	}
	delete(w.standing, key)
	return append(into, entry)
}

// fireAll gives every hint there is: after a lost connection nobody knows what was missed.
func (w *watches) fireAll() {
	w.mu.Lock()
	all := make([]*watch, 0, len(w.standing))
	for _, entry := range w.standing {
		all = append(all, entry)
	}
	clear(w.standing)
	w.mu.Unlock()
	tell(all)
}

// drop gives, once, the paths of all watches the library may hold.
func (w *watches) drop() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	paths := make([]string, 0, len(w.touched))
	for path := range w.touched {
		paths = append(paths, path)
	}
	clear(w.touched)
	return paths
}

// tell calls without the lock: a hint may do anything but block.
func tell(fired []*watch) {
	for _, entry := range fired {
		for _, call := range entry.hints {
			call()
		}
	}
}
