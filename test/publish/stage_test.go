// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
)

// stage is a Kafka, two gateways before it, and what is known of the callers.
type stage struct {
	release  string
	servers  servers
	gateways []*gateway
	targets  []*target
	pace     *pace
	gaps     *gaps
	books    *books
	share    int
	began    time.Time
	took     time.Duration
}

// shares is how many parts of the messages the script deals out, each for one step, and the rest at the end.
const shares = 16

func newStage(ctx context.Context, release string) *stage {
	GinkgoHelper()
	directory := tempDir()
	share := max(1, *messages/shares)
	s := &stage{
		release: release, share: share, pace: newPace(share), gaps: &gaps{}, books: &books{names: &names{}},
	}
	begin := time.Now()
	s.servers = open(ctx, release)
	var err error
	timeout, window := produceTimeout, remembered
	if release == embedded {
		timeout = embeddedProduceTimeout
	}
	if !s.servers.era().once {
		window = rememberedTwice
	}
	s.gateways, err = newGateways(ctx, directory, build(ctx, directory), s.servers.cluster(), timeout, window)
	Expect(err).NotTo(HaveOccurred())
	for _, g := range s.gateways {
		DeferCleanup(g.kill)
		Expect(g.start(ctx)).To(Succeed())
		s.targets = append(s.targets, &target{address: g.address})
	}
	say("Kafka %s and two gateways run after %s.", release, round(time.Since(begin)))
	return s
}

// perform publishes everything while the script goes on.
func (s *stage) perform(ctx context.Context) {
	GinkgoHelper()
	s.began = time.Now()
	s.gaps.enter("all live")
	group, publishing := errgroup.WithContext(ctx)
	each, rest := *messages/callers, *messages%callers
	for id := range callers {
		total := each
		if id < rest {
			total++
		}
		c := newCaller(id, total, s)
		group.Go(func() error {
			if err := c.run(publishing); err != nil {
				return fmt.Errorf("caller %d (%s): %w", id, c.page.kind, err)
			}
			return nil
		})
	}
	telling, stop := context.WithCancel(ctx)
	var teller sync.WaitGroup
	teller.Go(func() { s.tell(telling) })
	group.Go(func() error { return s.script(publishing) })
	err := group.Wait()
	stop()
	teller.Wait()
	s.took = time.Since(s.began)
	Expect(err).NotTo(HaveOccurred())
	s.progress("done")
}

// tell says how it goes every few seconds.
func (s *stage) tell(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.progress("...")
		case <-ctx.Done():
			return
		}
	}
}

func (s *stage) progress(what string) {
	p := s.pace
	say("%7s  %7d of %d messages decided; answers: %d taken, %d refused, %d unknown   %s",
		round(time.Since(s.began)), p.decided.Load(), *messages, p.taken.Load(), p.refused.Load(), p.unknown.Load(), what)
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// step enters a phase, does something, and waits until a part of the messages of the step is decided.
func (s *stage) step(ctx context.Context, name string, do func() error) error {
	s.pace.allow(s.share)
	before := s.pace.decided.Load()
	s.gaps.enter(name)
	s.progress(name)
	begin := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if took := time.Since(begin); took > time.Second {
		s.progress(fmt.Sprintf("%s: took %s", name, round(took)))
	}
	return s.pace.await(ctx, &s.pace.decided, before+int64(s.share/2))
}

// script kills and brings back, by how many messages are decided.
func (s *stage) script(ctx context.Context) error {
	all := []int{0, 1, 2}
	back := func(ids ...int) func() error {
		return func() error {
			if err := s.servers.start(ctx, ids...); err != nil {
				return err
			}
			return s.servers.settle(ctx)
		}
	}
	kill := func(ids ...int) func() error { return func() error { return s.servers.kill(ids...) } }
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"all live", func() error { return nil }},
		{"1 of 3 brokers dead", kill(0)},
		{"it comes back", back(0)},
		{"leaders move", func() error { return s.servers.moveLeaders(ctx) }},
		{"2 of 3 brokers dead", kill(1, 2)},
		{"they come back", back(1, 2)},
		{"3 of 3 brokers dead", func() error { return s.blackout(ctx, all) }},
		{"they come back", back(all...)},
		{"1 of 2 gateways killed", func() error { s.gateways[0].kill(); return nil }},
		{"it comes back", func() error { return s.gateways[0].start(ctx) }},
		{"1 of 2 gateways asked to leave", func() error { return s.leave(ctx, 1) }},
		{"it comes back", func() error { return s.comeBack(ctx, 1) }},
		{"a broker and a gateway killed at once", func() error { return s.killBoth(ctx, 2, 1) }},
		{"the broker comes back", back(2)},
	} {
		if err := s.step(ctx, step.name, step.do); err != nil {
			return err
		}
	}
	s.pace.allow(*messages)
	return nil
}

// blackout kills all brokers, and lets half of the callers hear of it.
func (s *stage) blackout(ctx context.Context, all []int) error {
	if err := s.servers.kill(all...); err != nil {
		return err
	}
	if err := s.pace.await(ctx, &s.pace.failed, s.pace.failed.Load()+callers/2); err != nil {
		return err
	}
	s.gaps.enter("they come back")
	if err := s.servers.start(ctx, all...); err != nil {
		return err
	}
	return s.servers.settle(ctx)
}

// leave asks a gateway to leave: it must cut nobody off.
func (s *stage) leave(ctx context.Context, id int) error {
	s.targets[id].leaving.Store(true)
	return s.gateways[id].drain(ctx)
}

func (s *stage) comeBack(ctx context.Context, id int) error {
	s.targets[id].leaving.Store(false)
	return s.gateways[id].start(ctx)
}

// killBoth kills a broker and a gateway that has just sent to it, which comes back at once: what the broker had is then
// behind what others know to be written.
func (s *stage) killBoth(ctx context.Context, broker, gateway int) error {
	if err := s.servers.kill(broker); err != nil {
		return err
	}
	s.gateways[gateway].kill()
	return s.gateways[gateway].start(ctx)
}
