// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
)

// reviewer answers what it is told to.
type reviewer struct {
	mu      sync.Mutex
	verdict caller.Verdict
	err     error
	asked   atomic.Int64
	// hold, if not nil, is waited for.
	hold chan struct{}
}

func (r *reviewer) say(verdict caller.Verdict, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdict, r.err = verdict, err
}

func (r *reviewer) VerifyToken(ctx context.Context, _ string) (caller.Verdict, error) {
	r.asked.Add(1)
	if r.hold != nil {
		select {
		case <-r.hold:
		case <-ctx.Done():
			return caller.Verdict{}, ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.verdict, r.err
}

var _ = Describe("Cached", func() {
	var (
		time0  *clock
		review *reviewer
		cached caller.TokenVerifier
		good   caller.Verdict
	)
	BeforeEach(func() {
		good = caller.Verdict{Caller: caller.Named(billing)}
		time0, review = newClock(), new(reviewer)
		cached = caller.Cached(review, caller.CacheConfig{Now: time0.now})
	})
	verify := func(ctx context.Context) error {
		_, err := cached.VerifyToken(ctx, "token")
		return err
	}

	It("asks once in 10 s, and then notices that the account is gone", func(ctx SpecContext) {
		review.say(good, nil)
		for range 100 {
			Expect(verify(ctx)).To(Succeed())
		}
		Expect(review.asked.Load()).To(Equal(int64(1)))
		review.say(caller.Verdict{}, caller.InvalidToken("deleted"))
		time0.add(9 * time.Second)
		Expect(verify(ctx)).To(Succeed())
		time0.add(time.Second)
		Expect(verify(ctx)).To(MatchError(caller.ErrUnauthenticated))
		Expect(verify(ctx)).To(MatchError(caller.ErrUnauthenticated))
		Expect(review.asked.Load()).To(Equal(int64(2)))
	})

	It("believes a verdict for 5 minutes more while nobody can be asked, but not beyond the token's end",
		func(ctx SpecContext) {
			good.Expires = time0.now().Add(4 * time.Minute)
			review.say(good, nil)
			Expect(verify(ctx)).To(Succeed())
			review.say(caller.Verdict{}, &caller.Refusal{Cause: caller.ErrUnavailable, Reason: "down"})
			time0.add(3 * time.Minute)
			Expect(verify(ctx)).To(Succeed())
			time0.add(time.Minute)
			Expect(verify(ctx)).To(MatchError(caller.ErrUnauthenticated))

			good.Expires = time.Time{}
			review.say(good, nil)
			Expect(verify(ctx)).To(Succeed())
			review.say(caller.Verdict{}, &caller.Refusal{Cause: caller.ErrUnavailable, Reason: "down"})
			time0.add(5*time.Minute + 10*time.Second)
			Expect(verify(ctx)).To(MatchError(caller.ErrUnavailable))
		})

	It("asks one question for many who come together, whoever of them goes away", func(ctx SpecContext) {
		review.say(good, nil)
		review.hold = make(chan struct{})
		leaving, leave := context.WithCancel(ctx)
		first := make(chan error, 1)
		go func() { first <- verify(leaving) }()
		Eventually(review.asked.Load).Should(Equal(int64(1)))
		others := make(chan error, 20)
		for range cap(others) {
			go func() { others <- verify(ctx) }()
		}
		leave()
		Eventually(first).Should(Receive(MatchError(context.Canceled)))
		close(review.hold)
		for range cap(others) {
			Eventually(others).Should(Receive(BeNil()))
		}
		Expect(review.asked.Load()).To(Equal(int64(1)))
	})

	It("lets garbage push nobody out", func(ctx SpecContext) {
		review.say(good, nil)
		Expect(verify(ctx)).To(Succeed())
		review.say(caller.Verdict{}, caller.InvalidToken("garbage"))
		for i := range 3000 {
			_, err := cached.VerifyToken(ctx, fmt.Sprint("garbage", i))
			Expect(err).To(MatchError(caller.ErrUnauthenticated))
		}
		asked := review.asked.Load()
		Expect(verify(ctx)).To(Succeed())
		Expect(review.asked.Load()).To(Equal(asked))
	})
})
