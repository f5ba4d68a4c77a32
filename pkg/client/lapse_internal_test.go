// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/client/group"
)

// scripted is a member that answers events with the commands it was given for them, in order.
type scripted struct{ answers [][]group.Command }

func (s *scripted) Step(time.Time, group.Event) []group.Command {
	next := s.answers[0]
	s.answers = s.answers[1:]
	return next
}
func (s *scripted) Next() time.Time          { return time.Time{} }
func (s *scripted) Snapshot() group.Snapshot { return group.Snapshot{} }

// deaf is a processor of which nobody wants to know anything.
type deaf struct{ Processor }

func (deaf) Pause()  {}
func (deaf) Resume() {}
func (deaf) Stop()   {}

func scriptedDriver(log *bytes.Buffer, coordination Coordination, answers ...[]group.Command) *driver {
	c := &Consumer{
		cluster: &Cluster{logger: slog.New(slog.NewTextHandler(log, nil))},
		config:  ConsumerConfig{Group: "g", Coordination: coordination},
		member:  &scripted{answers: answers}, sources: map[int64]*source{}, fetcher: newFetcher(nil),
	}
	d := newDriver(c, nil)
	d.lanes[1] = &source{lane: 1, processor: deaf{}}
	return d
}

func TestALeaseThatLapsesIsToldOnceAndThatItHoldsAgain(t *testing.T) {
	var log bytes.Buffer
	d := scriptedDriver(&log, CoordinationZooKeeper,
		[]group.Command{group.Extend{Until: time.Now().Add(time.Hour)}}, []group.Command{group.Pause{}}, nil,
		[]group.Command{group.Resume{}}, []group.Command{group.Resume{}})
	sent := time.Now().Add(-7 * time.Second)
	for _, event := range []group.Event{
		group.Probed{Sent: sent}, // proved
		group.Probed{Sent: sent.Add(time.Second), Answer: group.Answer{
			Outcome: group.Unavailable, Err: errors.New("hung up"),
		}},
		group.Tick{},
		group.Probed{Sent: time.Now()},
		group.Tick{},
	} {
		d.step(t.Context(), event)
	}
	told := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(told) != 2 {
		t.Fatalf("told %d times, want twice:\n%s", len(told), log.String())
	}
	for _, want := range []string{
		"level=WARN", "lapsed", "group=g", "keeper=ZooKeeper", "partitions=1", "unproved=7", `reason="hung up"`,
	} {
		if !strings.Contains(told[0], want) {
			t.Errorf("%s\nlacks %s", told[0], want)
		}
	}
	for _, want := range []string{"level=INFO", "holds again", "paused="} {
		if !strings.Contains(told[1], want) {
			t.Errorf("%s\nlacks %s", told[1], want)
		}
	}
}

func TestALeaseThatEndsWithTheMembershipIsTold(t *testing.T) {
	var log bytes.Buffer
	d := scriptedDriver(&log, CoordinationKafka, []group.Command{group.Stop{Lane: 1}, group.Pause{}})
	d.step(t.Context(), coordinator.Beaten{Answer: coordinator.Answer{
		Verdict: coordinator.Expelled, Err: errors.New("unknown member"),
	}})
	if told := log.String(); !strings.Contains(told, "partitions=1") || !strings.Contains(told, "unknown member") {
		t.Errorf("told %q", told)
	}
}

func TestALeaseThatNobodyNeedsLapsesInSilence(t *testing.T) {
	var log bytes.Buffer
	d := scriptedDriver(&log, CoordinationKafka, []group.Command{group.Pause{}}, []group.Command{group.Resume{}})
	clear(d.lanes)
	d.step(t.Context(), group.Tick{})
	d.step(t.Context(), group.Tick{})
	if log.Len() > 0 {
		t.Errorf("told %q", log.String())
	}
}
