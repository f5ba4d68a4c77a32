// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realzk

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"go.uber.org/goleak"
)

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// waitState reads session events until the wanted one comes.
func waitState(t *testing.T, events <-chan zk.Event, want zk.State) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case e := <-events:
			if e.State == want {
				return
			}
		case <-limit:
			t.Fatalf("no event %s within 20 s", want)
		}
	}
}

func connect(t *testing.T, s *Server) (*zk.Conn, <-chan zk.Event) {
	t.Helper()
	conn, events, err := zk.Connect([]string{s.Addr()}, 4*time.Second, zk.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	waitState(t, events, zk.StateHasSession)
	return conn, events
}

func TestServerOverItsLife(t *testing.T) {
	if reason, ok := Available(); !ok {
		t.Skip(reason)
	}
	defer goleak.VerifyNone(t)
	s, err := Start(t.Context(), Config{TickTime: 200 * time.Millisecond, Keep: t.Failed})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()

	before, _ := connect(t, s)
	if _, err := before.Create("/kept", []byte("x"), 0, zk.WorldACL(zk.PermAll)); err != nil {
		t.Fatal(err)
	}
	before.Close()

	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, events := connect(t, s)
	defer after.Close()
	if ok, _, err := after.Exists("/kept"); !ok || err != nil {
		t.Errorf("/kept after the restart: %t, %v", ok, err)
	}

	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	waitState(t, events, zk.StateDisconnected)
	if err := s.Continue(); err != nil {
		t.Fatal(err)
	}
	waitState(t, events, zk.StateHasSession)
}

func TestStartSaysWhyItFailed(t *testing.T) {
	if reason, ok := Available(); !ok {
		t.Skip(reason)
	}
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errors.New("no patience"))
	defer cancel()
	s, err := Start(ctx, Config{})
	if s != nil || err == nil || !strings.Contains(err.Error(), "no patience") {
		t.Errorf("Start within 10 ms: %v, %v", s, err)
	}

	s, err = Start(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.confFile(), []byte("clientPort=none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err == nil || !strings.Contains(err.Error(), "exit status") {
		t.Errorf("Restart with a broken configuration: %v", err)
	}
	if err := s.Stop(); err == nil {
		t.Error("Stop of a dead process succeeds")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	if reason, ok := Available(); !ok {
		t.Skip(reason)
	}
	keep := false
	for _, keep = range []bool{true, false} {
		s, err := Start(t.Context(), Config{Keep: func() bool { return keep }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.LogPath()); (err == nil) != keep {
			t.Errorf("keep %t: the log after Close: %v", keep, err)
		}
		_ = os.RemoveAll(s.dir)
	}
}
