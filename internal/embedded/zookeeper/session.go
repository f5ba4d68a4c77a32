// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"time"
)

const passwordSize = 16

// session is one client's session; it outlives its connections.
type session struct {
	id       int64
	password [passwordSize]byte
	timeout  time.Duration // as first negotiated; a restarted server begins with it again
	conn     *conn         // nil between two connections
	expires  time.Duration // age of the server at which the session ends
}

// sessions is the table of live sessions. Time in it is the age of the server. Whoever owns it serializes
// its use.
type sessions struct {
	tick   time.Duration
	byID   map[int64]*session
	nextID int64
}

// newSessions numbers sessions from the time on, as the real server does, so that two servers, or two runs,
// hardly ever hand out the same number.
func newSessions(tick time.Duration, now time.Time) *sessions {
	// One byte for the server's number (0), five of the time in ms, two to count.
	first := int64(uint64(now.UnixMilli()) << 24 >> 8)
	return &sessions{tick: tick, byID: map[int64]*session{}, nextID: max(first, 1)}
}

func (t *sessions) open(age, timeout time.Duration) *session {
	s := &session{id: t.nextID, timeout: timeout}
	t.nextID++
	_, _ = rand.Read(s.password[:]) // never fails: it ends the program instead
	t.byID[s.id] = s
	t.touch(s, age, timeout)
	return s
}

// find returns the session that id and password name.
func (t *sessions) find(id int64, password []byte) (*session, bool) {
	s, ok := t.byID[id]
	return s, ok && subtle.ConstantTimeCompare(s.password[:], password) == 1
}

// touch postpones the end to the first tick after the timeout, as ExpiryQueue rounds it.
func (t *sessions) touch(s *session, age, timeout time.Duration) {
	s.expires = t.nextTick(age + timeout)
}

// nextTick is the first multiple of the tick after age.
func (t *sessions) nextTick(age time.Duration) time.Duration { return age.Truncate(t.tick) + t.tick }

// due lists the sessions whose time is over, oldest first.
func (t *sessions) due(age time.Duration) []*session {
	var list []*session
	for _, s := range t.byID {
		if s.expires <= age {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *session) int {
		return cmp.Or(cmp.Compare(a.expires, b.expires), cmp.Compare(a.id, b.id))
	})
	return list
}
