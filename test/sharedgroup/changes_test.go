// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// most is how many members each side has at most: more than partitions of one topic together, so that some are idle.
	most = 3
	// burst is how many changes come before the group may settle, between which at most gap passes: about as long as what
	// an old consumer does between two tries.
	burst = 3
	gap   = 2 * time.Second
)

// schedule draws changes of the group's members. What is drawn follows from the seed and from what was drawn before.
type schedule struct {
	*stage
	random *rand.Rand
	left   int
}

// step makes some changes one after the other and says which.
func (s *schedule) step(ctx context.Context) (done []string) {
	GinkgoHelper()
	for range min(s.left, 1+s.random.IntN(burst)) {
		if len(done) > 0 {
			pause(ctx, time.Duration(s.random.Int64N(int64(gap))))
		}
		done = append(done, s.change())
		s.left--
	}
	return done
}

func (s *schedule) change() string {
	GinkgoHelper()
	var possible []func() string
	for _, kind := range s.kinds {
		members := s.of(kind)
		if len(members) < most {
			possible = append(possible, func() string { return "+" + s.join(kind) })
		}
		if len(members) > 0 && len(s.members) > 1 {
			member := members[s.random.IntN(len(members))]
			possible = append(possible,
				func() string { s.leave(member); return "-" + member },
				func() string { s.kill(member); return "x" + member })
		}
	}
	return possible[s.random.IntN(len(possible))]()
}

// of are the members of a kind, in order.
func (s *schedule) of(kind string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.members)), func(name string) bool {
		return !strings.HasPrefix(name, kind)
	})
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// specTime bounds a spec: each change takes 25 s at most on the average, a session that expires among it.
func specTime() time.Duration { return 2*time.Minute + time.Duration(*changes)*25*time.Second }

var _ = Describe("A group of samsa's members and of Kafka's old consumers", func() {
	for _, release := range chosen() {
		if newest(release) {
			continue // see coordinated_test.go
		}
		It("loses nothing and settles while both join, leave and are killed: Kafka "+release, func(ctx SpecContext) {
			random := rand.New(rand.NewPCG(*seed, 0)) //nolint:gosec // it has to replay
			s := schedule{stage: newStage(ctx, release), random: random, left: *changes}
			var took []time.Duration
			s.joinOld()
			s.joinNew()
			took = append(took, s.settle(ctx))
			say("\nKafka %s, seed %d\n%-40s settled after\n%-40s %s\n", release, *seed,
				"changes (+ joins, - leaves, x killed)", "+old-1 +new-1", round(took[0]))
			for s.left > 0 {
				done := s.step(ctx)
				took = append(took, s.settle(ctx))
				say("%-40s %s\n", strings.Join(done, " "), round(took[len(took)-1]))
			}
			v, h := s.finish(ctx)
			tell(v, h, took)
			Expect(v.lost[samsas]).To(BeEmpty())
			Expect(v.lost[others]).To(BeEmpty())
		}, SpecTimeout(specTime()))
	}
})

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// tell prints what became of a run.
func tell(v verdict, h history, took []time.Duration) {
	slices.Sort(took)
	say("settled %d times: median %s, longest %s\n", len(took), round(took[len(took)/2]), round(took[len(took)-1]))
	say("messages: %d sent, %d delivered, %d repetitions; "+
		"lost by samsa %d, by old consumers %d, by nobody known %d\n",
		v.sent, v.delivered, v.repeated, len(v.lost[samsas]), len(v.lost[foreign]), len(v.lost[others]))
	for _, line := range slices.Concat(v.lost[samsas], v.lost[others], v.lost[foreign]) {
		say("  lost: %s\n", line)
	}
	if len(h.commits) == 0 { // a group at the brokers, which tell nobody who committed what
		return
	}
	say("commits: samsa %d (%d backwards), old consumers %d (%d backwards); "+
		"claims: samsa %d, old consumers %d; nudges %d\n",
		h.made(samsas), h.rewinds(samsas), h.made(foreign), h.rewinds(foreign), h.claims[samsas], h.claims[foreign], h.nudges)
}
