// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"context"
	"errors"
	"sync"
	"time"
)

// State is what became of a message.
type State int

// What may become of a message.
const (
	// Written: a broker holds it.
	Written State = iota + 1
	// Sent: it is on its way, and nobody will tell.
	Sent
	// Unknown: it may have been written, or not.
	Unknown
	// Refused: it was certainly not written.
	Refused
)

// Outcome is what became of a message, and where it is.
type Outcome struct {
	State State
	// Partition, Offset and Timestamp are of a message that is Written; Offset is -1 where brokers do not tell it.
	Partition string
	Offset    int64
	Timestamp time.Time
	// Err is why, where the message is Refused or Unknown.
	Err error
}

// Errors of Begin.
var (
	// ErrReused: the key stands for another message. Answered with 422.
	ErrReused = errors.New("the Idempotency-Key was used for another message: give each message a key of its own")
	// ErrFull: as many keys as there is memory for are within their window. 503, see RetryAfter.
	ErrFull = errors.New("the window of Idempotency-Keys is full: come back later, or send without one")
)

// entryBytes is what an entry takes: 16 bytes of key twice, some 120 of Entry, 48 of the map for each (at a load of
// 7/8, and with the buckets that it has just doubled to).
const entryBytes = 200

// defaultMaxBytes is 50 MiB: 262,144 keys, which are 870 messages a second for five minutes.
const defaultMaxBytes = 262_144 * entryBytes

// Config is how long and how much a Window remembers.
type Config struct {
	// Length is how long an outcome is remembered, from when it is known.
	Length time.Duration
	// Slack is how much older than Length a message of the topic may be that is known from it: it tells when it was begun,
	// by the clock of who wrote it, and Length is from when its outcome was known.
	Slack time.Duration
	// MaxBytes bounds the memory; default 50 MiB. Keys beyond it are refused: to forget one before its time would be to
	// let its message be written twice.
	MaxBytes int
	// Now tells the time; default time.Now.
	Now func() time.Time
}

// Window remembers what became of the messages of each key. Safe for concurrent use.
type Window struct {
	length time.Duration
	slack  time.Duration
	most   int
	now    func() time.Time

	mu      sync.Mutex
	entries map[[keyBytes]byte]*Entry
	// oldest to newest are the entries whose outcome is known, in the order in which they end.
	oldest, newest *Entry
}

// New gives an empty window.
func New(config Config) *Window {
	if config.MaxBytes <= 0 {
		config.MaxBytes = defaultMaxBytes
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Window{
		length: config.Length, slack: config.Slack, most: max(1, config.MaxBytes/entryBytes), now: config.Now,
		entries: make(map[[keyBytes]byte]*Entry),
	}
}

// Entry is one key's. Exactly one of those who begin it is First.
type Entry struct {
	window *Window
	id     ID
	// known is closed when outcome is set.
	known   chan struct{}
	outcome Outcome
	ends    time.Time
	next    *Entry
}

// Begin finds or makes the entry of a key. Whoever is first sends the message, and then calls Finish, in any case; all
// others Wait. The error is ErrReused or ErrFull.
func (w *Window) Begin(id ID) (entry *Entry, first bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire()
	if known := w.entries[id.key]; known != nil {
		if known.id.content != id.content {
			return nil, false, ErrReused
		}
		return known, false, nil
	}
	if len(w.entries) >= w.most {
		return nil, false, ErrFull
	}
	entry = &Entry{window: w, id: id, known: make(chan struct{})}
	w.entries[id.key] = entry
	return entry, true, nil
}

// Finish tells everybody who waits what became of the message. One that was refused is forgotten with that: who sends
// it again may. Further calls do nothing.
func (e *Entry) Finish(outcome Outcome) {
	e.window.mu.Lock()
	defer e.window.mu.Unlock()
	if e.isKnown() {
		return
	}
	e.outcome = outcome
	close(e.known)
	if outcome.State == Refused {
		delete(e.window.entries, e.id.key)
		return
	}
	e.window.append(e)
}

func (e *Entry) isKnown() bool {
	select {
	case <-e.known:
		return true
	default:
		return false
	}
}

// Wait gives the outcome as soon as it is known; the error is that of ctx.
func (e *Entry) Wait(ctx context.Context) (Outcome, error) {
	select {
	case <-e.known:
		e.window.mu.Lock()
		defer e.window.mu.Unlock()
		return e.outcome, nil
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
}

// Do is Begin, send and Finish, or Begin and Wait.
func (w *Window) Do(ctx context.Context, id ID, send func() Outcome) (Outcome, error) {
	entry, first, err := w.Begin(id)
	if err != nil {
		return Outcome{}, err
	}
	if first {
		outcome := Outcome{State: Unknown, Err: errors.New("the gateway failed while it sent the message")}
		defer func() { entry.Finish(outcome) }() // those who wait must not wait for ever for a send that panicked
		outcome = send()
		return outcome, nil
	}
	return entry.Wait(ctx)
}

// Load takes what was found in the topic: a message with the key is there. Where its outcome was Unknown, it is known
// now. false if there is no memory for it.
func (w *Window) Load(id ID, written Outcome) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire()
	if known := w.entries[id.key]; known != nil {
		if known.isKnown() && known.outcome.State == Unknown && known.id.content == id.content {
			known.outcome = written
		}
		return true
	}
	if len(w.entries) >= w.most {
		return false
	}
	entry := &Entry{window: w, id: id, known: make(chan struct{}), outcome: written}
	close(entry.known)
	w.entries[id.key] = entry
	w.append(entry)
	return true
}

// RetryAfter is when a window that is full has room again, if all that is underway stays so; at least a second.
func (w *Window) RetryAfter() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.oldest == nil {
		return time.Second
	}
	return max(time.Second, w.oldest.ends.Sub(w.now()))
}

// Length is how long an outcome is remembered.
func (w *Window) Length() time.Duration { return w.length }

// Len is how many keys are remembered.
func (w *Window) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire()
	return len(w.entries)
}

// append takes an entry whose outcome is known. The caller holds mu.
func (w *Window) append(e *Entry) {
	e.ends = w.now().Add(w.length)
	if w.newest != nil {
		w.newest.next = e
	} else {
		w.oldest = e
	}
	w.newest = e
}

// expire forgets what is past its window. The caller holds mu.
func (w *Window) expire() {
	for now := w.now(); w.oldest != nil && !now.Before(w.oldest.ends); {
		gone := w.oldest
		delete(w.entries, gone.id.key)
		w.oldest, gone.next = gone.next, nil
		if w.oldest == nil {
			w.newest = nil
		}
	}
}
