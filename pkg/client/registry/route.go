// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// libraryPause is what the library waits by itself when every server has been tried in vain.
	libraryPause = time.Second
	// maxPause bounds the whole wait between two rounds: with an attempt behind it (5 s at most) a server that comes
	// back is found within the 10 s that everything has to heal in.
	maxPause  = 4 * time.Second
	firstWait = 250 * time.Millisecond
	// dialInterval is the least time between two attempts. A connection that breaks after every answer is made anew
	// ten times a second; a lost one is made anew at once.
	dialInterval = 100 * time.Millisecond
)

// route tells the library which server comes next. It hands out names as they were configured: resolving them is the
// dialer's.
type route struct {
	mu      sync.Mutex // guards what follows: the library asks, the watcher of the session settles
	servers []string
	next    int
	tried   int // servers tried since the connection last proved good
	rounds  int // times that all of them were
	dialed  time.Time
	closed  bool
}

// Init implements zk.HostProvider; the servers are known.
func (r *route) Init([]string) error { return nil }

// Len implements zk.HostProvider.
func (r *route) Len() int { return len(r.servers) }

// Next implements zk.HostProvider. The second result makes the library wait a second, and fail the requests that wait
// for a server.
func (r *route) Next() (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	server := r.servers[r.next%len(r.servers)]
	r.next++
	r.tried++
	again := r.tried > len(r.servers)
	if again {
		r.tried = 1
		r.rounds++
	}
	return server, again || r.closed
}

// Connected implements zk.HostProvider. A server that shakes hands and then hangs up has proved nothing: see settle.
func (r *route) Connected() {}

// settle says that a server has answered a real question.
func (r *route) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried, r.rounds = 0, 0
}

// close makes the library look up from its rounds, and see that it is closed.
func (r *route) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// pause is how long to wait before an attempt, on top of what the library waits: hardly at all in the first round of
// servers, and within a round; then more with each, spread, so that the clients of a server that comes back do not
// come all at once.
func (r *route) pause(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rounds == 0 || r.tried > 1 {
		least := max(dialInterval-now.Sub(r.dialed), 0)
		r.dialed = now.Add(least)
		return least
	}
	most := min(firstWait<<min(r.rounds, 6), maxPause-libraryPause)
	return most/2 + rand.N(most/2)
}
