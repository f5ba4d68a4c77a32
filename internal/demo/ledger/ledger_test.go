// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
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

// history is a ledger with 4 messages in partition 0, published at 0 ms.
func history(deliveries ...ledger.Delivery) *ledger.Ledger {
	l := ledger.New()
	l.Publish(zero, 0, []uint32{100, 101, 102, 103}, at(0))
	for _, d := range deliveries {
		l.Deliver(d)
	}
	return l
}

func got(offset, claim int64, ms int) ledger.Delivery {
	return ledger.Delivery{Partition: zero, Offset: offset, Claim: claim, Sum: uint32(100 + offset), At: at(ms)}
}

func TestAllWell(t *testing.T) {
	l := history(got(0, 1, 10), got(1, 1, 20), got(2, 2, 25), got(3, 2, 30))
	a := l.Account(nil, at(1000))
	if a.Published != 4 || a.Delivered != 4 || a.Lost+a.Strange+a.Altered+a.Refused+len(a.Disorder) != 0 {
		t.Errorf("got %+v", a)
	}
	if a.Planned.Repeated != 0 || a.Planned.Pause.Length != 10*time.Millisecond || a.Unplanned != (ledger.Cost{}) {
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
				l.Publish(zero, offset, make([]uint32, a[1]), at(a[0]))
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
