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
		for _, missing := range [][]string{nil, {"orders"}, nil} {
			source.change(func(o *worker.Observation) {
				o.Missing = missing
				o.At = o.At.Add(time.Minute)
				o.Session.LeaseUntil = o.At.Add(time.Second)
			})
			time.Sleep(time.Minute) //nolint:forbidigo // in a bubble: sixty looks
		}
		stop()
		<-done
		for line, want := range map[string]int{
			"msg=Ready ":            1,
			`msg="Needs attention"`: 1,
			"code=TopicMissing":     2,
			"msg=Healed":            1,
			"after=1m0s":            1,
		} {
			if got := strings.Count(log.String(), line); got != want {
				t.Errorf("%s stands %d times, want %d, in\n%s", line, got, want, log.String())
			}
		}
	})
}
