// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// fate is what must have become of a message.
type fate int

const (
	// once: it is in the topic. Exactly once; in Kafka 0.7, which promises no more, at least.
	once fate = iota
	// maybe: nobody knows, but it is not there twice.
	maybe
	// never: it is not in the topic.
	never
)

// entry is what was said of a message.
type entry struct {
	message message
	fate    fate
	told    result
	// stored and key are what the topic has of it then.
	stored, key string
	said        string
	spec        string
}

// book holds the topics to what was answered. Safe for concurrent use.
type book struct {
	headers bool

	mu      sync.Mutex
	reader  reader
	entries map[string]entry
	found   map[string][]record
}

func newBook(reader reader, headers bool) *book {
	return &book{headers: headers, reader: reader, entries: map[string]entry{}, found: map[string][]record{}}
}

// note takes down what an answer says of a message.
func (b *book) note(f *format, m message, told result, a *answer) {
	GinkgoHelper()
	e := entry{
		message: m, told: told, stored: f.stored(m, b.headers), key: m.key, said: a.String(),
		spec: CurrentSpecReport().LeafNodeText,
	}
	if m.key != "" && strings.Contains(f.media, ".json.") { // where a key is any JSON
		e.key = text(m.key)
	}
	switch {
	case told.Status == 201, told.Status == 202:
		e.fate = once
		Expect(told.Outcome).To(BeEmpty(), e.said)
	case told.refused():
		e.fate = never
		Expect(told.Status).To(And(BeNumerically(">=", 400), Not(Equal(504))), e.said)
	case told.unknown():
		e.fate = maybe
		Expect(told.Status).To(Equal(504), e.said)
	default:
		Fail("neither taken, nor refused, nor unknown: " + e.said)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[m.id] = e
}

// expect says what must become of a message without an answer.
func (b *book) expect(m message, fate fate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[m.id] = entry{message: m, fate: fate, stored: m.value(), spec: CurrentSpecReport().LeafNodeText}
}

var ids = regexp.MustCompile(`id-\d{6}`)

// hold reads what came since and holds it to what was said.
func (b *book) hold(ctx context.Context) {
	GinkgoHelper()
	b.mu.Lock()
	defer b.mu.Unlock()
	// What a broker was only sent may take a moment.
	Eventually(ctx, func(g Gomega) {
		records, err := b.reader.read(ctx)
		for _, r := range records {
			id := ids.FindString(r.value)
			b.found[id] = append(b.found[id], r)
		}
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(b.missing()).To(BeEmpty())
	}).WithTimeout(20 * time.Second).Should(Succeed())
	var wrong []string
	for id, e := range b.entries {
		if fault := b.wrong(e, b.found[id]); fault != "" {
			wrong = append(wrong, fmt.Sprintf("%s (%s): %s; it was answered: %s", id, e.spec, fault, e.said))
			delete(b.entries, id) // said once
		}
	}
	Expect(wrong).To(BeEmpty())
}

func (b *book) missing() (missing []string) {
	for id, e := range b.entries {
		if e.fate == once && len(b.found[id]) == 0 {
			missing = append(missing, fmt.Sprintf("%s (%s): %s", id, e.spec, e.said))
		}
	}
	return missing
}

func (b *book) wrong(e entry, found []record) string {
	switch {
	case e.fate == never && len(found) > 0:
		return fmt.Sprintf("it is in the topic: %+v", found)
	case len(found) > 1 && (b.headers || e.fate == maybe):
		return fmt.Sprintf("it is there %d times: %+v", len(found), found)
	case e.fate == once:
		return b.untrue(e, found[0])
	}
	return ""
}

// untrue says what of an answer is not so.
func (b *book) untrue(e entry, r record) string {
	if r.value != e.stored {
		return fmt.Sprintf("the topic has the value %q", r.value)
	}
	for _, place := range []string{e.told.place(), e.message.partition} {
		if place != "" && place != r.partition {
			return "it is in partition " + r.partition
		}
	}
	if !b.headers { // Kafka 0.7 tells no offset, and knows neither time nor key
		if e.told.Offset != nil {
			return "an offset that nobody told"
		}
		return ""
	}
	if e.told.Offset != nil && *e.told.Offset != r.offset {
		return fmt.Sprintf("it has the offset %d", r.offset)
	}
	if e.key != r.key {
		return fmt.Sprintf("it has the key %q", r.key)
	}
	if said := e.told.Timestamp; said != nil {
		if at := r.timestamp.UTC().Format("2006-01-02T15:04:05.000Z"); *said != at {
			return "it has the timestamp " + at
		}
	}
	if e.told.Status == 201 && e.told.Offset == nil && !strings.HasPrefix(e.said, "204") {
		return "no offset was told"
	}
	return ""
}
