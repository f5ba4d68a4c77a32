// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// playTimeout is what the longest spec takes, twice: a sink that fails for 40 s, what is before and after it, and a
// machine that is busy.
const playTimeout = 150 * time.Second

// headway is what each play has before the next one begins: a group's start takes a second of one core, and all of them
// at once would make all of them late. On two cores, one of which another suite may have, ten starts take some 6 s.
const headway = 600 * time.Millisecond

// atOnce is how many plays do something at a time: each is a worker or three that start, and a manager's attention, on
// two cores that other suites use, too. Those that only wait for the last word of a status are not counted.
const atOnce = 10

// play is a spec that leaves others alone, so that it can run beside them. text is what it shows, name its namespace.
type play struct {
	name, text string
	run        func(*stage)
}

// together makes plays into specs of an ordered container, all of which run from the first on, so the longest should be
// in front; each spec waits for its play and tells how it ended.
func together(plays ...play) {
	results := make([]chan error, len(plays))
	BeforeAll(func(ctx SpecContext) {
		playing, cancel := context.WithCancel(context.WithoutCancel(ctx)) // beyond this node, whose ctx ends with it
		var all sync.WaitGroup
		begun, places := 0, make(chan struct{}, atOnce)
		for i := range plays {
			results[i] = make(chan error, 1)
			if focused(plays[i].text) {
				begun++
				wait := time.Duration(begun) * headway
				all.Go(func() {
					pause(playing, wait)
					places <- struct{}{}
					leave := sync.OnceFunc(func() { <-places })
					defer leave()
					results[i] <- perform(playing, &plays[i], leave)
				})
			}
		}
		DeferCleanup(func() {
			cancel()
			all.Wait()
		})
	})
	for i := range plays {
		It(plays[i].text, func(ctx SpecContext) {
			select {
			case err := <-results[i]:
				succeeds(err)
			case <-ctx.Done():
				Fail("it does not come to an end")
			}
		}, SpecTimeout(playTimeout+time.Minute))
	}
}

// focused keeps plays from running that nobody asked for with -ginkgo.focus.
func focused(text string) bool {
	config, _ := GinkgoConfiguration()
	return len(config.FocusStrings) == 0 || slices.ContainsFunc(config.FocusStrings, func(focus string) bool {
		matches, err := regexp.MatchString(focus, text)
		return err != nil || matches
	})
}

// alone runs a play by itself, as a spec.
func alone(ctx context.Context, p play) {
	GinkgoHelper()
	succeeds(perform(ctx, &p, func() {}))
}

// succeeds shows how a play failed, if it did, as it is: with all that was seen.
func succeeds(err error) {
	GinkgoHelper()
	if err != nil {
		Fail(err.Error())
	}
}

// perform runs a play on a stage of its own, and calls played before its end. A failed expectation, or that of its end,
// is the error.
func perform(ctx context.Context, p *play, played func()) (err error) {
	s := newStage(ctx, p.name)
	defer func() { err = errors.Join(err, s.close()) }()
	return s.guarded(func() {
		s.open()
		p.run(s)
		played()
		s.curtain()
	})
}

// fault is a failed expectation.
type fault string

// expectations fail by panicking with a fault, which guarded catches: Ginkgo's own Fail belongs to the goroutine of a
// spec.
func expectations() Gomega {
	g := NewGomega(func(message string, skip ...int) {
		_, file, line, _ := runtime.Caller(1 + append(skip, 0)[0])
		panic(fault(fmt.Sprintf("%s:%d: %s", filepath.Base(file), line, message)))
	})
	g.SetDefaultEventuallyTimeout(healing)
	g.SetDefaultEventuallyPollingInterval(polling)
	g.SetDefaultConsistentlyPollingInterval(polling)
	g.EnforceDefaultTimeoutsWhenUsingContexts()
	return g
}

// guarded runs something that expects, and gives the fault with what was seen up to it.
func (s *stage) guarded(run func()) (err error) {
	defer func() {
		switch failed := recover().(type) {
		case nil:
		case fault:
			err = fmt.Errorf("%s\n\n%s", failed, s.history())
		default: // of one play; the others go on, and what was started is ended
			err = fmt.Errorf("panic: %v\n%s", failed, debug.Stack())
		}
	}()
	run()
	return nil
}
