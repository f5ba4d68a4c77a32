// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// faults are scenarios with three brokers of which some die, while messages are published and consumed.
func faults() []scenario {
	return []scenario{
		{"three brokers: 1, 2, all 3 die and come back", 3, always, deaths},
		{"three brokers are rolled: leaders move", 3, always, rolled},
	}
}

// traffic is a publisher and a member of a group that go on whatever happens.
type traffic struct {
	b      *bench
	topic  string
	member *member
	stop   context.CancelFunc
	done   sync.WaitGroup

	// turn is held while a batch is published, and by who wants silence.
	turn sync.Mutex

	// mu protects what follows.
	mu    sync.Mutex
	sent  map[string]bool // acknowledged
	times []time.Time     // of acknowledgements
	err   error
}

func (b *bench) traffic(ctx context.Context) (*traffic, error) {
	// What a scenario before this left dead.
	if err := startAll(ctx, b.brokers()); err != nil {
		return nil, err
	}
	config := map[string]string{}
	if !b.release.Before("0.8.2") {
		config["min.insync.replicas"] = "1"
	}
	topic, err := b.topic(ctx, "", 6, config)
	if err != nil {
		return nil, err
	}
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return nil, err
	}
	publishing, stop := context.WithCancel(ctx)
	t := &traffic{b: b, topic: topic, member: m, stop: stop, sent: map[string]bool{}}
	t.done.Go(func() { t.publish(publishing) })
	return t, nil
}

// publish sends small batches; of one that failed the rest is sent again.
func (t *traffic) publish(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for next := 0; ; {
		const batch = 20
		values := make([][]byte, 0, batch)
		for i := range batch {
			values = append(values, fmt.Appendf(nil, "message %d", next+i))
		}
		t.turn.Lock()
		answer, err := t.b.client.publish(ctx, t.topic, values)
		t.turn.Unlock()
		if ctx.Err() != nil {
			return
		}
		t.acknowledged(values[:answer.Acknowledged], err)
		next += answer.Acknowledged
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *traffic) acknowledged(values [][]byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, value := range values {
		t.sent[string(value)] = true
	}
	if len(values) > 0 {
		t.times = append(t.times, time.Now())
	}
	t.err = errors.Join(t.err, err)
}

// flows waits until something was published, and something that was published after this moment was consumed.
func (t *traffic) flows(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	t.mu.Lock()
	acknowledged := len(t.times)
	t.mu.Unlock()
	before := map[string]bool{}
	for _, m := range t.member.all() { // also what was written without an acknowledgement
		before[string(m.value())] = true
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		t.mu.Lock()
		published := len(t.times) > acknowledged+1
		if !published {
			for value := range t.sent {
				before[value] = true
			}
		}
		t.mu.Unlock()
		if published && t.consumedNew(before) {
			return time.Since(begin), nil
		}
		select {
		case <-tick.C:
		case <-t.member.done:
			return 0, fmt.Errorf("the member ended: %w: %s", t.member.err, t.member.said())
		case <-ctx.Done():
			return 0, fmt.Errorf("published %t; nothing new is consumed: %w; the member said: %s",
				published, context.Cause(ctx), t.member.said())
		}
	}
}

func (t *traffic) consumedNew(before map[string]bool) bool {
	for _, m := range t.member.all() {
		if !before[string(m.value())] {
			return true
		}
	}
	return false
}

// end stops publishing, waits for everything to be consumed, and says what is lost.
func (t *traffic) end(ctx context.Context) error {
	t.stop()
	t.done.Wait()
	missing := func(all []message) int {
		got := map[string]bool{}
		for _, m := range all {
			got[string(m.value())] = true
		}
		count := 0
		for value := range t.sent {
			if !got[value] {
				count++
			}
		}
		return count
	}
	const settle = 2 * time.Minute
	waiting, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	err := t.member.await(waiting, "every acknowledged message", func(all []message) bool { return missing(all) == 0 })
	lost := missing(t.member.all())
	err = errors.Join(err, t.err, t.member.stop(ctx))
	if lost > 0 {
		return errors.Join(fmt.Errorf("%d of %d acknowledged messages did not come", lost, len(t.sent)), err)
	}
	t.b.note("%d messages, 0 lost, %d again", len(t.sent), len(t.member.all())-len(t.sent))
	return err
}

func deaths(ctx context.Context, b *bench) error {
	t, err := b.traffic(ctx)
	if err != nil {
		return err
	}
	if b.forgetful() {
		b.note("its brokers lose what was acknowledged just before some die: nothing is published then")
	}
	_, err = t.flows(ctx)
	for dead := 1; dead <= 3 && err == nil; dead++ {
		err = t.die(ctx, dead)
	}
	return errors.Join(err, t.end(ctx))
}

// quorum tells whether a cluster works with so many of three brokers dead: KRaft's controllers are a majority.
func (b *bench) quorum(dead int) bool {
	return dead == 1 || dead == 2 && b.kind != kindKRaft
}

// forgetful tells of brokers that lose what was acknowledged when they die in the midst of it: until 0.10 one that
// becomes a follower cuts its log at the high watermark that it knows, and may lead with that a moment later
// (KAFKA-1211, mended in 0.11 by leader epochs); in 0.8.1 one cuts it even on its way to being the leader, as its own
// log says. So all replicas are in sync, and know the high watermark, before some are killed, and they come back one by
// one, or the first would for a moment follow one of the others, and be cut. Others get it harder.
func (b *bench) forgetful() bool { return b.servers.real() != nil && b.release.Before("0.11") }

// settle waits until brokers that need it can do without some of them again.
func (t *traffic) settle(ctx context.Context) error {
	if !t.b.forgetful() {
		return nil
	}
	return t.b.servers.real().AwaitInSync(ctx)
}

// checkpointed is how long the high watermark takes to all disks: twice a follower's fetch of 0.5 s, by which it learns
// of it, and the 0.5 s between two checkpoints; twice that for two cores that are busy.
const checkpointed = 3 * time.Second

// kill ends some of the brokers at once.
func (t *traffic) kill(ctx context.Context, brokers []node) error {
	if err := t.settle(ctx); err != nil {
		return err
	}
	if t.b.forgetful() {
		t.turn.Lock()
		defer t.turn.Unlock()
		select {
		case <-time.After(checkpointed):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for _, broker := range brokers {
		if err := broker.Kill(); err != nil {
			return err
		}
	}
	return nil
}

func (t *traffic) comeBack(ctx context.Context, brokers []node) error {
	if !t.b.forgetful() {
		return startAll(ctx, brokers)
	}
	for _, broker := range brokers {
		if err := comeBack(ctx, broker); err != nil {
			return err
		}
	}
	return nil
}

func (t *traffic) die(ctx context.Context, dead int) error {
	brokers := t.b.brokers()
	if err := t.kill(ctx, brokers[:dead]); err != nil {
		return err
	}
	if t.b.quorum(dead) {
		took, err := t.flows(ctx)
		if err != nil {
			return fmt.Errorf("with %d of 3 brokers dead: %w", dead, err)
		}
		t.b.note("%d dead: on after %s", dead, round(took))
	}
	if err := t.comeBack(ctx, brokers[:dead]); err != nil {
		return err
	}
	took, err := t.flows(ctx)
	if err != nil {
		return fmt.Errorf("after %d of 3 brokers came back: %w", dead, err)
	}
	t.b.note("%d back: on after %s", dead, round(took))
	return nil
}

func startAll(ctx context.Context, brokers []node) error {
	errs := make([]error, len(brokers))
	var starting sync.WaitGroup
	for i, broker := range brokers {
		starting.Go(func() { errs[i] = comeBack(ctx, broker) })
	}
	starting.Wait()
	return errors.Join(errs...)
}

// comeBack starts a broker that was killed, once ZooKeeper has forgotten it.
func comeBack(ctx context.Context, broker node) error {
	if err := broker.AwaitGone(ctx); err != nil {
		return err
	}
	return broker.Start(ctx)
}

func rolled(ctx context.Context, b *bench) error {
	t, err := b.traffic(ctx)
	if err != nil {
		return err
	}
	_, err = t.flows(ctx)
	for _, broker := range b.brokers() {
		if err != nil {
			break
		}
		err = t.roll(ctx, broker)
	}
	return errors.Join(err, t.end(ctx))
}

func (t *traffic) roll(ctx context.Context, broker node) error {
	if err := t.settle(ctx); err != nil {
		return err
	}
	if err := broker.Stop(ctx); err != nil {
		return err
	}
	down, err := t.flows(ctx)
	if err != nil {
		return fmt.Errorf("without broker %d: %w", broker.ID(), err)
	}
	if err := broker.Start(ctx); err != nil {
		return err
	}
	if _, err := t.flows(ctx); err != nil {
		return fmt.Errorf("with broker %d again: %w", broker.ID(), err)
	}
	t.b.note("broker %d: on after %s", broker.ID(), round(down))
	return nil
}
