// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"strconv"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Kind is what an operation of a transaction does.
type Kind uint8

// The kinds of operation.
const (
	// Check refuses the transaction unless the node exists (and has Version, unless that is AnyVersion).
	Check Kind = iota
	// Create makes a persistent node and refuses if there is one.
	Create
	// CreateEphemeral makes a node that goes with the session.
	CreateEphemeral
	// Set replaces the data of a node of the given version.
	Set
	// Delete removes a node of the given version.
	Delete
)

// AnyVersion matches every version of a node.
const AnyVersion int32 = -1

// Op is one operation of a transaction.
type Op struct {
	Kind    Kind
	Path    string
	Data    []byte
	Version int32
}

// Txn is a transaction: all of its operations happen, or none does.
//
// Every one that changes a group begins with a check of the member's own registration. Member ids are new for every
// session, so the check holds exactly as long as the session that made the claims does: a process that slept through
// its own expiry can neither commit nor release. (The version of an owner node would be no fence: everybody's fresh
// node has version 0.)
type Txn []Op

// Position is a committed position to write.
type Position struct {
	Partition kafka.Partition
	// Offset is the next position to consume.
	Offset int64
	// Version is the version of the offset node that this write replaces.
	Version int32
}

// Thread is the id under which a member claims: samsa's members have one thread each.
func Thread(member string) string { return member + "-0" }

// Claim takes a partition nobody owns.
func Claim(group, member string, p kafka.Partition) Txn {
	return Txn{
		alive(group, member),
		{Kind: CreateEphemeral, Path: Owner(group, p), Data: []byte(Thread(member))},
	}
}

// Commit writes positions, each over the version it was read or last written at.
func Commit(group, member string, positions []Position) Txn {
	txn := make(Txn, 0, len(positions)+1)
	txn = append(txn, alive(group, member))
	for _, position := range positions {
		txn = append(txn, write(group, position))
	}
	return txn
}

// Verify changes nothing: it is refused unless each position is still of the version it was read or last written at.
func Verify(group, member string, positions []Position) Txn {
	txn := make(Txn, 0, len(positions)+1)
	txn = append(txn, alive(group, member))
	for _, position := range positions {
		txn = append(txn, Op{Kind: Check, Path: Offset(group, position.Partition), Version: position.Version})
	}
	return txn
}

// Release writes the last position of a partition and gives up its claim, in one: a successor that sees the claim
// gone also sees the position.
func Release(group, member string, position Position) Txn {
	return Txn{
		alive(group, member),
		write(group, position),
		{Kind: Delete, Path: Owner(group, position.Partition), Version: AnyVersion},
	}
}

// ReleaseUnmoved is Release of a position that stands already. It is not written again: that it was written before the
// topic was made tells that it is not about this topic's log. It is refused as Release is: who wrote there since may
// own the partition, and his claim must not be deleted.
func ReleaseUnmoved(group, member string, position Position) Txn {
	return Txn{
		alive(group, member),
		{Kind: Check, Path: Offset(group, position.Partition), Version: position.Version},
		{Kind: Delete, Path: Owner(group, position.Partition), Version: AnyVersion},
	}
}

// Forgo gives up a claim whose position was never known, and so never moved.
func Forgo(group, member string, p kafka.Partition) Txn {
	return Txn{
		alive(group, member),
		{Kind: Delete, Path: Owner(group, p), Version: AnyVersion},
	}
}

// Renew replaces what stands in a member's registration, in a way that the others notice: they watch the list of
// members, not what stands in them. At no time is the member not registered, so what it writes stays fenced.
func Renew(group, member string, data []byte) Txn {
	path := Member(group, member)
	return Txn{
		alive(group, member),
		{Kind: Delete, Path: path, Version: AnyVersion},
		{Kind: CreateEphemeral, Path: path, Data: data},
	}
}

// RenewInPlace is Renew for servers without transactions, where a moment without a registration could not be avoided.
// The others notice with their next reading.
func RenewInPlace(group, member string, data []byte) Txn {
	return Txn{
		alive(group, member),
		{Kind: Set, Path: Member(group, member), Data: data, Version: AnyVersion},
	}
}

// Retire takes all topics from a member's registration: so the others share out its partitions while it still drains,
// and each is claimed as soon as it is released.
func Retire(group, member string, bornMillis int64) Txn {
	return Renew(group, member, EncodeLeaving(bornMillis))
}

// Begin decides where a group begins: the positions of all partitions that have none yet, and the marker that nobody
// decides again.
func Begin(group, member string, positions []Position) Txn {
	txn := make(Txn, 0, len(positions)+2)
	txn = append(txn, alive(group, member))
	for _, position := range positions {
		txn = append(txn, place(group, position))
	}
	return append(txn, Op{Kind: Create, Path: Birth(group)})
}

// Place gives a partition that is new to a group its first position.
func Place(group, member string, position Position) Txn {
	return Txn{alive(group, member), place(group, position)}
}

func alive(group, member string) Op {
	return Op{Kind: Check, Path: Member(group, member), Version: AnyVersion}
}

func write(group string, position Position) Op {
	return Op{
		Kind: Set, Path: Offset(group, position.Partition),
		Data: FormatOffset(position.Offset), Version: position.Version,
	}
}

func place(group string, position Position) Op {
	return Op{
		Kind: Create, Path: Offset(group, position.Partition),
		Data: FormatOffset(position.Offset),
	}
}

// FormatOffset is how a position stands in its node.
func FormatOffset(offset int64) []byte { return strconv.AppendInt(nil, offset, 10) }
