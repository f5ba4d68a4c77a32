// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package coordinator

import (
	"fmt"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// settle waits until every partition is run by exactly one member.
func settle(t *testing.T, w *world, within time.Duration) {
	t.Helper()
	end := w.now.Add(within)
	for w.now.Before(end) && len(w.failures) == 0 {
		w.run(200 * time.Millisecond)
		running := w.running()
		whole := len(running) == w.topics["t"]
		for _, n := range running {
			whole = whole && n == 1
		}
		if whole {
			return
		}
	}
	t.Fatalf("partitions without an owner, or with two, after %v: %v\n%s", within, w.running(), w.report())
}

func check(t *testing.T, w *world) {
	t.Helper()
	if len(w.failures) > 0 {
		t.Fatal(w.report())
	}
}

func TestMembersThatComeAndGoRepeatNothing(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			if seed%2 == 1 {
				w.start = kafka.Latest()
			}
			w.broker.short = seed%5 == 4
			var alive []*node
			for step := range 12 {
				if len(alive) < 2 || w.rand.Float64() < 0.5 && len(alive) < 6 {
					alive = append(alive, w.spawn(fmt.Sprintf("pod-%d", step)))
				} else {
					alive[0].leave()
					alive = alive[1:]
				}
				w.run(time.Duration(w.rand.Int64N(int64(15 * time.Second))))
				check(t, w)
			}
			settle(t, w, 30*time.Second)
			w.run(20 * time.Second)
			check(t, w)
			if w.repeated > 0 {
				t.Fatalf("%d deliveries were repeated\n%s", w.repeated, w.report())
			}
		})
	}
}

func TestAGroupBeginsOnceWhoeverComesFirst(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			w.start = kafka.Latest()
			for _, name := range []string{"a", "b", "c", "d"} {
				w.spawn(name)
			}
			settle(t, w, 30*time.Second)
			w.run(5 * time.Second)
			check(t, w)
		})
	}
}

func TestFaultsLoseNothingAndNeverMakeTwoOwners(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			w.loss = float64(seed%4) * 0.03
			if seed%2 == 1 {
				w.start = kafka.Latest()
			}
			w.broker.short = seed%5 == 4
			var alive []*node
			for step := range 15 {
				shake(w, &alive, step)
				w.run(time.Duration(w.rand.Int64N(int64(12 * time.Second))))
				check(t, w)
			}
			w.loss = 0
			settle(t, w, 90*time.Second)
			w.run(20 * time.Second)
			check(t, w)
		})
	}
}

// shake does one thing to the group.
func shake(w *world, alive *[]*node, step int) {
	if len(*alive) < 2 {
		*alive = append(*alive, w.spawn(fmt.Sprintf("pod-%d", step)))
		return
	}
	victim := w.rand.IntN(len(*alive))
	n := (*alive)[victim]
	switch w.rand.IntN(4) {
	case 0:
		*alive = append(*alive, w.spawn(fmt.Sprintf("pod-%d", step)))
		return
	case 1:
		n.freeze(time.Duration(w.rand.Int64N(int64(20 * time.Second))))
		return
	case 2:
		n.leave()
	case 3:
		n.kill()
	}
	*alive = append((*alive)[:victim], (*alive)[victim+1:]...)
}
