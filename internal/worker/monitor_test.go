// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/internal/worker"
)

func TestMonitorLogsEachReasonOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		source := &scene{now: consuming()}
		monitor := worker.NewMonitor(source, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			monitor.Run(ctx)
		}()
		time.Sleep(500 * time.Millisecond) //nolint:forbidigo // in a bubble: every look falls between two changes
		for minute := range 3 {
			for second := range 60 {
				source.change(func(o *worker.Observation) {
					o.At = o.At.Add(time.Second)
					o.Session.LeaseUntil = o.At.Add(time.Second)
					o.Missing, o.Problems = nil, nil
					if minute == 1 {
						o.Missing = []string{"orders"}
					}
					if second == 30 {
						o.Problems = []worker.Problem{{Path: "/flickers"}}
					}
				})
				time.Sleep(time.Second) //nolint:forbidigo // in a bubble: one look
			}
		}
		stop()
		<-done
		for line, want := range map[string]int{
			"msg=Ready ":            1,
			`msg="Needs attention"`: 1,
			"code=TopicMissing":     2,
			"msg=Healed":            1,
			"after=1m0s":            1,
			"/flickers":             0,
		} {
			if got := strings.Count(log.String(), line); got != want {
				t.Errorf("%s stands %d times, want %d, in\n%s", line, got, want, log.String())
			}
		}
	})
}
