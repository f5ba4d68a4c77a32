// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Partitioner is how the partition of a call of Publish is chosen. The zero value is Random.
type Partitioner struct{ kind partitioning }

type partitioning uint8

const (
	random partitioning = iota
	roundRobin
	byKey
)

// Random chooses any partition.
func Random() Partitioner { return Partitioner{random} }

// RoundRobin takes one partition after the other, each for one call.
func RoundRobin() Partitioner { return Partitioner{roundRobin} }

// ByKey chooses the partition as Kafka's own producer does: messages of one key go to one partition, for as long as
// the topic has as many. All messages of one call must have the same key; those without one go to any partition. With
// a key the messages never go to another partition, so that publishing fails while its broker is away.
//
// In Kafka 0.7 it is the hash that Java gives the key as a string, over the partitions of all live brokers in the
// order of their numbers; later the murmur2 of the key's bytes.
func ByKey() Partitioner { return Partitioner{byKey} }

// String gives the name that ParsePartitioner reads.
func (p Partitioner) String() string {
	switch p.kind {
	case roundRobin:
		return "round-robin"
	case byKey:
		return "key"
	case random:
	}
	return "random"
}

// ParsePartitioner reads the name of one: random, round-robin or key.
func ParsePartitioner(name string) (Partitioner, error) {
	for _, p := range []Partitioner{Random(), RoundRobin(), ByKey()} {
		if name == p.String() {
			return p, nil
		}
	}
	return Partitioner{}, fmt.Errorf("partitioner %q: want random, round-robin or key", name)
}

// errKeys refuses a call that belongs to several partitions.
var errKeys = errors.New("the messages have different keys: publish those of each key in a call of their own")

// keyOf is the key that decides, nil if none does.
func (p Partitioner) keyOf(messages []kafka.Message) ([]byte, error) {
	if p.kind != byKey {
		return nil, nil
	}
	key := messages[0].Key
	for _, message := range messages[1:] {
		if (message.Key == nil) != (key == nil) || !bytes.Equal(message.Key, key) {
			return nil, errKeys
		}
	}
	return key, nil
}

// place is the number of the partition, of n, that a key belongs to.
func place(dialect layout.Dialect, key []byte, n int) int {
	if dialect == layout.Kafka07 {
		// In 64 bits, where the lowest hash has an absolute value; Kafka's own producer fails at that one.
		hash := int64(javaHash(key))
		return int(max(hash, -hash) % int64(n))
	}
	return int(murmur2(key)&0x7fffffff) % n
}

// javaHash is String.hashCode of the key as Java reads it, which is in UTF-16.
func javaHash(key []byte) int32 {
	var hash int32
	for _, unit := range utf16.Encode([]rune(string(key))) {
		hash = 31*hash + int32(unit)
	}
	return hash
}

// murmur2 is org.apache.kafka.common.utils.Utils.murmur2.
func murmur2(key []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	hash := seed ^ uint32(len(key)) //nolint:gosec // a key of 4 GiB is none
	for ; len(key) >= 4; key = key[4:] {
		k := uint32(key[0]) | uint32(key[1])<<8 | uint32(key[2])<<16 | uint32(key[3])<<24
		k *= m
		k ^= k >> r
		hash = hash*m ^ k*m
	}
	switch len(key) {
	case 3:
		hash ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		hash ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		hash = (hash ^ uint32(key[0])) * m
	}
	hash ^= hash >> 13
	hash *= m
	return hash ^ hash>>15
}
