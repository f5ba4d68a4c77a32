// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// place is where a value is in the topic, and how often.
type place struct {
	partition string
	offset    int64
	key       string
	times     int
	all       []position
}

// column is what became of the messages of one kind of callers, or of all.
type column struct {
	messages, attempts, taken, refused, unknown int
	// distinct are messages of which an attempt was taken; there those of which one is in the topic.
	distinct, there int
	// twice are values that are there more than once, lost those that were taken and are not there.
	twice, lost int
	// refusedThere are attempts that were refused and are there; unknownThere and unknownNot those that were unknown.
	refusedThere, unknownThere, unknownNot int
	// cut are attempts that a gateway took and broke off when it was asked to leave, idle those whose connection it ended
	// before it had read them.
	cut, idle int
	// misplaced were taken and are not where the answer said, disordered are behind what their caller sent later.
	misplaced, disordered int
}

// verdict is what the topic says of the books.
type verdict struct {
	era     era
	columns [kinds + 1]column
	// foreign are records that nobody sent.
	foreign int
	odd     []string
	// examples are of what must not be.
	examples []string
}

// mostExamples are enough to find a cause with.
const mostExamples = 20

func (v *verdict) example(what string, p *page, attempts []*attempt, is *place) {
	if len(v.examples) >= mostExamples {
		return
	}
	var all strings.Builder
	for _, a := range attempts {
		fmt.Fprintf(&all, " [try %d: %d, %d:%d]", a.try, a.status, a.at, a.offset)
	}
	where := "nowhere"
	if is != nil {
		where = fmt.Sprintf("%v", is.all)
	}
	v.examples = append(v.examples, fmt.Sprintf("%s: caller %d (%s), message %d:%s, there: %s",
		what, p.caller, p.kind, attempts[0].seq, &all, where))
}

const sum = kinds

// judge holds what callers were told against what is there.
func judge(b *books, records []record, e era) *verdict {
	v := &verdict{era: e}
	found := make(map[identity]*place, len(records))
	for _, r := range records {
		id, ok := parse(r.value)
		if !ok || id.caller >= len(b.pages) {
			v.foreign++
			continue
		}
		if known := found[id]; known != nil {
			known.times++
			known.all = append(known.all, position{r.partition, r.offset})
			continue
		}
		found[id] = &place{r.partition, r.offset, r.key, 1, []position{{r.partition, r.offset}}}
	}
	at := make(map[position]identity, len(records))
	for _, r := range records {
		if id, ok := parse(r.value); ok {
			at[position{r.partition, r.offset}] = id
		}
	}
	seen := 0
	for _, p := range b.pages {
		seen += v.judgePage(p, b.names, found, at)
	}
	v.foreign += len(found) - seen
	return v
}

// position is a place in the topic.
type position struct {
	partition string
	offset    int64
}

// judgePage judges one caller's messages, and says how many values of them are in the topic.
func (v *verdict) judgePage(
	p *page, names *names, found map[identity]*place, at map[position]identity,
) (seen int) {
	c := &column{}
	v.odd = append(v.odd, p.odd...)
	last := map[string]position{}
	// Attempts at one message may lie apart: those of a batch follow each other.
	bySeq := map[int32][]*attempt{}
	var order []int32
	for i := range p.attempts {
		a := &p.attempts[i]
		if bySeq[a.seq] == nil {
			order = append(order, a.seq)
		}
		bySeq[a.seq] = append(bySeq[a.seq], a)
	}
	for _, seq := range order {
		seen += v.judgeMessage(c, p, names, bySeq[seq], found, at, last)
	}
	v.columns[p.kind].add(c)
	v.columns[sum].add(c)
	return seen
}

// judgeMessage judges all attempts at one message.
func (v *verdict) judgeMessage(
	c *column, p *page, names *names, attempts []*attempt, found map[identity]*place, at map[position]identity,
	last map[string]position,
) (seen int) {
	c.messages++
	var ok *attempt
	there := map[identity]bool{}
	for _, a := range attempts {
		c.attempts++
		id := p.identity(a)
		is := found[id]
		if is != nil && !there[id] {
			there[id] = true
			if is.times > 1 {
				c.twice++
				if v.era.once {
					v.example("twice", p, attempts, is)
				}
			}
		}
		switch a.answer {
		case taken:
			c.taken++
			if ok == nil {
				ok = a
			}
			switch {
			case is == nil:
				c.lost++
				v.example("lost", p, attempts, is)
			case v.era.offsets && a.offset >= 0 && !isAt(at, position{names.of(a.at), a.offset}, id):
				c.misplaced++
				v.example("elsewhere", p, attempts, is)
			case is.key != recordKey(p.caller, p.kind, a.seq) && v.era.keyed:
				c.misplaced++
			}
		case refused:
			c.refused++
			if is != nil && !p.kind.repeats() {
				c.refusedThere++
				v.example("refused and there", p, attempts, is)
			}
		case unknown:
			c.unknown++
			switch {
			case a.cut && is != nil && !p.kind.repeats():
				c.cut++
				v.example("cut off", p, attempts, is)
			case a.cut:
				c.idle++
			}
			if is != nil {
				c.unknownThere++
			} else {
				c.unknownNot++
			}
		}
	}
	if len(there) > 0 {
		c.there++
	}
	// Of one that was refused to the end, whatever the attempts, none may be there.
	if ok == nil && p.kind.repeats() && len(there) > 0 && !anyUnknown(attempts) {
		c.refusedThere++
	}
	if ok != nil {
		c.distinct++
		v.judgeOrder(c, p, names, ok, last)
	}
	return len(there)
}

func isAt(at map[position]identity, where position, id identity) bool {
	is, known := at[where]
	return known && is == id
}

func anyUnknown(attempts []*attempt) bool {
	for _, a := range attempts {
		if a.answer == unknown {
			return true
		}
	}
	return false
}

// judgeOrder looks whether a message is behind the one before of the same key, in the same partition.
func (v *verdict) judgeOrder(c *column, p *page, names *names, a *attempt, last map[string]position) {
	key := recordKey(p.caller, p.kind, a.seq)
	if key == "" || !v.era.keyed || a.offset < 0 {
		return
	}
	now := position{names.of(a.at), a.offset}
	if before, known := last[key]; known && (before.partition != now.partition || before.offset >= now.offset) {
		c.disordered++
	}
	last[key] = now
}

func (c *column) add(d *column) {
	for _, pair := range [][2]*int{
		{&c.messages, &d.messages}, {&c.attempts, &d.attempts}, {&c.taken, &d.taken}, {&c.refused, &d.refused},
		{&c.unknown, &d.unknown}, {&c.distinct, &d.distinct}, {&c.there, &d.there}, {&c.twice, &d.twice},
		{&c.lost, &d.lost}, {&c.refusedThere, &d.refusedThere}, {&c.unknownThere, &d.unknownThere},
		{&c.unknownNot, &d.unknownNot}, {&c.misplaced, &d.misplaced}, {&c.cut, &d.cut}, {&c.idle, &d.idle}, {&c.disordered, &d.disordered},
	} {
		*pair[0] += *pair[1]
	}
}

// violations are what must not be.
func (v *verdict) violations() []string {
	all := &v.columns[sum]
	var wrong []string
	add := func(count int, what string) {
		if count > 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s", count, what))
		}
	}
	add(all.lost, "messages were answered 201 and are not in the topic")
	if v.era.once {
		add(all.twice, "messages are in the topic more than once")
	}
	add(all.refusedThere, "attempts were refused and are in the topic")
	add(all.misplaced, "messages are not where the answer said")
	add(all.disordered, "messages of a key are in another partition, or before an earlier one")
	add(v.foreign, "records are of nobody")
	add(all.cut, "requests were taken by a gateway, and cut off when it was asked to leave")
	return slices.Concat(wrong, v.examples, v.odd)
}

// table is what is printed at the end.
func (v *verdict) table(s *stage) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\nKafka %s, %d messages of %d callers, min.insync.replicas %d, in %s (%.0f messages/s):\n\n",
		s.release, *messages, callers, *inSync, round(s.took), float64(*messages)/s.took.Seconds())
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, value func(c *column) int) {
		fmt.Fprintf(w, "%s\t", name)
		for i := range v.columns {
			fmt.Fprintf(w, "%d\t", value(&v.columns[i]))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "\t")
	for k := range kinds {
		fmt.Fprintf(w, "%s\t", k)
	}
	fmt.Fprintln(w, "all\t")
	line("messages", func(c *column) int { return c.messages })
	line("attempts", func(c *column) int { return c.attempts })
	line("answered 201", func(c *column) int { return c.taken })
	line("answered 4xx, 5xx: refused", func(c *column) int { return c.refused })
	line("504 or broken: unknown", func(c *column) int { return c.unknown })
	line("messages answered 201", func(c *column) int { return c.distinct })
	line("messages in the topic", func(c *column) int { return c.there })
	line("201 and not there (lost)", func(c *column) int { return c.lost })
	line("there more than once", func(c *column) int { return c.twice })
	line("refused and there", func(c *column) int { return c.refusedThere })
	line("201, and elsewhere", func(c *column) int { return c.misplaced })
	line("out of order", func(c *column) int { return c.disordered })
	line("cut off by SIGTERM, and there", func(c *column) int { return c.cut })
	line("cut off by SIGTERM, and not", func(c *column) int { return c.idle })
	line("unknown, and there", func(c *column) int { return c.unknownThere })
	line("unknown, and not there", func(c *column) int { return c.unknownNot })
	_ = w.Flush() // to memory
	text.WriteString("\nLongest time without a 201 of a message without a key:\n")
	names, gaps := s.gaps.longest()
	for i, name := range names {
		fmt.Fprintf(&text, "  %8s  %s\n", round(gaps[i]), name)
	}
	for _, wrong := range v.violations() {
		fmt.Fprintln(&text, "WRONG:", wrong)
	}
	return text.String()
}
