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
	groups    map[string]*account
}

type publication struct {
	partition kafka.Partition
	offset    int64
	sum       uint32
	at        time.Time
}

// account is that of one group.
type account struct {
	*ledger.Ledger
	flows map[kafka.Partition]*flow
}

// flow is how far a partition has come.
type flow struct {
	// published and delivered are the positions behind the last message of each; moved is when there was nothing to
	// deliver, or a delivery.
	published, delivered int64
	moved                time.Time
}

func newBooks() *books { return &books{groups: map[string]*account{}} }

// of is the account of a group, with all that was published before anybody heard of it. The caller holds mu.
func (b *books) of(group string) *account {
	if b.groups[group] == nil {
		a := &account{Ledger: ledger.New(), flows: map[kafka.Partition]*flow{}}
		for _, p := range b.published {
			a.publish(p)
		}
		b.groups[group] = a
	}
	return b.groups[group]
}

func (a *account) flow(partition kafka.Partition) *flow {
	if a.flows[partition] == nil {
		a.flows[partition] = &flow{}
	}
	return a.flows[partition]
}

func (a *account) publish(p publication) {
	f := a.flow(p.partition)
	if f.delivered >= f.published {
		f.moved = p.at
	}
	f.published = p.offset + 1
	a.Publish(p.partition, p.offset, []uint32{p.sum}, p.at)
}

// publish enters a message that a broker acknowledged.
func (b *books) publish(partition kafka.Partition, offset int64, value []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := publication{partition, offset, crc32.ChecksumIEEE(value), time.Now()}
	b.published = append(b.published, p)
	for _, account := range b.groups {
		account.publish(p)
	}
}

// delivered enters a message that arrived; false if a later owner of its partition has delivered already.
func (b *books) delivered(group string, message kafka.Message, claim int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	account, now := b.of(group), time.Now()
	f := account.flow(message.Partition)
	f.delivered, f.moved = max(f.delivered, message.Offset+1), now
	return account.Deliver(ledger.Delivery{
		Partition: message.Partition, Offset: message.Offset, Claim: claim, Sum: crc32.ChecksumIEEE(message.Value), At: now,
	})
}

// stands reports whether messages of a partition wait, and none has arrived for a while.
func (b *books) stands(group string, partition kafka.Partition) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.of(group).flow(partition)
	return f.delivered < f.published && time.Since(f.moved) > standing
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
