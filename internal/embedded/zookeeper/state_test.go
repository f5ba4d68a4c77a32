// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestValidPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/a": true, "/a/b-1_c": true, "/...": true, "/.a": true, "/a..": true, "/é": true, "/漢": true,
		"": false, "a": false, "//": false, "/a/": false, "/a//b": false, "/.": false, "/..": false, "/a/./b": false,
		"/a/..": false, "/\x00": false, "/\x1f": false, "/\x7f": false, "/\u009f": false, "/\uf8ff": false,
		"/\ufff0": false, "/\U0001F600": false, "/\xff": false,
	} {
		if got := validPath(path); got != want {
			t.Errorf("validPath(%q) = %t", path, got)
		}
	}
}

func TestSessionsEndAtTheTickAfterTheirTimeout(t *testing.T) {
	const tick = 10 * time.Second
	table := newSessions(tick, time.UnixMilli(1))
	a := table.open(0, 20*time.Second)                       // rounds up: exactly on a tick counts as before it
	b := table.open(time.Second, 20*time.Second)             // ends with a
	c := table.open(9999*time.Millisecond, 20*time.Second+1) // a nanosecond later
	for id, want := range map[int64]time.Duration{a.id: 30 * time.Second, b.id: 30 * time.Second, c.id: 30 * time.Second} {
		if got := table.byID[id].expires; got != want {
			t.Errorf("session %d ends at %v, want %v", id, got, want)
		}
	}
	table.touch(c, 10*time.Second, 20*time.Second)
	if due := table.due(30*time.Second - 1); len(due) != 0 {
		t.Errorf("%d sessions are due too early", len(due))
	}
	if due := table.due(30 * time.Second); !slices.Equal(due, []*session{a, b}) {
		t.Errorf("%d sessions are due, want the two oldest in order", len(due))
	}
	if a.id == b.id || a.password == b.password {
		t.Error("two sessions are alike")
	}
}

func TestManualClock(t *testing.T) {
	clock := NewManualClock(epoch)
	early, _ := clock.At(epoch.Add(time.Second))
	late, _ := clock.At(epoch.Add(2 * time.Second))
	never, stop := clock.At(epoch.Add(time.Second))
	stop()
	if past, _ := clock.At(epoch); !isClosed(past) {
		t.Error("a time that has come is not reached")
	}
	clock.Advance(time.Second)
	if !isClosed(early) || isClosed(late) || isClosed(never) {
		t.Errorf("after 1 s: early %t, late %t, stopped %t", isClosed(early), isClosed(late), isClosed(never))
	}
	clock.Advance(time.Hour)
	if !isClosed(late) || !clock.Now().Equal(epoch.Add(time.Hour+time.Second)) {
		t.Errorf("after an hour: late %t, now %v", isClosed(late), clock.Now())
	}
}

func TestWatchesForgetOneWhoLeaves(t *testing.T) {
	w := newWatches[string]()
	for _, who := range []string{"a", "b"} {
		w.data.add("/x", who)
		w.data.add("/x", who)
		w.child.add("/", who)
	}
	w.remove("a")
	var told []string
	w.fire(mutation{kind: eventDeleted, path: "/x"}, func(to string, kind eventType, path string, _ []ACL) {
		told = append(told, fmt.Sprint(to, kind, path))
	})
	if want := []string{"b2/x", "b4/"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	for name, table := range map[string]watchTable[string]{"data": w.data, "child": w.child} {
		if len(table.byPath) != 0 || len(table.byWatcher) != 0 || table.count() != 0 {
			t.Errorf("%s keeps %v, %v", name, table.byPath, table.byWatcher)
		}
	}
}

// A transaction that is rolled back leaves no trace, whatever it did.
func TestRollbackRestoresTheTree(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		tree := newTree()
		kept := &txn{tree: tree, zxid: 1, now: 1, session: 5}
		randomOps(kept, rnd, 30)
		before := snapshot(tree)
		lost := &txn{tree: tree, zxid: 2, now: 2, session: 6}
		randomOps(lost, rnd, 30)
		lost.rollback()
		if after := snapshot(tree); !reflect.DeepEqual(before, after) {
			t.Fatalf("seed %d: the tree differs after the rollback\nbefore %+v\nafter  %+v", seed, before, after)
		}
		kept.rollback()
		if after := snapshot(tree); !reflect.DeepEqual(snapshot(newTree()), after) {
			t.Fatalf("seed %d: the tree is not as new: %+v", seed, after)
		}
	}
}

func randomOps(x *txn, rnd *rand.Rand, n int) {
	paths := []string{"/a", "/b", "/a/c", "/a/d", "/b/e", "/a/c/f"}
	flags := []int32{0, 0, flagEphemeral, flagSequence, flagEphemeral | flagSequence}
	for range n {
		path := paths[rnd.IntN(len(paths))]
		switch rnd.IntN(4) {
		case 0, 1:
			x.create(request{path: path, data: []byte{1}, acl: openACL(), flags: flags[rnd.IntN(len(flags))]})
		case 2:
			x.delete(path, -1)
		case 3:
			x.setData(path, []byte{byte(rnd.IntN(256))}, -1)
		}
	}
}

func snapshot(t *tree) any {
	nodes := map[string]Node{}
	for path, n := range t.nodes {
		nodes[path] = n.export(path)
	}
	owned := map[int64][]string{}
	for session := range maps.Keys(t.ephemerals) {
		owned[session] = t.owned(session)
	}
	children := map[string][]string{}
	for path, n := range t.nodes {
		children[path] = slices.Sorted(maps.Keys(n.children))
	}
	return []any{nodes, owned, children}
}

func TestDigestIsZooKeepers(t *testing.T) {
	// From the administrator's guide: the digest of super:super.
	if got, want := digest("super:super"), "super:gG7s8t3oDEtIqF6DM9LlI/R+9Ss="; got != want {
		t.Errorf("digest = %s, want %s", got, want)
	}
}

func TestACLsOfAddresses(t *testing.T) {
	for expr, want := range map[string]bool{
		"10.1.2.3": true, "10.1.2.4": false, "10.1.0.0/16": true, "10.2.0.0/16": false, "0.0.0.0/0": true,
		"10.1.2.3/33": false, "10.1.2.3/x": false, "host": false, "::1": false,
	} {
		if got := ipMatches("10.1.2.3", expr); got != want {
			t.Errorf("ipMatches(%s) = %t", expr, got)
		}
	}
}
