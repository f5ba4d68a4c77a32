// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/internal/truth"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func wellOutcome() outcome {
	return outcome{
		Account: ledger.Account{
			Published: 100_000, Delivered: 100_000,
			Planned:   ledger.Cost{Pause: ledger.Pause{Length: 120 * time.Millisecond}},
			Unplanned: ledger.Cost{Repeated: 31, Pause: ledger.Pause{Length: 6440 * time.Millisecond}},
		},
		entering: entering{sent: 100_000, again: 3, inTopic: 100_000, bound: true},
		first:    40 * time.Millisecond, checks: 12_345, caughtUp: true,
	}
}

// limits are those of groups in ZooKeeper.
var limits = byZooKeeper.limits()

func TestReport(t *testing.T) {
	var out strings.Builder
	if !printTable(&out, verdict(wellOutcome(), limits)) {
		t.Error("not well")
	}
	want := `  published by HTTP                 100,000
  answered 201                      100,000  100,000   ok
  refused first, and sent again           3
  unknown whether written                 0  0         ok
  in the topic twice                      0  0         ok
  delivered                         100,000  100,000   ok
  lost                                    0  0         ok
  never published                         0  0         ok
  altered                                 0  0         ok
  not committed at the end                0  0         ok
  out of order                            0  0         ok
  delivered twice, planned changes        0  0         ok
  delivered twice, kill and freeze       31
  refused by the sink's fence             0
  longest pause, planned changes     0.12 s  < 1.00 s  ok
  longest pause, kill and freeze     6.44 s  < 7.50 s  ok
  first delivery once Ready          0.04 s  < 2.00 s  ok
  values of statuses checked         12,345
  lies among them                         0  0         ok
  status tells the end                  yes  yes       ok
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestEveryBrokenPromiseFails(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*outcome)
		want string
	}{
		"nothing published": {edit: func(a *outcome) { a.sent, a.Published, a.Delivered = 0, 0, 0 }, want: "published"},
		"unanswered":        {edit: func(a *outcome) { a.Published-- }, want: "answered 201"},
		"uncertain":         {edit: func(a *outcome) { a.uncertain = 1 }, want: "unknown whether"},
		"twice in the topic": {
			edit: func(a *outcome) { a.inTopic++ }, want: "in the topic twice",
		},
		"not in the topic": {
			edit: func(a *outcome) { a.inTopic--; a.bound = false }, want: "in the topic twice",
		},
		"lost":             {edit: func(a *outcome) { a.Lost, a.Delivered = 1, a.Delivered-1 }, want: "lost"},
		"strange":          {edit: func(a *outcome) { a.Strange = 1 }, want: "never published"},
		"altered":          {edit: func(a *outcome) { a.Altered = 1 }, want: "altered"},
		"planned repeat":   {edit: func(a *outcome) { a.Planned.Repeated = 1 }, want: "delivered twice, planned"},
		"not committed":    {edit: func(a *outcome) { a.uncommitted = 1 }, want: "not committed"},
		"committed beyond": {edit: func(a *outcome) { a.uncommitted = -1 }, want: "not committed"},
		"disorder": {
			edit: func(a *outcome) { a.Disorder = map[kafka.Partition]int{{Topic: "lines", ID: "3"}: 2} },
			want: "out of order (lines/3: 2)",
		},
		"first delivery late":  {edit: func(a *outcome) { a.first = limits.first }, want: "first delivery"},
		"no first delivery":    {edit: func(a *outcome) { a.first = 0 }, want: "first delivery"},
		"no status checked":    {edit: func(a *outcome) { a.checks = 0 }, want: "values of statuses"},
		"a lie":                {edit: func(a *outcome) { a.lies = make([]truth.Lie, 1) }, want: "lies among"},
		"a status left behind": {edit: func(a *outcome) { a.caughtUp = false }, want: "status tells"},
		"planned pause": {
			edit: func(a *outcome) { a.Planned.Pause.Length = time.Second }, want: "longest pause, planned",
		},
		"unplanned pause": {
			edit: func(a *outcome) { a.Unplanned.Pause.Length = limits.unplanned }, want: "longest pause, kill",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := wellOutcome()
			c.edit(&a)
			var out strings.Builder
			if printTable(&out, verdict(a, limits)) {
				t.Error("passed")
			}
			for line := range strings.Lines(out.String()) {
				if strings.HasPrefix(line, "  "+c.want) && strings.HasSuffix(line, "FAILED\n") {
					return
				}
			}
			t.Errorf("no line %q failed in\n%s", c.want, out.String())
		})
	}
}

func TestKafka07MayHaveMessagesTwice(t *testing.T) {
	o := wellOutcome()
	o.inTopic, o.bound = o.inTopic+2, false
	var out strings.Builder
	if !printTable(&out, verdict(o, limits)) {
		t.Errorf("not well:\n%s", out.String())
	}
}

func TestEvidence(t *testing.T) {
	if lines := evidence(wellOutcome(), limits); len(lines) != 0 {
		t.Errorf("got %q", lines)
	}
	o := wellOutcome()
	at := time.Date(2026, 9, 24, 12, 0, 1, 0, time.UTC)
	partition := kafka.Partition{Topic: lines, ID: "0-3"}
	o.Planned.Repeats = slices.Repeat([]ledger.Repeat{
		{Partition: partition, First: ledger.Place{Offset: 77}, Count: 66, At: at, Before: 4, Claim: 9},
	}, 2*mostEvidence)
	o.Planned.Pause = ledger.Pause{Partition: partition, From: at, Length: time.Second}
	o.uncertain, o.why = 1, "EOF"
	o.lies = []truth.Lie{{At: at, Field: "lag", Claimed: "5", Truth: "0"}}
	want := append(slices.Repeat([]string{
		"TWICE 12:00:01.000: lines/0-3, 66 messages from 77 on, under claim 4 and again under claim 9",
	}, mostEvidence), "PAUSE 12:00:01.000: lines/0-3, for 1.00 s", "UNKNOWN EOF",
		"LIE 12:00:01: status says lag is 5; in the 30s before it was 0")
	if got := evidence(o, limits); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999",
	} {
		if got := number(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
