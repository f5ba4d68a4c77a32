// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/internal/truth"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// bounds are the longest pauses that are well; first is for the first delivery once the group is Ready.
type bounds struct{ planned, unplanned, first time.Duration }

// entering is how messages came into the topic.
type entering struct {
	// sent is how many lines were to be published.
	sent int
	// again counts those that were refused first, uncertain those of which nobody knows whether they were written, of one
	// why.
	again, uncertain int
	why              string
	// inTopic is how many messages are there in the end. bound says that none may be more than once.
	inTopic int
	bound   bool
}

// outcome is what a run comes to.
type outcome struct {
	ledger.Account
	entering
	// uncommitted messages stand behind no committed position in the end.
	uncommitted int
	// first is the time from the first message sent, right after kubectl wait said that the group is Ready, to the
	// first delivered.
	first time.Duration
	// checks counts values of statuses held against the truth.
	checks int
	lies   []truth.Lie
	// caughtUp says that in the end the status told the end.
	caughtUp bool
}

// row is one line of the table: what was found, what it must be, and whether it is.
type row struct {
	what, found, must string
	well              bool
}

// verdict holds an outcome against what was promised. Rows that promise nothing have an empty must.
func verdict(o outcome, b bounds) []row {
	a := o.Account
	return []row{
		{what: "published by HTTP", found: number(o.sent), well: o.sent > 0},
		{"answered 201", number(a.Published), number(o.sent), a.Published == o.sent},
		{what: "refused first, and sent again", found: number(o.again), well: true},
		none("unknown whether written", o.uncertain),
		o.extra(),
		{"delivered", number(a.Delivered), number(a.Published), a.Delivered == a.Published},
		none("lost", a.Lost),
		none("never published", a.Strange),
		none("altered", a.Altered),
		none("not committed at the end", o.uncommitted),
		none("out of order"+where(a.Disorder), total(a.Disorder)),
		none("delivered twice, planned changes", a.Planned.Repeated),
		{what: "delivered twice, kill and freeze", found: number(a.Unplanned.Repeated), well: true},
		{what: "refused by the sink's fence", found: number(a.Refused), well: true},
		stood("longest pause, planned changes", a.Planned.Pause, b.planned),
		stood("longest pause, kill and freeze", a.Unplanned.Pause, b.unplanned),
		{"first delivery once Ready", seconds(o.first), "< " + seconds(b.first), o.first > 0 && o.first < b.first},
		{what: "values of statuses checked", found: number(o.checks), well: o.checks > 0},
		none("lies among them", len(o.lies)),
		{"status tells the end", yesNo(o.caughtUp), "yes", o.caughtUp},
	}
}

// extra are messages in the topic that no answer tells of. Kafka 0.7 knows no producer again that sends again.
func (o outcome) extra() row {
	r := none("in the topic twice", o.inTopic-o.Published)
	if !o.bound {
		r.must, r.well = "", o.inTopic >= o.Published
	}
	return r
}

// mostEvidence is how many cases of one kind are told: the first ones lead to the cause, the rest fill the screen.
const mostEvidence = 10

// evidence tells where and when promises were broken, for whoever looks for it in the logs.
func evidence(o outcome, b bounds) (lines []string) {
	for _, r := range o.Planned.Repeats[:min(mostEvidence, len(o.Planned.Repeats))] {
		lines = append(lines, fmt.Sprintf("TWICE %s: %s, %s messages from %d on, under claim %d and again under claim %d",
			clock(r.At), r.Partition, number(r.Count), r.First.Offset, r.Before, r.Claim))
	}
	for _, p := range []struct {
		ledger.Pause

		limit time.Duration
	}{{o.Planned.Pause, b.planned}, {o.Unplanned.Pause, b.unplanned}} {
		if p.Length >= p.limit {
			lines = append(lines, fmt.Sprintf("PAUSE %s: %s, for %s", clock(p.From), p.Partition, seconds(p.Length)))
		}
	}
	if o.uncertain > 0 {
		lines = append(lines, "UNKNOWN "+o.why)
	}
	for _, lie := range o.lies {
		lines = append(lines, "LIE "+lie.String())
	}
	return lines
}

func clock(at time.Time) string { return at.Format("15:04:05.000") }

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func none(what string, found int) row {
	return row{what: what, found: number(found), must: "0", well: found == 0}
}

func stood(what string, found ledger.Pause, bound time.Duration) row {
	return row{what: what, found: seconds(found.Length), must: "< " + seconds(bound), well: found.Length < bound}
}

// where names the partitions that were out of order, each with its count.
func where(disorder map[kafka.Partition]int) string {
	names := make([]string, 0, len(disorder))
	for partition, count := range disorder {
		names = append(names, fmt.Sprintf("%s: %d", partition, count))
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " (" + strings.Join(names, ", ") + ")"
}

func total(disorder map[kafka.Partition]int) int {
	sum := 0
	for _, count := range disorder {
		sum += count
	}
	return sum
}

// printTable writes the rows and reports whether all are well.
func printTable(out io.Writer, rows []row) bool {
	width := [3]int{}
	for _, r := range rows {
		for i, text := range []string{r.what, r.found, r.must} {
			width[i] = max(width[i], len(text))
		}
	}
	well := true
	for _, r := range rows {
		mark := ""
		switch {
		case !r.well:
			mark, well = "FAILED", false
		case r.must != "":
			mark = "ok"
		}
		line := fmt.Sprintf("  %-*s  %*s  %-*s  %s", width[0], r.what, width[1], r.found, width[2], r.must, mark)
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	return well
}

// number writes 1234567 as 1,234,567.
func number(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s" }
