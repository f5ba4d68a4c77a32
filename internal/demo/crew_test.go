// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// control notes what is done to it.
type control struct {
	notes []string
	fails string
	says  string
}

func (c *control) note(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	c.notes = append(c.notes, what)
	if c.fails != "" && strings.HasPrefix(what, c.fails) {
		return errors.New("cannot")
	}
	return nil
}

func (c *control) Kubectl(_ context.Context, args ...string) (string, error) {
	return c.says, c.note("kubectl %s", strings.Join(args, " "))
}

func (c *control) Signal(namespace, pod string, signal syscall.Signal) error {
	return c.note("%s to %s/%s", signal, namespace, pod)
}
func (c *control) KillAPIServer() error                 { return c.note("kill API server") }
func (c *control) StartAPIServer(context.Context) error { return c.note("start API server") }
func (c *control) StopManager() error                   { return c.note("stop manager") }
func (c *control) StartManager(context.Context) error   { return c.note("start manager") }

func TestOperatorDoesWhatAUserWould(t *testing.T) {
	c := &control{}
	o := &operator{system: c, away: func() { _ = c.note("away") }, back: func() { _ = c.note("back") }}
	if err := errors.Join(o.apply(t.Context(), "config/samples"), o.scale(t.Context(), 5), o.kill("demo-1"),
		o.freeze("demo-0"), o.thaw("demo-0"), o.cut(), o.mend(t.Context())); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"kubectl --namespace default apply -k config/samples",
		"kubectl --namespace default wait --for=condition=Ready producerbinding/lines consumergroup/demo --timeout=1m0s",
		"kubectl --namespace default scale consumergroup/demo --replicas=5",
		"killed to default/demo-1", "stopped (signal) to default/demo-0", "continued to default/demo-0",
		"away", "kill API server", "stop manager", "start API server", "start manager", "back",
	}
	if !slices.Equal(c.notes, want) {
		t.Errorf("got %q\nwant %q", c.notes, want)
	}
}

func TestOperatorEntersAsAUserWould(t *testing.T) {
	c := &control{says: "told"}
	way, err := (&operator{system: c}).enter(t.Context(), "127.16.0.1:28079")
	if err != nil || way.url != "told" || way.token != "told" {
		t.Fatalf("got %+v, %v", way, err)
	}
	if last := c.notes[len(c.notes)-1]; last != "kubectl --namespace default create token default --audience told "+
		"--duration 24h" {
		t.Errorf("got %q", last)
	}
}

func TestOperatorTellsWhatFailed(t *testing.T) {
	for what, want := range map[string]string{
		"kill API": "kill the API server: cannot", "stop manager": "stop the manager: cannot",
		"start API": "start the API server again: cannot", "start manager": "start the manager again: cannot",
	} {
		o := &operator{system: &control{fails: what}, away: func() {}, back: func() {}}
		if err := errors.Join(o.cut(), o.mend(t.Context())); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
