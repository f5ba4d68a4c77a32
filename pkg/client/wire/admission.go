// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// A broker that does not admit this client is tried again after 2, 4, 8, 16, 30, 30, ... s: what is wrong is mended
	// by people or by a rotation of secrets, not by asking, and each refusal is an alarm in the broker's log and costs it
	// a handshake (SCRAM's hash alone is some milliseconds). 30 s are half of what a Secret takes to reach a pod's files.
	admissionFloor = 2 * time.Second
	admissionCap   = 30 * time.Second
	// trialTimeout is when an attempt that nobody reported the end of is taken for lost: dial, handshake and SASL are
	// bounded by 3 + 5 + 3 x 5 s.
	trialTimeout = 30 * time.Second
)

// NotAdmitted says that a broker and this client do not trust each other: by their certificates, or by the credentials.
// Its text stays the same while the cause does, and says what to do.
type NotAdmitted struct {
	// Broker is the address.
	Broker string
	// Err is what is wrong.
	Err error
	// held says that the broker was not asked again: it is not time yet.
	held bool
}

// Error implements error.
func (e *NotAdmitted) Error() string { return "broker " + e.Broker + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *NotAdmitted) Unwrap() error { return e.Err }

// Admission knows which brokers do not admit this client, and paces the attempts at them: one at a time, seldom, for
// all clients that share it. Brokers that admit it are not slowed down. Safe for concurrent use.
type Admission struct {
	// mu guards what follows.
	mu      sync.Mutex
	brokers map[string]*standing
	// proofs are the credentials whose proof is under way, or was when the connection ended, by the broker's address.
	proofs  map[string]fingerprint
	changed chan struct{}
}

// standing is how a broker took the last attempt.
type standing struct {
	// failure is nil where it admitted this client.
	failure error
	fails   int
	// tried is when it was refused last, next when there may be another attempt.
	tried, next time.Time
	// trial is when the attempt under way is given up; zero while there is none.
	trial time.Time
	// shown are the credentials that were refused.
	shown fingerprint
}

// fingerprint tells credentials apart without keeping them.
type fingerprint [sha256.Size]byte

func (c Credentials) fingerprint() fingerprint {
	return sha256.Sum256([]byte(c.User + "\x00" + c.Password + "\x00" + c.Token))
}

// NewAdmission knows nothing of any broker.
func NewAdmission() *Admission {
	return &Admission{
		brokers: make(map[string]*standing), proofs: make(map[string]fingerprint), changed: make(chan struct{}),
	}
}

// Err says why no broker admits this client: of those that an attempt at came to an end, none did. Nil otherwise. Its
// text stays the same while the causes do.
func (a *Admission) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	byCause := make(map[string][]string)
	causes := make(map[string]error)
	for _, address := range slices.Sorted(maps.Keys(a.brokers)) {
		failure := a.brokers[address].failure
		if failure == nil {
			return nil
		}
		byCause[failure.Error()] = append(byCause[failure.Error()], address)
		causes[failure.Error()] = failure
	}
	failures := make([]error, 0, len(causes))
	for _, text := range slices.Sorted(maps.Keys(causes)) {
		failures = append(failures, &NotAdmitted{Broker: strings.Join(byCause[text], ", "), Err: causes[text]})
	}
	return errors.Join(failures...)
}

// Changed gives a channel that is closed when Err may have changed. Take it before asking for Err, or a change in
// between is missed.
func (a *Admission) Changed() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

// ask is nil where a broker may be dialed. An attempt at one that refused the last has the trial until its outcome is
// noted. Credentials other than those refused need not wait for longer than admissionFloor.
func (a *Admission) ask(address string, now time.Time, current func() (fingerprint, bool)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.brokers[address]
	if known == nil || known.failure == nil {
		return nil
	}
	waits := now.Before(known.next)
	if waits && !now.Before(known.tried.Add(admissionFloor)) {
		shown, ok := current()
		waits = !ok || shown == known.shown
	}
	if waits || now.Before(known.trial) {
		return &NotAdmitted{Broker: address, Err: known.failure, held: true}
	}
	known.trial = now.Add(trialTimeout)
	return nil
}

// proving notes that a connection to a broker shows credentials.
func (a *Admission) proving(address string, credentials Credentials) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.proofs[address] = credentials.fingerprint()
}

// proved notes that the broker took them.
func (a *Admission) proved(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.proofs, address)
}

// admitted notes that a connection stands.
func (a *Admission) admitted(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.brokers[address]
	a.brokers[address] = new(standing)
	if before == nil || before.failure != nil {
		a.announce()
	}
}

// refused notes that a connection came to nothing because of what is wrong.
func (a *Admission) refused(address string, failure error, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.brokers[address]
	if known == nil {
		known = new(standing)
		a.brokers[address] = known
	}
	news := known.failure == nil || known.failure.Error() != failure.Error()
	if now.Before(known.next) && !now.Before(known.trial) {
		// One of several that were under way when the first was refused: that is one refusal.
		known.failure = failure
	} else {
		pause := min(admissionFloor<<min(known.fails, 4), admissionCap)
		*known = standing{
			failure: failure, fails: known.fails + 1, tried: now, next: now.Add(pause + rand.N(pause/5)),
			shown: a.proofs[address],
		}
	}
	delete(a.proofs, address)
	if news {
		a.announce()
	}
}

// away notes that a connection came to nothing for reasons that have nothing to do with trust. What was known before
// stands where it was given up by this side.
func (a *Admission) away(address string, ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.proofs, address)
	known := a.brokers[address]
	switch {
	case known == nil || known.failure == nil:
	case ended:
		known.trial = time.Time{}
	default:
		delete(a.brokers, address)
		a.announce()
	}
}

// announce says that something changed. The caller holds mu.
func (a *Admission) announce() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// isProving says whether a connection to a broker has not got further than to show credentials.
func (a *Admission) isProving(address string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.proofs[address]
	return ok
}

// canceled tells attempts that this side gave up.
func canceled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed)
}

// errHungUp is what brokers before 1.0 do instead of a refusal.
func errHungUp(mechanism Mechanism) error {
	return &saslError{text: fmt.Sprintf(
		"the broker hangs up when it is shown the credentials (%s), so it most likely refuses them: correct them,"+
			" or add them at the broker", mechanism)}
}
