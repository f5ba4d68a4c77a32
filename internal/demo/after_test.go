// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// outage is a topic that cannot be published to for a while.
type outage struct {
	log

	from, to time.Time
}

func (o *outage) publish(ctx context.Context, values [][]byte) ([]result, error) {
	if now := time.Now(); now.After(o.from) && now.Before(o.to) {
		return nil, errors.New("no broker can be reached")
	}
	return o.log.publish(ctx, values)
}

func TestKeepOutlastsAnOutage(t *testing.T) {
	in, err := inputOf(t, "a\n")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		topic := &outage{from: begin.Add(3500 * time.Millisecond), to: begin.Add(8 * time.Second)}
		var out bytes.Buffer
		d := &demo{config: Config{Out: &out}, logger: slog.New(slog.DiscardHandler)}
		ctx, interrupt := context.WithTimeout(t.Context(), 20*time.Second)
		defer interrupt()
		d.keep(ctx, &publisher{topic: topic, input: in, recorder: newRecorder(), places: asTold})
		if elapsed := time.Since(begin); elapsed != 20*time.Second {
			t.Errorf("ended after %s", elapsed)
		}
		// 20 s, less 4.5 of the outage, at most 2 until it is noticed that it is over, and what the failed second had sent.
		if least := 13 * trickle; len(topic.values) < least {
			t.Errorf("published %d, want %d at least", len(topic.values), least)
		}
		told := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(told) != 2 || !strings.HasSuffix(told[0], "no broker can be reached") || told[1] != "publishing goes on" {
			t.Errorf("told %q", told)
		}
	})
}
