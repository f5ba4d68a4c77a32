// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var (
	zero  = kafka.Partition{Topic: "lines", ID: "0"}
	one   = kafka.Partition{Topic: "lines", ID: "1"}
	start = time.Date(2026, 9, 24, 12, 0, 0, 0, time.UTC)
)

// at is a number of milliseconds after the start.
func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

// consecutive are messages from an offset on, each with its offset and 100 as its checksum.
func consecutive(first int64, count int) []ledger.Publication {
	list := make([]ledger.Publication, count)
	for i := range list {
		offset := first + int64(i)
		list[i] = ledger.Publication{Place: ledger.Place{Offset: offset}, Sum: uint32(100 + offset)}
	}
	return list
}

// history is a ledger with 4 messages in partition 0, published at 0 ms.
func history(deliveries ...ledger.Delivery) *ledger.Ledger {
	l := ledger.New()
	l.Publish(zero, consecutive(0, 4), at(0))
	for _, d := range deliveries {
		l.Deliver(d)
	}
	return l
}

func got(offset, claim int64, ms int) ledger.Delivery {
	return ledger.Delivery{
		Partition: zero, Place: ledger.Place{Offset: offset}, Claim: claim, Sum: uint32(100 + offset), At: at(ms),
	}
}

func TestAllWell(t *testing.T) {
	l := history(got(0, 1, 10), got(1, 1, 20), got(2, 2, 25), got(3, 2, 30))
	a := l.Account(nil, at(1000))
	if a.Published != 4 || a.Delivered != 4 || a.Lost+a.Strange+a.Altered+a.Refused+len(a.Disorder) != 0 {
		t.Errorf("got %+v", a)
	}
	if a.Planned.Repeated+len(a.Planned.Repeats) != 0 || a.Planned.Pause.Length != 10*time.Millisecond {
		t.Errorf("got %+v", a)
	}
	if a.Unplanned.Repeated+len(a.Unplanned.Repeats) != 0 || a.Unplanned.Pause != (ledger.Pause{}) {
		t.Errorf("got %+v", a)
	}
}

func TestLost(t *testing.T) {
	a := history(got(0, 1, 10), got(3, 1, 20)).Account(nil, at(500))
	if a.Lost != 2 || a.Delivered != 2 {
		t.Errorf("got %+v", a)
	}
	if a.Planned.Pause.Length != 480*time.Millisecond {
		t.Errorf("what is never delivered is a pause to the end, got %+v", a.Planned)
	}
}

func TestStrangeAndAltered(t *testing.T) {
	altered := got(1, 1, 20)
	altered.Sum++
	a := history(got(7, 1, 10), altered).Account(nil, at(30))
	if a.Strange != 1 || a.Altered != 1 {
		t.Errorf("got %+v", a)
	}
}

func TestRepeated(t *testing.T) {
	l := history(got(0, 1, 10), got(1, 1, 11), got(0, 2, 20), got(1, 2, 30), got(1, 2, 31), got(2, 2, 32), got(3, 2, 33))
	a := l.Account([]ledger.Window{{From: at(25), To: at(30)}}, at(40))
	if a.Planned.Repeated != 2 || a.Unplanned.Repeated != 1 {
		t.Errorf("got %+v", a)
	}
	want := []ledger.Repeat{
		{Partition: zero, First: ledger.Place{Offset: 0}, Count: 1, At: at(20), Before: 1, Claim: 2},
		{Partition: zero, First: ledger.Place{Offset: 1}, Count: 1, At: at(31), Before: 2, Claim: 2},
	}
	if !slices.Equal(a.Planned.Repeats, want) {
		t.Errorf("got %+v, want %+v", a.Planned.Repeats, want)
	}
	if len(a.Disorder) != 0 {
		t.Errorf("a repeat under a new claim, or of the message before, is no disorder: %v", a.Disorder)
	}
}

func TestDisorder(t *testing.T) {
	for _, c := range []struct {
		name string
		list []ledger.Delivery
		want int
	}{
		{"in order", []ledger.Delivery{got(0, 1, 1), got(1, 1, 2), got(2, 1, 3), got(3, 1, 4)}, 0},
		{"swapped", []ledger.Delivery{got(1, 1, 1), got(0, 1, 2), got(2, 1, 3), got(3, 1, 4)}, 1},
		{"late under another claim", []ledger.Delivery{got(0, 1, 1), got(2, 1, 2), got(1, 2, 3), got(3, 2, 4)}, 1},
		{"known already, and back", []ledger.Delivery{got(0, 1, 1), got(1, 1, 2), got(2, 1, 3), got(1, 1, 4)}, 1},
		{"again from the last commit", []ledger.Delivery{got(0, 1, 1), got(1, 1, 2), got(0, 2, 3), got(1, 2, 4), got(2, 2, 5)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := history(c.list...).Account(nil, at(10)); a.Disorder[zero] != c.want {
				t.Errorf("got %v, want %d", a.Disorder, c.want)
			}
		})
	}
}

func TestOlderClaimIsRefused(t *testing.T) {
	l := history(got(0, 2, 1))
	if l.Deliver(got(1, 1, 2)) {
		t.Error("taken")
	}
	if a := l.Account(nil, at(10)); a.Refused != 1 || a.Delivered != 1 || l.Delivered() != 1 {
		t.Errorf("got %+v", a)
	}
	other := got(0, 1, 3)
	other.Partition = one
	if !l.Deliver(other) {
		t.Error("the claims of partitions have nothing to do with each other")
	}
}

func TestPauses(t *testing.T) {
	window := []ledger.Window{{From: at(1000), To: at(2000)}}
	for _, c := range []struct {
		name               string
		appends            [][2]int // ms, count
		list               []ledger.Delivery
		until              int
		planned, unplanned int64 // ms
	}{
		{"nothing to deliver is no pause", [][2]int{{0, 1}, {900, 1}}, []ledger.Delivery{got(0, 1, 10), got(1, 1, 905)}, 9000, 10, 0},
		{"between deliveries", [][2]int{{0, 3}}, []ledger.Delivery{got(0, 1, 5), got(1, 1, 300), got(2, 1, 310)}, 9000, 295, 0},
		{"of something older", [][2]int{{0, 1}, {50, 1}}, []ledger.Delivery{got(0, 1, 100), got(1, 1, 180)}, 9000, 100, 0},
		{"across the window", [][2]int{{0, 3}}, []ledger.Delivery{got(0, 1, 5), got(1, 1, 990), got(2, 1, 2500)}, 9000, 985, 1510},
		{"within the window", [][2]int{{1500, 1}}, []ledger.Delivery{got(0, 1, 1700)}, 9000, 0, 200},
		{"after the window", [][2]int{{2500, 1}}, []ledger.Delivery{got(0, 1, 2700)}, 9000, 200, 0},
		{"a repeat ends no need", [][2]int{{0, 2}}, []ledger.Delivery{got(0, 1, 5), got(0, 2, 20), got(1, 2, 90)}, 9000, 70, 0},
		{"until the end", [][2]int{{0, 1}, {2500, 1}}, []ledger.Delivery{got(0, 1, 5)}, 4000, 1500, 0},
		{"delivered before it is known as published", [][2]int{{20, 1}, {500, 1}},
			[]ledger.Delivery{got(0, 1, 10), got(1, 1, 600)}, 9000, 100, 0},
		{"no deliveries", [][2]int{{2100, 1}}, nil, 2900, 800, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := ledger.New()
			offset := int64(0)
			for _, a := range c.appends {
				l.Publish(zero, consecutive(offset, a[1]), at(a[0]))
				offset += int64(a[1])
			}
			for _, d := range c.list {
				l.Deliver(d)
			}
			a := l.Account(window, at(c.until))
			planned, unplanned := a.Planned.Pause.Length.Milliseconds(), a.Unplanned.Pause.Length.Milliseconds()
			if planned != c.planned || unplanned != c.unplanned {
				t.Errorf("got %d ms and %d ms, want %d ms and %d ms", planned, unplanned, c.planned, c.unplanned)
			}
		})
	}
}

// Positions of Kafka 0.7 are bytes, and messages of one wrapper share theirs.
func TestPlacesAreNotNumbers(t *testing.T) {
	places := []ledger.Place{{0, 0}, {15, 0}, {15, 1}, {15, 2}, {90, 0}}
	published := make([]ledger.Publication, len(places))
	for i, place := range places {
		published[i] = ledger.Publication{Place: place, Sum: uint32(i)}
	}
	deliver := func(order ...int) ledger.Account {
		l := ledger.New()
		l.Publish(zero, published, at(0))
		for i, n := range order {
			l.Deliver(ledger.Delivery{Partition: zero, Place: places[n], Claim: 1, Sum: uint32(n), At: at(i)})
		}
		return l.Account(nil, at(100))
	}
	for _, c := range []struct {
		name                     string
		order                    []int
		lost, repeated, disorder int
	}{
		{"all", []int{0, 1, 2, 3, 4}, 0, 0, 0},
		{"one of a wrapper is missing", []int{0, 1, 3, 4}, 1, 0, 0},
		{"one of a wrapper comes late", []int{0, 1, 3, 2, 4}, 0, 0, 1},
		{"one of a wrapper comes twice", []int{0, 1, 2, 2, 3, 4}, 0, 1, 0},
		{"a wrapper comes again", []int{0, 1, 2, 3, 1, 2, 3, 4}, 0, 3, 1},
	} {
		a := deliver(c.order...)
		if a.Lost != c.lost || a.Planned.Repeated != c.repeated || a.Disorder[zero] != c.disorder || a.Strange+a.Altered > 0 {
			t.Errorf("%s: got %+v", c.name, a)
		}
	}
}

func TestUncommitted(t *testing.T) {
	l := ledger.New()
	l.Publish(zero, []ledger.Publication{{Place: ledger.Place{Offset: 0}}, {Place: ledger.Place{Offset: 15}},
		{Place: ledger.Place{Offset: 15, Index: 1}}, {Place: ledger.Place{Offset: 90}}}, at(0))
	l.Publish(one, consecutive(0, 2), at(0))
	for position, want := range map[int64]int{-1: 4, 0: 4, 15: 3, 90: 1, 104: 0} {
		got := l.Uncommitted(func(p kafka.Partition) int64 {
			if p == one {
				return 1
			}
			return position
		})
		if got != want+1 {
			t.Errorf("at %d: got %d, want %d", position, got, want+1)
		}
	}
}

func TestStands(t *testing.T) {
	l := ledger.New()
	stands := func(ms int, want bool) {
		t.Helper()
		if got := l.Stands(zero, 100*time.Millisecond, at(ms)); got != want {
			t.Errorf("after %d ms: got %t", ms, got)
		}
	}
	stands(500, false)
	l.Publish(zero, consecutive(0, 2), at(1000))
	stands(1100, false)
	stands(1101, true)
	l.Deliver(got(0, 1, 1200))
	stands(1300, false)
	stands(1301, true)
	l.Publish(zero, consecutive(2, 1), at(1310)) // is not what it waits for
	stands(1311, true)
	l.Deliver(got(2, 1, 1320))
	stands(2000, false)
	l.Publish(zero, consecutive(3, 1), at(3000))
	stands(3100, false)
	stands(3101, true)
}
