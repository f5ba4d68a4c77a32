// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

func TestConnectStrings(t *testing.T) {
	tests := map[string]struct {
		servers []string
		chroot  string
	}{
		"zk-0":                        {[]string{"zk-0:2181"}, ""},
		"zk-0:2182/":                  {[]string{"zk-0:2182"}, ""},
		"zk-0, zk-1:2182,zk-0/kafka":  {[]string{"zk-0:2181", "zk-1:2182"}, "/kafka"},
		"[::1]:2182,[fe80::1]/a/b.c/": {[]string{"[::1]:2182", "[fe80::1]:2181"}, "/a/b.c"},
		"::1,10.0.0.1":                {[]string{"10.0.0.1:2181", "[::1]:2181"}, ""},
	}
	for connect, want := range tests {
		s, err := Config{Connect: connect}.settings()
		if err != nil {
			t.Errorf("%s: %v", connect, err)
			continue
		}
		slices.Sort(s.servers)
		if !slices.Equal(s.servers, want.servers) || s.chroot != want.chroot {
			t.Errorf("%s: %v %q, want %v", connect, s.servers, s.chroot, want)
		}
	}
}

func TestConfigurationErrorsAllAtOnce(t *testing.T) {
	_, err := New(Config{
		Connect: "zk-0:70000,,a b:1/x//y", SessionTimeout: 10, Digest: "secret",
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`"zk-0:70000"`, `server ""`, `"a b:1"`, `"/x//y"`, "session timeout 10ns", "user:password",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("%q shows a secret", err)
	}
	for _, connect := range []string{"", "/kafka", "zk-0/kafka,zk-1/kafka", "zk-0:a", ":2181", "zk-0:0", "zk-0/../x"} {
		if _, err := New(Config{Connect: connect}); err == nil {
			t.Errorf("connect %q is accepted", connect)
		}
	}
}

func TestAttemptsFitIntoTheLease(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		6 * time.Second: time.Second, 30 * time.Second: 10 * time.Second / 3, time.Minute: maxAttempt,
	} {
		s, err := Config{Connect: "a,b,c", SessionTimeout: timeout}.settings()
		if err != nil || s.attempt.Round(time.Millisecond) != want.Round(time.Millisecond) {
			t.Errorf("%v: %v, %v; want %v", timeout, s.attempt, err, want)
		}
	}
}

func TestRouteGoesRoundAndSlowsDown(t *testing.T) {
	r := &route{servers: []string{"a", "b"}}
	now := time.Now()
	next := func(server string, again bool, least, most time.Duration) {
		t.Helper()
		got, gotAgain := r.Next()
		pause := r.pause(now)
		if got != server || gotAgain != again || pause < least || pause > most {
			t.Errorf("%s, %t, %v; want %s, %t, %v to %v", got, gotAgain, pause, server, again, least, most)
		}
		now = now.Add(pause + time.Second)
	}
	next("a", false, 0, 0)
	next("b", false, 0, 0)
	for round := 1; round < 10; round++ {
		most := min(firstWait<<round, maxPause-libraryPause)
		next("a", true, most/2, most)
		next("b", false, 0, 0)
	}
	r.Connected() // proves nothing
	next("a", true, time.Second, maxPause)
	r.settle()
	next("b", false, 0, 0)
	now = now.Add(-time.Second)
	next("a", false, dialInterval, dialInterval)
	r.close()
	next("b", true, 0, maxPause)
}

func TestOneWatchPerPath(t *testing.T) {
	w := newWatches()
	var calls []string
	to := func(party string) *hint { return hinting(party, func() { calls = append(calls, party) }) }
	key := watchKey{path: "/a"}
	entry, ask := w.want(key, to("x"))
	if !ask {
		t.Fatal("the first is not to ask")
	}
	if _, ask := w.want(key, to("y")); !ask {
		t.Error("while the first has no answer, the second has to ask as well")
	}
	w.arm(key, entry)
	if _, ask := w.want(key, to("x")); ask {
		t.Error("asked again for a watch that stands")
	}
	w.fire("/a", zk.EventNodeChildrenChanged) // of another kind
	w.fire("/b", zk.EventNodeDeleted)
	if len(calls) > 0 {
		t.Errorf("%v were told of something else", calls)
	}
	w.fire("/a", zk.EventNodeDataChanged)
	w.fire("/a", zk.EventNodeDataChanged)
	if slices.Sort(calls); !slices.Equal(calls, []string{"x", "y"}) {
		t.Errorf("told %v, want x and y once", calls)
	}
	if _, ask := w.want(key, to("x")); !ask {
		t.Error("not to ask again after it fired")
	}
}

func TestAWatchThatFiresBeforeItsAnswerIsAskedForAgain(t *testing.T) {
	w := newWatches()
	told := 0
	h := hinting("x", func() { told++ })
	key := watchKey{path: "/a", children: true}
	entry, _ := w.want(key, h)
	w.fire("/a", zk.EventNodeDeleted)
	w.arm(key, entry)
	if _, ask := w.want(key, h); !ask || told != 1 {
		t.Errorf("told %d times and ask %t, want once and true", told, ask)
	}
}

func TestALostConnectionFiresEveryWatchOnce(t *testing.T) {
	w := newWatches()
	told := 0
	for _, path := range []string{"/a", "/b"} {
		entry, _ := w.want(watchKey{path: path}, hinting("x", func() { told++ }))
		w.arm(watchKey{path: path}, entry)
	}
	paths := w.drop()
	if slices.Sort(paths); !slices.Equal(paths, []string{"/a", "/b"}) || len(w.drop()) > 0 {
		t.Errorf("dropped %v, want both, once", paths)
	}
	w.fireAll()
	w.fireAll()
	if told != 2 {
		t.Errorf("told %d times, want 2", told)
	}
}

func TestTroublesReadTheSameAtEachAttempt(t *testing.T) {
	refused := func(port int) error {
		return &net.OpError{
			Op: "dial", Net: "tcp", Source: &net.TCPAddr{Port: port},
			Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
		}
	}
	for _, err := range []error{refused(1), fmt.Errorf("outer: %w", refused(2))} {
		if got := shortly(err); got != "connection refused" {
			t.Errorf("%v: %q", err, got)
		}
	}
	for want, err := range map[string]error{
		"no such host": &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}},
		"no answer":    &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded},
		"it hangs up":  &net.OpError{Op: "read", Err: net.ErrClosed},
		"strange":      &net.OpError{Op: "read", Addr: &net.TCPAddr{Port: 3}, Err: errors.New("strange")},
	} {
		if got := shortly(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestKinds(t *testing.T) {
	for err, want := range map[error]Kind{
		nil: 0, zk.ErrNoNode: NoNode, zk.ErrNodeExists: Conflict, zk.ErrBadVersion: Conflict, zk.ErrNoAuth: Denied,
		zk.ErrConnectionClosed: Unavailable, zk.ErrSessionExpired: Lost, zk.ErrInvalidPath: Malformed,
		errors.New("unknown error: -5"): Malformed, errors.New("unknown error: -127"): Unavailable,
	} {
		if got := KindOf(failure("op", "/path", err)); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}
