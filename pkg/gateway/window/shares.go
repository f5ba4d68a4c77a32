// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"hash/fnv"
	"slices"
	"sync"
	"time"
)

// Turn is who answers for a key at this moment.
type Turn int

// Who may answer for a key.
const (
	// Mine: this replica.
	Mine Turn = iota + 1
	// Theirs: another.
	Theirs
	// Soon: this replica, but not yet: the one before it may still be writing, and what it wrote is not read yet.
	Soon
)

// SharesConfig is what a replica knows of itself.
type SharesConfig struct {
	// Self is this replica's name among the members.
	Self string
	// Hold is how long after a change of the members a replica waits with the keys that it takes over: as long as
	// another may take to notice the change, and then to finish what it has begun.
	Hold time.Duration
	// Begin is the same for a replica that has just started.
	Begin time.Duration
	// Now tells the time; default time.Now.
	Now func() time.Time
}

// Shares says which replica answers for a key, by rendezvous hashing: where one comes or goes, only its own keys move.
//
// Replicas learn of each other at different times. So whoever takes over a key waits for Hold, reads what was written
// until then, and says so (Settle); meanwhile nobody answers for the key. Pure but for its lock: it starts nothing.
type Shares struct {
	config SharesConfig

	mu      sync.Mutex
	members []string
	// before are the views that may still be in use somewhere; nil is one that nobody knows. It is empty when this
	// replica has settled.
	before     [][]string
	generation int
	due        time.Time
}

// mostViews bounds the views that are remembered while members come and go faster than anybody settles. Beyond that
// they count as unknown.
const mostViews = 16

// NewShares begins with nobody, and nothing settled.
func NewShares(config SharesConfig) *Shares {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Shares{config: config, before: [][]string{nil}, generation: 1, due: config.Now().Add(config.Begin)}
}

// Update takes the members as they are now.
func (s *Shares) Update(members []string) {
	members = slices.Compact(slices.Sorted(slices.Values(members)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(members, s.members) {
		return
	}
	first := s.generation == 1 && s.members == nil
	if !first { // before the first view there was none to remember
		s.before = append(s.before, s.members)
		s.due = s.later(s.config.Hold)
	}
	if len(s.before) > mostViews {
		s.before = [][]string{nil}
	}
	s.members = members
	s.generation++
}

// later never makes an earlier wait shorter.
func (s *Shares) later(wait time.Duration) time.Time {
	if due := s.config.Now().Add(wait); due.After(s.due) {
		return due
	}
	return s.due
}

// Who answers for a key. The member is empty where the turn is not Theirs.
func (s *Shares) Who(key string) (member string, turn Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner := Owner(s.members, key)
	if owner != s.config.Self {
		if owner == "" {
			return "", Soon
		}
		return owner, Theirs
	}
	for _, view := range s.before {
		if Owner(view, key) != s.config.Self {
			return "", Soon
		}
	}
	return "", Mine
}

// Moved is the error where a key is another replica's, or not yet this one's.
type Moved struct {
	// RetryAfter is when it is worth while to ask again.
	RetryAfter time.Duration
}

// Error implements error.
func (*Moved) Error() string {
	return "the replicas are others now, and another one answers for this Idempotency-Key"
}

// Check is nil if this replica answers for a key at this moment, and otherwise a *Moved. Whoever was told that a key is
// Mine asks again just before the message is sent: the others wait for what was sent, not for bodies that were slow.
func (s *Shares) Check(key string) error {
	switch _, turn := s.Who(key); turn {
	case Mine:
		return nil
	case Soon:
		return &Moved{RetryAfter: s.RetryAfter()}
	case Theirs:
	}
	return &Moved{RetryAfter: time.Second}
}

// Unsettled says whether keys wait for this replica, and since which generation of members, and until when it has to
// wait before it reads what others wrote.
func (s *Shares) Unsettled() (generation int, due time.Time, unsettled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation, s.due, len(s.before) > 0
}

// Settle says that what was written until the end of the wait is known. Nothing happens if members have changed since
// that generation.
func (s *Shares) Settle(generation int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if generation == s.generation {
		s.before = nil
	}
}

// RetryAfter is when keys that are Soon may be asked for again, at least a second.
func (s *Shares) RetryAfter() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(time.Second, s.due.Sub(s.config.Now()))
}

// Members are those of the last Update, sorted.
func (s *Shares) Members() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.members)
}

// Owner is the member whose hash together with the key is the highest; empty if there are no members.
func Owner(members []string, key string) string {
	owner, highest := "", uint64(0)
	for _, member := range members {
		if weight := weigh(member, key); owner == "" || weight > highest || weight == highest && member > owner {
			owner, highest = member, weight
		}
	}
	return owner
}

// weigh mixes FNV's sum, whose high bits alone depend too little on the last bytes; the finish is that of MurmurHash3.
func weigh(member, key string) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(member)) // a hash takes everything
	_, _ = hash.Write([]byte{0})
	_, _ = hash.Write([]byte(key))
	mixed := hash.Sum64()
	mixed = (mixed ^ mixed>>33) * 0xff51afd7ed558ccd
	mixed = (mixed ^ mixed>>33) * 0xc4ceb9fe1a85ec53
	return mixed ^ mixed>>33
}
