// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"errors"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func sample() Observation {
	view := owned("m")
	return Observation{
		At: time.Unix(1, 0), Topics: []string{"orders"},
		Groups: map[string]client.GroupView{"billing": view},
		Workers: map[string]Worker{"billing-0": {At: time.Unix(1, 0), Status: &worker.Status{
			Ready: true, Time: time.Unix(1, 0),
			Partitions: []worker.PartitionStatus{{Topic: "orders", Partition: "0"}},
		}}},
	}
}

// What a status shows at once, what it shows every 15 s, and what it does not show at all.
func TestWhatDiffers(t *testing.T) {
	group := func(change func(*client.GroupView)) func(*Observation) {
		return func(o *Observation) {
			view := o.Groups["billing"]
			change(&view)
			o.Groups["billing"] = view
		}
	}
	status := func(change func(*worker.Status)) func(*Observation) {
		return func(o *Observation) { change(o.Workers["billing-0"].Status) }
	}
	for name, c := range map[string]struct {
		change         func(*Observation)
		shape, numbers bool // are the same
	}{
		"nothing":          {func(*Observation) {}, true, true},
		"time of reading":  {func(o *Observation) { o.At = time.Unix(9, 0) }, true, true},
		"time of answer":   {status(func(s *worker.Status) { s.Time = time.Unix(9, 0) }), true, true},
		"counters":         {status(func(s *worker.Status) { s.Counters.RecordsFetched++ }), true, true},
		"lease":            {status(func(s *worker.Status) { s.Session.LeaseValidUntil = time.Unix(9, 0) }), true, true},
		"position":         {group(func(g *client.GroupView) { g.Partitions[0].Committed++ }), true, false},
		"lag":              {group(func(g *client.GroupView) { g.Partitions[0].Lag++ }), true, false},
		"attempts":         {status(func(s *worker.Status) { s.Partitions[0].Attempts++ }), true, false},
		"error":            {func(o *Observation) { o.Err = errors.New("x") }, false, true},
		"topics":           {func(o *Observation) { o.Topics = nil }, false, true},
		"missing":          {func(o *Observation) { o.Missing = []string{"x"} }, false, true},
		"no group":         {func(o *Observation) { clear(o.Groups) }, false, false},
		"owner":            {group(func(g *client.GroupView) { g.Partitions[0].Owner = "n" }), false, false},
		"first commit":     {group(func(g *client.GroupView) { g.Partitions[0].Committed = -1 }), false, false},
		"member":           {group(func(g *client.GroupView) { g.Members[0].Leaving = true }), false, true},
		"begun":            {group(func(g *client.GroupView) { g.Begun = true }), false, true},
		"why":              {group(func(g *client.GroupView) { g.Why = "x" }), false, true},
		"problem":          {group(func(g *client.GroupView) { g.Problems = []layout.Problem{{Path: "/x"}} }), false, true},
		"ends unknown":     {group(func(g *client.GroupView) { g.EndErr = errors.New("x") }), false, true},
		"worker gone":      {func(o *Observation) { clear(o.Workers) }, false, false},
		"worker not ready": {status(func(s *worker.Status) { s.Ready = false }), false, true},
		"worker warns": {status(func(s *worker.Status) {
			s.Warnings = []worker.Reason{{Code: worker.Unfenced}}
		}), false, true},
		"blocked": {status(func(s *worker.Status) { s.Partitions[0].Blocked = &worker.Block{} }), false, false},
		"state":   {status(func(s *worker.Status) { s.Partitions[0].State = "other" }), false, true},
		"worker silent": {func(o *Observation) {
			o.Workers["billing-0"] = Worker{Status: o.Workers["billing-0"].Status, Err: errors.New("x")}
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := sample(), sample()
			c.change(&b)
			if sameShape(a, b) != c.shape || sameShape(b, a) != c.shape {
				t.Errorf("same shape: %v, want %v", sameShape(a, b), c.shape)
			}
			if sameNumbers(a, b) != c.numbers || sameNumbers(b, a) != c.numbers {
				t.Errorf("same numbers: %v, want %v", sameNumbers(a, b), c.numbers)
			}
		})
	}
}
