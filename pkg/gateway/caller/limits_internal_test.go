// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// at is a limiter and its clock.
func at(limits Limits) (*Limiter, *time.Time) {
	now := time.Unix(1_000_000, 0)
	return NewLimiter(limits, func() time.Time { return now }), &now
}

func admitted(t *testing.T, l *Limiter, name string) *Pass {
	t.Helper()
	pass, err := l.Admit(Caller{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return pass
}

func refused(t *testing.T, l *Limiter, name string) (retryAfter time.Duration) {
	t.Helper()
	_, err := l.Admit(Caller{Name: name})
	exceeded, ok := errors.AsType[*Exceeded](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	return exceeded.RetryAfter
}

// Whatever comes when: in no second more than twice the rate, and over a long time the rate.
func TestLimiterKeepsTheRate(t *testing.T) {
	const rate = 10
	l, now := at(Limits{MessagesPerSecond: rate})
	random := rand.New(rand.NewPCG(1, 2))
	begin := *now
	var let []time.Time
	for range 20_000 {
		*now = now.Add(time.Duration(random.IntN(20)) * time.Millisecond)
		if pass, err := l.Admit(Caller{}); err == nil {
			pass.Charge(1, 1000)
			pass.Done()
			let = append(let, *now)
		}
	}
	for i := 2*rate + 1; i < len(let); i++ {
		if span := let[i].Sub(let[i-2*rate-1]); span < time.Second {
			t.Fatalf("%d messages in %s", 2*rate+1, span)
		}
	}
	if most, got := rate*(now.Sub(begin).Seconds()+1), float64(len(let)); got > most+1 || got < 0.98*most {
		t.Errorf("%v messages, want %v", got, most)
	}
}

func TestLimiterChargesWhatARequestHolds(t *testing.T) {
	l, now := at(Limits{BytesPerSecond: 1000})
	pass := admitted(t, l, "ann")
	pass.Charge(1, 5000) // larger than the rate: it passes
	pass.Done()
	if retryAfter := refused(t, l, "ann"); retryAfter < 4*time.Second || retryAfter > 5*time.Second {
		t.Errorf("come back in %s", retryAfter)
	}
	admitted(t, l, "bob").Done()
	*now = now.Add(4*time.Second + time.Millisecond)
	admitted(t, l, "ann").Done()
}

func TestLimiterBoundsWhatIsUnderway(t *testing.T) {
	l, _ := at(Limits{Concurrent: 2})
	first := admitted(t, l, "ann")
	admitted(t, l, "ann")
	refused(t, l, "ann")
	admitted(t, l, "bob")
	first.Done()
	first.Done()
	admitted(t, l, "ann")
	refused(t, l, "ann")
}

func TestLimiterHasBoundedMemory(t *testing.T) {
	l, now := at(Limits{MessagesPerSecond: 1, Concurrent: 1})
	l.most = 100
	var passes []*Pass
	for i := range l.most {
		passes = append(passes, admitted(t, l, fmt.Sprint(i)))
	}
	beyond := admitted(t, l, "one more")
	refused(t, l, "and another") // they share an account
	refused(t, l, "0")
	beyond.Done()
	if len(l.accounts) != l.most {
		t.Errorf("%d accounts", len(l.accounts))
	}
	for _, pass := range passes {
		pass.Done()
	}
	*now = now.Add(time.Minute)
	admitted(t, l, "and another").Done()
	if len(l.accounts) != 1 {
		t.Errorf("%d accounts are left", len(l.accounts))
	}
}

func TestPassPacesAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Limits{MessagesPerSecond: 100}, time.Now)
		begin := time.Now()
		pass, err := l.Admit(Caller{})
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			if _, err := pass.Wait(t.Context(), 1, 10); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took < 8900*time.Millisecond || took > 9100*time.Millisecond {
			t.Errorf("1000 messages, 100 a second, took %s; the first second's come at once", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := pass.Wait(ctx, 1, 10); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// What a stream sends after it was last asked to pay is not given to it.
func TestAStreamThatEndsPaysWhatItOwes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(Limits{MessagesPerSecond: 1000}, time.Now)
		const each = 1000/lumps - 1
		streams := 0
		for ; ; streams++ {
			pass, err := l.Admit(Caller{})
			if err != nil {
				break
			}
			for range each {
				if _, err := pass.Wait(t.Context(), 1, 10); err != nil {
					t.Fatal(err)
				}
			}
			pass.Done()
		}
		if sent := streams * each; sent < 1000 || sent > 1000+each {
			t.Errorf("%d messages passed at once, 1000 a second", sent)
		}
	})
}

func TestNobodyIsLimitedWithoutLimits(t *testing.T) {
	for _, l := range []*Limiter{nil, NewLimiter(Limits{}, time.Now)} {
		pass, err := l.Admit(Caller{})
		if err != nil {
			t.Fatal(err)
		}
		pass.Charge(1, 1<<40)
		if _, err := pass.Wait(t.Context(), 1, 1<<40); err != nil {
			t.Error(err)
		}
		pass.Done()
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := newRecent[int](3)
	for i := range 5 {
		r.put(sum{byte(i)}, i)
		r.get(sum{0}) // used again and again
	}
	if _, ok := r.get(sum{0}); !ok || r.len() != 3 {
		t.Errorf("%d are left", r.len())
	}
	if _, ok := r.get(sum{1}); ok {
		t.Error("the one that nobody used stayed")
	}
}
