// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import "time"

// account is what one caller has used.
type account struct {
	underway        int
	messages, bytes meter
}

func (a *account) check(limits Limits, now time.Time) error {
	if limits.Concurrent > 0 && a.underway >= limits.Concurrent {
		return &Exceeded{Limit: "requests at the same time", RetryAfter: soon}
	}
	if wait := a.messages.wait(now); wait > 0 {
		return &Exceeded{Limit: "messages per second", RetryAfter: wait}
	}
	if wait := a.bytes.wait(now); wait > 0 {
		return &Exceeded{Limit: "bytes per second", RetryAfter: wait}
	}
	return nil
}

func (a *account) wait(now time.Time) time.Duration {
	return max(a.messages.wait(now), a.bytes.wait(now))
}

// idle says that forgetting the account gives nothing away.
func (a *account) idle(now time.Time) bool {
	return a.underway == 0 && !a.messages.until.After(now) && !a.bytes.until.After(now)
}

// burst is how much of a rate may be used at once: what one second allows.
const burst = time.Second

// meter is the generic cell rate algorithm: the time up to which a rate is used up. Whoever is not more than burst
// ahead of the clock may go on.
type meter struct{ until time.Time }

// wait is how long nothing may be used.
func (m meter) wait(now time.Time) time.Duration {
	if ahead := now.Add(burst); !m.until.Before(ahead) {
		return m.until.Sub(ahead) + 1
	}
	return 0
}

// charge uses n of perSecond; 0 is no limit.
func (m *meter) charge(now time.Time, n, perSecond int) {
	if perSecond <= 0 || n <= 0 {
		return
	}
	if m.until.Before(now) {
		m.until = now
	}
	// In floating point: 10 MiB/s times a second in nanoseconds does not fit 64 bits.
	m.until = m.until.Add(time.Duration(float64(n) / float64(perSecond) * float64(time.Second)))
}
