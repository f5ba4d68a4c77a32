// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			begin := time.Now()
			p := &progress{
				out: &out, terminal: terminal, total: 100_000, begin: begin,
				counts: func() (int, int) { return 9000, 1000 * int(time.Since(begin).Seconds()) },
				owners: func() string { return "a 6  b 6" },
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				p.run(ctx)
			}()
			<-time.After(1600 * time.Millisecond)
			p.announce("5 workers")
			<-time.After(4 * time.Second)
			cancel()
			<-done
			const announced, line = "  1.6s  5 workers\n", "5,000 of 100,000 delivered  1,000/s  lag 4,000  owners: a 6  b 6"
			if !strings.Contains(out.String(), announced) || !strings.Contains(out.String(), line) {
				t.Errorf("got %q", out.String())
			}
			if lines := strings.Count(out.String(), "\n"); lines != 1 && terminal || lines != 2 && !terminal {
				t.Errorf("%d lines on a terminal: %t\n%q", lines, terminal, out.String())
			}
			if escapes := strings.Contains(out.String(), "\x1b"); escapes != terminal {
				t.Errorf("escapes: %t", escapes)
			}
		})
	}
}

func TestOwnersLine(t *testing.T) {
	got := ownersLine([]string{"demo-0", "demo-1"}, map[string]int{"demo-0": 7, "demo-2": 2}, 12)
	if got != "demo-0 7  demo-1 0  others 2  nobody 3" {
		t.Errorf("got %q", got)
	}
	again := ownersLine([]string{"demo-0", "demo-1", "demo-1"}, map[string]int{"demo-0": 6, "demo-1": 6}, 12)
	if again != "demo-0 6  demo-1 6" {
		t.Errorf("a worker that is started again, and its session of before, are one pod: got %q", again)
	}
}
