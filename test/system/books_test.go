// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"hash/crc32"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// standing is how long a partition's messages may wait before its group is not consuming.
const standing = time.Second

// books are of one topic: what was published to it, and what of that arrived, for each group by itself.
type books struct {
	// mu protects what follows, and makes entries in the order of time.
	mu        sync.Mutex
	published []publication
	groups    map[string]*ledger.Ledger
}

type publication struct {
	ledger.Publication

	partition kafka.Partition
	at        time.Time
}

func newBooks() *books { return &books{groups: map[string]*ledger.Ledger{}} }

// of is the account of a group, with all that was published before anybody heard of it. The caller holds mu.
func (b *books) of(group string) *ledger.Ledger {
	if b.groups[group] == nil {
		account := ledger.New()
		for _, p := range b.published {
			p.enter(account)
		}
		b.groups[group] = account
	}
	return b.groups[group]
}

func (p publication) enter(account *ledger.Ledger) {
	account.Publish(p.partition, []ledger.Publication{p.Publication}, p.at)
}

// publish enters a message that a broker acknowledged.
func (b *books) publish(partition kafka.Partition, offset int64, value []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	message := ledger.Publication{Place: ledger.Place{Offset: offset}, Sum: crc32.ChecksumIEEE(value)}
	p := publication{message, partition, time.Now()}
	b.published = append(b.published, p)
	for _, account := range b.groups {
		p.enter(account)
	}
}

// delivered enters a message that arrived; false if a later owner of its partition has delivered already.
func (b *books) delivered(group string, message kafka.Message, claim int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(group).Deliver(ledger.Delivery{
		Partition: message.Partition, Place: ledger.PlaceOf(message), Claim: claim,
		Sum: crc32.ChecksumIEEE(message.Value), At: time.Now(),
	})
}

// stands reports whether messages of a partition wait, and none has arrived for a while.
func (b *books) stands(group string, partition kafka.Partition) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(group).Stands(partition, standing, time.Now())
}

// arrived counts the messages that a group has delivered at least once, and waiting those that it has not.
func (b *books) arrived(group string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(group).Delivered()
}

func (b *books) waiting(group string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	account := b.of(group)
	return account.Published() - account.Delivered()
}

// close gives what a group's books come to.
func (b *books) close(group string) ledger.Account {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(group).Account(nil, time.Now())
}

// forget makes a group begin anew: what it delivered so far was another life of it.
func (b *books) forget(group string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.groups, group)
}
