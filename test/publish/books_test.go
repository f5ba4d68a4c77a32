// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// answer is what a caller was told of one attempt at one message.
type answer uint8

const (
	// taken: 201.
	taken answer = iota + 1
	// refused: 4xx or 5xx but 504, or there was nobody to send it to.
	refused
	// unknown: 504, or a connection that broke.
	unknown
)

// kind is how a caller publishes.
type kind uint8

const (
	// single: one message a request, with no key.
	single kind = iota
	// keyed: one message a request, with one of a few record keys.
	keyed
	// sure: one message a request, with an Idempotency-Key, sent again until the answer is final; every other caller's
	// have record keys as well.
	sure
	// batched: several messages a request.
	batched
	// sureBatched: the same with an Idempotency-Key, sent again as a whole.
	sureBatched
	// streamed: lines, of which each has its result.
	streamed
	kinds
)

func (k kind) String() string {
	return [...]string{"single", "with record key", "Idempotency-Key", "batch", "batch, I.-Key", "stream"}[k]
}

// repeats says that an attempt has the same value as the one before, and that brokers and gateway make them one.
func (k kind) repeats() bool { return k == sure || k == sureBatched }

// attempt is one try to publish a message, and what came of it.
type attempt struct {
	seq    int32
	try    uint16
	status uint16
	answer answer
	// at is where a message that was taken is said to be: an index into the names, and an offset, -1 if none was told.
	at     uint8
	offset int64
	// cut says that the connection broke to a gateway that had been asked to leave.
	cut bool
}

// page is what one caller did. Its goroutine alone writes it.
type page struct {
	caller   int
	kind     kind
	attempts []attempt
	// odd are answers that should not have come, and how often streams, batches or keys gave others than before.
	odd []string
}

// oddities bounds what is kept of answers that should not have come.
const oddities = 20

func (p *page) complain(format string, values ...any) {
	if len(p.odd) < oddities {
		p.odd = append(p.odd, fmt.Sprintf("caller %d (%s): ", p.caller, p.kind)+fmt.Sprintf(format, values...))
	}
}

// books are all pages.
type books struct {
	pages []*page
	names *names
}

// identity is what tells an attempt's value from all others. Repeated ones have the same.
type identity struct {
	caller int
	seq    int32
	tag    uint16
}

func (p *page) identity(a *attempt) identity {
	if p.kind.repeats() {
		return identity{p.caller, a.seq, 0}
	}
	return identity{p.caller, a.seq, a.try}
}

// padding makes values as long as a small event.
var padding = strings.Repeat("x", 80)

func (i identity) value() string { return fmt.Sprintf("%d-%d-%d-%s", i.caller, i.seq, i.tag, padding) }

// parse reads what value gives.
func parse(value []byte) (i identity, ok bool) {
	parts := bytes.SplitN(value, []byte("-"), 4)
	if len(parts) != 4 || string(parts[3]) != padding {
		return identity{}, false
	}
	var numbers [3]int
	for n, part := range parts[:3] {
		number, err := strconv.Atoi(string(part))
		if err != nil {
			return identity{}, false
		}
		numbers[n] = number
	}
	return identity{numbers[0], int32(numbers[1]), uint16(numbers[2])}, true //nolint:gosec // as they were written
}

// keysOfCaller is how many record keys a caller has.
const keysOfCaller = 4

// recordKey is that of a message, empty if it has none.
func recordKey(caller int, kind kind, seq int32) string {
	if kind == keyed || kind == sure && caller%2 == 1 {
		return fmt.Sprintf("key-%d-%d", caller, seq%keysOfCaller)
	}
	return ""
}
