// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

const hold = 10 * time.Second

func TestOwnersAreEven(t *testing.T) {
	members := []string{"10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"}
	shares := map[string]int{}
	for i := range 30_000 {
		shares[window.Owner(members, fmt.Sprintf("key-%d", i))]++
	}
	for member, n := range shares {
		if n < 9_500 || n > 10_500 {
			t.Errorf("%s has %d of 30000", member, n)
		}
	}
}

// Where one member comes or goes, only its own keys move; and the order of members does not matter.
func TestOnlyTheKeysOfAMemberMove(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		var members []string
		for i := range 1 + random.IntN(6) {
			members = append(members, fmt.Sprintf("10.%d.0.%d:80", random.IntN(256), i))
		}
		key, gone := fmt.Sprint(random.Uint64()), members[random.IntN(len(members))]
		owner := window.Owner(members, key)
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		if again := window.Owner(members, key); again != owner {
			t.Fatalf("%s, then %s", owner, again)
		}
		rest := slices.DeleteFunc(slices.Clone(members), func(m string) bool { return m == gone })
		if now := window.Owner(rest, key); owner != gone && now != owner {
			t.Fatalf("%s goes, and a key moves from %s to %s", gone, owner, now)
		}
	}
}

// Random histories of replicas that learn of each other late: at no moment do two of them answer for one key, and
// nobody begins to before who had it has stopped for as long as a request may take.
func TestNoTwoReplicasAnswerForAKey(t *testing.T) {
	const lag, request = 4, 6 // seconds; together they are hold
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 5))
		time0 := &clock{time.Unix(1_000_000, 0)}
		names := []string{"a", "b", "c"}
		replicas := map[string]*window.Shares{}
		truth := slices.Clone(names)
		seen := map[string][][]string{} // what each is still to see, a view for each second
		for _, name := range names {
			replicas[name] = window.NewShares(window.SharesConfig{Self: name, Hold: hold, Begin: hold, Now: time0.now})
		}
		last := map[string]string{}
		until := map[string]time.Time{}
		for second := range 400 {
			time0.at = time0.at.Add(time.Second)
			if random.IntN(15) == 0 {
				truth = slices.DeleteFunc(slices.Clone(names), func(string) bool { return random.IntN(3) == 0 })
			}
			for _, name := range names {
				seen[name] = append(seen[name], truth)
				// Each sees what was true not more than lag seconds ago, and never goes back.
				drop := max(len(seen[name])-lag, random.IntN(len(seen[name])))
				seen[name] = seen[name][drop:]
				replicas[name].Update(seen[name][0])
				if generation, due, unsettled := replicas[name].Unsettled(); unsettled && !time0.at.Before(due) {
					replicas[name].Settle(generation)
				}
			}
			for k := range 20 {
				key := fmt.Sprint(k)
				var answering []string
				for _, name := range names {
					if _, turn := replicas[name].Who(key); turn == window.Mine {
						answering = append(answering, name)
					}
				}
				if len(answering) > 1 {
					t.Fatalf("seed %d second %d: %v answer for %s", seed, second, answering, key)
				}
				if len(answering) == 0 {
					continue
				}
				if old := last[key]; old != "" && old != answering[0] && time0.at.Sub(until[key]) < request*time.Second {
					t.Fatalf("seed %d second %d: %s takes over from %s after %s", seed, second, answering[0], old,
						time0.at.Sub(until[key]))
				}
				last[key], until[key] = answering[0], time0.at
			}
		}
		if len(last) != 20 {
			t.Fatalf("seed %d: only %d keys were ever answered for", seed, len(last))
		}
	}
}

func TestAReplicaGoesOnWithWhatItHad(t *testing.T) {
	time0 := &clock{time.Unix(1_000_000, 0)}
	s := window.NewShares(window.SharesConfig{Self: "a", Hold: hold, Begin: time.Second, Now: time0.now})
	if _, turn := s.Who("k"); turn != window.Soon {
		t.Errorf("before it knows anybody: %v", turn)
	}
	s.Update([]string{"a"})
	generation, due, unsettled := s.Unsettled()
	if !unsettled || due.Sub(time0.at) != time.Second {
		t.Errorf("unsettled %v until %s", unsettled, due)
	}
	s.Settle(generation)
	mine := func() (n, soon int) {
		for i := range 1000 {
			switch _, turn := s.Who(fmt.Sprint(i)); turn {
			case window.Mine:
				n++
			case window.Soon:
				soon++
			case window.Theirs:
			}
		}
		return n, soon
	}
	s.Update([]string{"b", "a", "b"})
	if n, soon := mine(); n < 400 || n > 600 || soon != 0 {
		t.Errorf("with another it has %d, and waits with %d", n, soon)
	}
	s.Settle(generation) // too late
	s.Update([]string{"a"})
	n, soon := mine()
	if n < 400 || n > 600 || n+soon != 1000 {
		t.Errorf("alone again it has %d, and waits with %d", n, soon)
	}
	if after := s.RetryAfter(); after != hold {
		t.Errorf("come back in %s", after)
	}
	generation, _, _ = s.Unsettled()
	s.Settle(generation)
	if n, _ := mine(); n != 1000 {
		t.Errorf("then it has %d", n)
	}
	s.Update(nil)
	if _, turn := s.Who("k"); turn != window.Soon {
		t.Errorf("of nobody: %v", turn)
	}
}

// The turn may pass while a body comes: who asks again is told, and when to come back.
func TestATurnThatPasses(t *testing.T) {
	now := &clock{time.Unix(1_000_000, 0)}
	shares := window.NewShares(window.SharesConfig{Self: "a", Hold: hold, Now: now.now})
	after := func() time.Duration {
		moved, ok := errors.AsType[*window.Moved](shares.Check("k"))
		if !ok {
			return 0
		}
		return moved.RetryAfter
	}
	shares.Update([]string{"a"})
	generation, _, _ := shares.Unsettled()
	shares.Settle(generation)
	if got := after(); got != 0 {
		t.Errorf("its own: %s", got)
	}
	shares.Update([]string{"b"})
	if got := after(); got != time.Second {
		t.Errorf("another's: %s", got)
	}
	shares.Update([]string{"a"})
	if got := after(); got != hold {
		t.Errorf("its own again, but not yet: %s", got)
	}
}
