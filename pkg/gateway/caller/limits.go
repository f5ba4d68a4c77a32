// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Limits bound what one caller may do. What is 0 is not bounded. Callers without a name count as one.
type Limits struct {
	// MessagesPerSecond and BytesPerSecond are rates. One second's worth may come at once, and 10 ms' worth in each stream
	// besides; a request that is larger passes, and the caller waits all the longer for its next.
	MessagesPerSecond, BytesPerSecond int
	// Concurrent is how many requests may be underway.
	Concurrent int
}

// Exceeded is a limit that a caller is at. Answered with 429 and Retry-After.
type Exceeded struct {
	// Limit names it: "messages per second", say.
	Limit string
	// RetryAfter is when to come back, at least.
	RetryAfter time.Duration
}

// Error implements error.
func (e *Exceeded) Error() string {
	return fmt.Sprintf("the limit of %s of one caller is reached: come back in %s", e.Limit, e.RetryAfter)
}

const (
	// mostCallers is how many callers have limits of their own: 10,000 accounts of 200 bytes are 2 MB. More that are
	// busy at the same time share one account, so that nobody gets out of the limits by being many.
	mostCallers = 10_000
	// soon is when a request that finds all places taken may come back: requests last some milliseconds.
	soon = time.Second
)

// Limiter keeps callers to their limits. A nil one limits nobody.
type Limiter struct {
	limits Limits
	now    func() time.Time
	most   int

	mu       sync.Mutex
	accounts map[string]*account
	// others is the account of all callers beyond most.
	others account
}

// NewLimiter keeps everybody to the same limits, by the time that now tells.
func NewLimiter(limits Limits, now func() time.Time) *Limiter {
	return &Limiter{limits: limits, now: now, most: mostCallers, accounts: make(map[string]*account)}
}

// Admit lets a request in, or answers *Exceeded. Nothing of the request's body is needed for that: what it holds is
// charged later. The pass has to be given back with Done.
func (l *Limiter) Admit(c Caller) (*Pass, error) {
	if l == nil || l.limits == (Limits{}) {
		return nil, nil //nolint:nilnil // a pass for everything
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	a := l.account(c.Name, now)
	if err := a.check(l.limits, now); err != nil {
		return nil, err
	}
	a.underway++
	a.messages.charge(now, 1, l.limits.MessagesPerSecond)
	return &Pass{limiter: l, account: a, prepaid: 1}, nil
}

// account finds or makes a caller's. The caller holds mu.
func (l *Limiter) account(name string, now time.Time) *account {
	if a := l.accounts[name]; a != nil {
		return a
	}
	if len(l.accounts) >= l.most {
		l.sweep(now)
	}
	if len(l.accounts) >= l.most {
		return &l.others
	}
	a := new(account)
	l.accounts[name] = a
	return a
}

// sweep forgets who owes nothing: a new account says the same.
func (l *Limiter) sweep(now time.Time) {
	for name, a := range l.accounts {
		if a.idle(now) {
			delete(l.accounts, name)
		}
	}
}

// Pass is a request underway. A nil one is not limited.
type Pass struct {
	limiter *Limiter
	account *account
	// prepaid is how many messages were charged already: one at admission, so that many requests at once are not let in
	// for the price of one.
	prepaid int
	// owed is what a stream sent and was not charged for yet.
	owed struct{ messages, bytes int }
	once sync.Once
}

// lumps is how many parts of a second's worth a stream is charged for at a time: a hundred streams that took the lock
// for each of 300,000 messages a second would wait for each other more than for brokers.
const lumps = 100

// Charge takes what the request holds from the caller's rates. It never refuses: what is too much delays the next
// request.
func (p *Pass) Charge(messages, bytes int) {
	if p == nil {
		return
	}
	p.limiter.mu.Lock()
	defer p.limiter.mu.Unlock()
	p.charge(p.limiter.now(), messages, bytes)
}

func (p *Pass) charge(now time.Time, messages, bytes int) {
	paid := min(messages, p.prepaid)
	p.prepaid -= paid
	limits := p.limiter.limits
	p.account.messages.charge(now, messages-paid, limits.MessagesPerSecond)
	p.account.bytes.charge(now, bytes, limits.BytesPerSecond)
}

// Wait is Charge for a part of a stream: it first waits until the caller may send on. Up to 10 ms worth of the rates
// passes before that is asked, and is charged then, or by Done. It says whether time has passed. Not to be called twice
// at once.
func (p *Pass) Wait(ctx context.Context, messages, bytes int) (waited bool, err error) {
	if p == nil {
		return false, ctx.Err()
	}
	p.owed.messages += messages
	p.owed.bytes += bytes
	for !p.owesLittle() {
		wait := p.pay()
		if wait <= 0 {
			break
		}
		waited = true
		if err := sleep(ctx, wait); err != nil {
			return waited, err
		}
	}
	return waited, ctx.Err()
}

func (p *Pass) owesLittle() bool {
	limits := &p.limiter.limits
	return (limits.MessagesPerSecond <= 0 || p.owed.messages < limits.MessagesPerSecond/lumps) &&
		(limits.BytesPerSecond <= 0 || p.owed.bytes < limits.BytesPerSecond/lumps)
}

// pay charges what is owed, unless it says how long that has to wait.
func (p *Pass) pay() time.Duration {
	p.limiter.mu.Lock()
	defer p.limiter.mu.Unlock()
	now := p.limiter.now()
	if wait := p.account.wait(now); p.prepaid == 0 && wait > 0 {
		return wait
	}
	p.settle(now)
	return 0
}

// settle charges what is owed. The caller holds the limiter's lock.
func (p *Pass) settle(now time.Time) {
	p.charge(now, p.owed.messages, p.owed.bytes)
	p.owed.messages, p.owed.bytes = 0, 0
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Done gives the pass back. Further calls do nothing.
func (p *Pass) Done() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		p.limiter.mu.Lock()
		defer p.limiter.mu.Unlock()
		p.settle(p.limiter.now())
		p.account.underway--
	})
}
