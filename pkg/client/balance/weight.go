// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"hash/fnv"
	"io"
)

// The weights are part of the wire contract: all members of a group must compute the same, so a change here needs a
// new protocol version in the member ids. Golden vectors in the tests pin them.

// weightBits leaves room for homeBonus above the weight, and for sums over chains of members above that (see matching).
const weightBits = 40

// homeBonus makes one partition at home worth 2^10 weights (2^50 against 2^40), so that partitions leave their homes
// only to keep the members level: a chain of moves gains at most one weight for each member that it passes.
const homeBonus = 1 << 50

// weight is how much the member wants the partition, from 0 to 2^40-1: the top bits of a mix of both hashes.
func weight(partition, member uint64) int64 {
	return int64(mix(partition^member) >> (64 - weightBits))
}

// partitionHash hashes "<topic>/<id>"; topics hold no slash.
func partitionHash(p Partition) uint64 { return hash(p.Topic + "/" + p.ID) }

// hash is FNV-1a, mixed: FNV alone hardly carries the last byte of a string to the top bits, and names of pods and
// partitions differ in little else.
func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, s) // never fails, says hash.Hash
	return mix(h.Sum64())
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014, with the constants of Stafford's Mix13): a bijection in
// which each bit of the input flips each bit of the output with a chance of about one half.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
