// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// actors is a crew that notes what is done to it, and when.
type actors struct {
	begin time.Time
	notes []string
	fails string
}

func (a *actors) note(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	a.notes = append(a.notes, fmt.Sprintf("%.0f %s", time.Since(a.begin).Seconds(), what))
	if a.fails != "" && strings.HasPrefix(what, a.fails) {
		return errors.New("cannot")
	}
	return nil
}

func (a *actors) scale(_ context.Context, replicas int) error { return a.note("scale %d", replicas) }
func (a *actors) kill(name string) error                      { return a.note("kill %s", name) }
func (a *actors) freeze(name string) error                    { return a.note("freeze %s", name) }
func (a *actors) thaw(name string) error                      { return a.note("thaw %s", name) }
func (a *actors) cut() error                                  { return a.note("cut") }
func (a *actors) mend(context.Context) error                  { return a.note("mend") }

func TestScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crew := &actors{begin: time.Now()}
		var titles []string
		windows, err := play(t.Context(), script(byZooKeeper), crew, func(title string) { titles = append(titles, title) })
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"5 scale 5", "17 scale 2", "29 kill demo-1", "42 freeze demo-0", "50 thaw demo-0", "56 cut", "86 mend",
		}
		if !slices.Equal(crew.notes, want) {
			t.Errorf("got %q, want %q", crew.notes, want)
		}
		if took := time.Since(crew.begin); took != length(script(byZooKeeper)) || took > 110*time.Second {
			t.Errorf("took %s", took)
		}
		if len(windows) != 2 || windows[0].From.Sub(crew.begin) != 29*time.Second ||
			windows[1].To.Sub(crew.begin) != 55500*time.Millisecond {
			t.Errorf("got windows %v", windows)
		}
		if len(titles) != len(script(byZooKeeper)) {
			t.Errorf("announced %q", titles)
		}
	})
}

// What a fault may lead to has to be over before the next planned change is judged.
func TestScriptLeavesTimeToHeal(t *testing.T) {
	for who, p := range map[string]pace{"ZooKeeper": byZooKeeper, "brokers": byBrokers} {
		if p.frozen() <= p.session+p.grain {
			t.Errorf("%s: frozen for %s, and the session lives for up to %s", who, p.frozen(), p.session+p.grain)
		}
		for _, phase := range script(p) {
			least := p.limits().planned
			if phase.unplanned {
				least = p.limits().unplanned
			}
			if strings.HasPrefix(phase.title, "freeze") {
				least = p.frozen() + p.handover
			}
			if phase.lasts < least+time.Second {
				t.Errorf("%s: %s: %s is not %s and a second", who, phase.title, phase.lasts, least)
			}
		}
		if p.grain > p.session/3 {
			t.Errorf("%s: a lease is sound only while the grain is at most a third of the session", who)
		}
	}
}

func TestPlayStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crew := &actors{begin: time.Now(), fails: "scale 2"}
		_, err := play(t.Context(), script(byZooKeeper), crew, func(string) {})
		if err == nil || !strings.Contains(err.Error(), "kubectl scale --replicas=2: cannot") {
			t.Errorf("a failed act: got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := play(ctx, script(byZooKeeper), &actors{}, func(string) {}); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: got %v", err)
		}
		for cause, want := range map[error]string{
			errors.New("signal"):                  `interrupted during "3 workers": signal`,
			publishFailure{errors.New("refused")}: `publishing failed during "3 workers": refused`,
		} {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(cause)
			_, err := play(ctx, script(byZooKeeper), &actors{}, func(string) {})
			if !errors.Is(err, cause) || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}
