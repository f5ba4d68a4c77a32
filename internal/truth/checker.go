// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Grace is how long a status may be behind: the longest that a lie or silence may last.
const Grace = 30 * time.Second

// Partition is what is true of one partition.
type Partition struct {
	// Owner is the pod (a foreign member: its id) whose live registration holds the claim, empty if nobody does.
	Owner string
	// Committed is the position in the registry, End that of the next message; -1 if there is none.
	Committed, End int64
	// Stands says that by the sink's books messages wait and none has arrived for a while.
	Stands bool
}

// lag is what is not delivered, in messages, or in bytes of Kafka 0.7; -1 if nobody knows. Where nothing is committed
// it counts from 0: worlds of tests forget no message.
func (p Partition) lag() int64 {
	if p.End < 0 {
		return -1
	}
	return max(0, p.End-max(0, p.Committed))
}

// Sample is what was true at a time.
type Sample struct {
	At         time.Time
	Partitions map[string]Partition // by topic/id
	// Members are the live members: pods, and ids of foreign ones.
	Members []string
	// Unreadable says that the operator has no way to read the group, so that it may say that it knows nothing.
	Unreadable bool
}

// consuming is what Ready promises: every partition has an owner, and its messages arrive.
func (s Sample) consuming() bool {
	for _, p := range s.Partitions {
		if p.Owner == "" || p.Stands {
			return false
		}
	}
	return len(s.Partitions) > 0
}

// Claim is what a status says.
type Claim struct {
	Ready  bool
	Reason string
	// Unsure says that the status leaves open whether the group is ready, Untold that it tells nothing of its members and
	// partitions. Neither is a lie; both are silence.
	Unsure, Untold bool

	Owned      int
	Lag        int64
	Partitions map[string]Partition // the rows that the status has
	Members    []string
}

// Lie is a value that a status shows and that was not true at any time within Grace.
type Lie struct {
	At      time.Time
	Field   string
	Claimed string
	Truth   string
}

// String says the lie in one line.
func (l Lie) String() string {
	return fmt.Sprintf("%s: status says %s is %s; in the %s before it was %s",
		l.At.Format(time.TimeOnly), l.Field, l.Claimed, Grace, l.Truth)
}

// Checker holds statuses against samples. Not safe for concurrent use.
type Checker struct {
	samples []Sample
	claim   *Claim
	// silent is since when statuses have left something open, zero if the newest does not.
	silent time.Time
	// unknown is the same for the ends of partitions, by their names.
	unknown map[string]time.Time
	// outages are the times in which nobody could write a status, in order; the last may not be over.
	outages []outage
	lies    []Lie
	checks  int
	// told are the lies found already, so that each is told once.
	told map[string]bool
}

// Say is told of a status as soon as it can be seen.
func (c *Checker) Say(claim Claim) {
	c.claim = &claim
	c.note(claim)
	switch {
	case !claim.Unsure && !claim.Untold:
		c.silent = time.Time{}
	case c.silent.IsZero() && len(c.samples) > 0:
		c.silent = c.samples[len(c.samples)-1].At
	}
}

// note remembers since when ends are not known.
func (c *Checker) note(claim Claim) {
	before := c.unknown
	c.unknown = map[string]time.Time{}
	for name, row := range claim.Partitions {
		if row.End >= 0 || len(c.samples) == 0 {
			continue
		}
		c.unknown[name] = c.samples[len(c.samples)-1].At
		if since, ok := before[name]; ok {
			c.unknown[name] = since
		}
	}
}

// outage is a time in which nobody could write a status; to is zero until it is over.
type outage struct{ from, to time.Time }

// Away says that from now on nobody can write a status, or know what to write: the API server is away, or whatever the
// operator reads. Back says that it is over. The time between does not count: a status may be behind by Grace of the
// time in which it could have been written, and of no more.
func (c *Checker) Away(at time.Time) {
	if last := len(c.outages) - 1; last >= 0 && c.outages[last].to.IsZero() {
		return
	}
	c.outages = append(c.outages, outage{from: at})
}

// Back ends what Away began.
func (c *Checker) Back(at time.Time) {
	if last := len(c.outages) - 1; last >= 0 && c.outages[last].to.IsZero() {
		c.outages[last].to = at
	}
}

// begin is from when on what was true may stand in a status at a time.
func (c *Checker) begin(at time.Time) time.Time {
	begin := at.Add(-Grace)
	for _, outage := range slices.Backward(c.outages) {
		if outage.to.IsZero() {
			outage.to = at
		}
		if !outage.to.After(begin) {
			break
		}
		begin = begin.Add(outage.from.Sub(outage.to))
	}
	return begin
}

// Observe is told of a sample, in the order of time, and holds the newest status against those of the last Grace.
func (c *Checker) Observe(s Sample) {
	if between, ok := c.handover(s); ok {
		c.samples = append(c.samples, between)
	}
	c.samples = append(c.samples, s)
	begin := c.begin(s.At)
	// The sample just before the window was true when it began.
	for len(c.samples) > 1 && !c.samples[1].At.After(begin) {
		c.samples = c.samples[1:]
	}
	if c.samples[0].At.After(begin) {
		return // not long enough yet to know of a lie
	}
	c.check(s.At)
}

// handover is what was true for a moment between the newest sample and the next, if partitions have got other owners:
// nobody had them.
func (c *Checker) handover(next Sample) (between Sample, found bool) {
	if len(c.samples) == 0 {
		return Sample{}, false
	}
	last := c.samples[len(c.samples)-1]
	between = last
	between.At, between.Partitions = next.At, maps.Clone(last.Partitions)
	for name, p := range between.Partitions {
		if now, ok := next.Partitions[name]; ok && now.Owner != p.Owner {
			p.Owner, found = "", true
			between.Partitions[name] = p
		}
	}
	return between, found
}

// Lies are those found so far; Checks counts the values that were held against the truth.
func (c *Checker) Lies() []Lie { return slices.Clone(c.lies) }

// Checks counts the values that were held against the truth.
func (c *Checker) Checks() int { return c.checks }

func (c *Checker) check(at time.Time) {
	if c.claim == nil {
		c.expect(at, "status", "nothing at all", func(Sample) (string, bool) { return "there", false })
		return
	}
	claim := *c.claim
	if (claim.Unsure || claim.Untold) && c.silent.Before(c.samples[0].At) {
		c.expect(at, "the group", "not known ("+claim.Reason+")", func(s Sample) (string, bool) {
			return "to be seen", s.Unreadable
		})
	}
	if !claim.Unsure {
		c.expect(at, "Ready", fmt.Sprintf("%v (%s)", claim.Ready, claim.Reason), func(s Sample) (string, bool) {
			return strconv.FormatBool(s.consuming()), s.consuming() == claim.Ready
		})
	}
	if !claim.Untold {
		c.numbers(at, claim)
	}
}

// numbers holds members and partitions against the samples.
func (c *Checker) numbers(at time.Time, claim Claim) {
	c.between(at, "ownedPartitions", int64(claim.Owned), func(s Sample) int64 { return int64(s.owned()) })
	c.expect(at, "members", strings.Join(claim.Members, " "), func(s Sample) (string, bool) {
		return strings.Join(s.Members, " "), slices.Equal(s.Members, claim.Members)
	})
	c.lag(at, claim)
	for name, row := range claim.Partitions {
		c.expect(at, name+" owner", row.Owner, func(s Sample) (string, bool) {
			return s.Partitions[name].Owner, s.Partitions[name].Owner == row.Owner
		})
		c.between(at, name+" committed", row.Committed, func(s Sample) int64 { return s.at(name).Committed })
		if since, ok := c.unknown[name]; ok && !since.Before(c.samples[0].At) {
			continue // silence, and not for long
		}
		c.between(at, name+" end", row.End, func(s Sample) int64 { return s.at(name).End })
	}
}

// lag runs faster than samples are taken, so it is held against what ends and positions allow; and against the rows of
// the same status, if those are all.
func (c *Checker) lag(at time.Time, claim Claim) {
	c.checks++
	var least, most, rows int64
	names := map[string]bool{}
	for _, s := range c.samples {
		for name := range s.Partitions {
			names[name] = true
		}
	}
	for name := range names {
		low, high := c.lagOf(name)
		if claim.Partitions[name].End < 0 {
			low = 0 // not known, so not counted
		}
		least, most = least+low, most+high
		rows += max(0, claim.Partitions[name].lag())
	}
	if claim.Lag < least || claim.Lag > most {
		c.tell(Lie{
			At: at, Field: "lag", Claimed: strconv.FormatInt(claim.Lag, 10), Truth: fmt.Sprintf("from %d to %d", least, most),
		})
	}
	if len(claim.Partitions) == len(names) && claim.Lag != rows {
		c.tell(Lie{
			At: at, Field: "lag", Claimed: strconv.FormatInt(claim.Lag, 10), Truth: fmt.Sprintf("%d by its own rows", rows),
		})
	}
}

// lagOf is between what a partition's lag was in the window: from its first end to its last position, and from its
// first position to its last end. An end that nobody knew makes it begin at nothing.
func (c *Checker) lagOf(name string) (low, high int64) {
	ends, positions := make([]int64, 0, len(c.samples)), make([]int64, 0, len(c.samples))
	for _, s := range c.samples {
		p := s.Partitions[name]
		ends, positions = append(ends, max(0, p.End)), append(positions, max(0, p.Committed))
	}
	return max(0, slices.Min(ends)-slices.Max(positions)), max(0, slices.Max(ends)-slices.Min(positions))
}

// at is a partition; before it existed it had neither a position nor an end.
func (s Sample) at(name string) Partition {
	if p, ok := s.Partitions[name]; ok {
		return p
	}
	return Partition{Committed: -1, End: -1}
}

func (s Sample) owned() (n int) {
	for _, p := range s.Partitions {
		if p.Owner != "" {
			n++
		}
	}
	return n
}

func (s Sample) lag() (sum int64) {
	for _, p := range s.Partitions {
		sum += max(0, p.lag())
	}
	return sum
}

// expect looks for a sample in the window in which the value was true.
func (c *Checker) expect(at time.Time, field, claimed string, is func(Sample) (truth string, ok bool)) {
	c.checks++
	var truths []string
	for _, s := range c.samples {
		truth, ok := is(s)
		if ok {
			return
		}
		if !slices.Contains(truths, truth) {
			truths = append(truths, truth)
		}
	}
	c.tell(Lie{At: at, Field: field, Claimed: claimed, Truth: strings.Join(truths, ", then ")})
}

// between is for numbers that run: a value between the least and the greatest of the window was passed in it.
func (c *Checker) between(at time.Time, field string, claimed int64, of func(Sample) int64) {
	c.checks++
	low, high := of(c.samples[0]), of(c.samples[0])
	for _, s := range c.samples {
		low, high = min(low, of(s)), max(high, of(s))
	}
	if claimed < low || claimed > high {
		c.tell(Lie{
			At: at, Field: field, Claimed: strconv.FormatInt(claimed, 10), Truth: fmt.Sprintf("from %d to %d", low, high),
		})
	}
}

func (c *Checker) tell(lie Lie) {
	key := lie.Field + "\x00" + lie.Claimed
	if c.told[key] {
		return
	}
	if c.told == nil {
		c.told = map[string]bool{}
	}
	c.told[key] = true
	c.lies = append(c.lies, lie)
}
