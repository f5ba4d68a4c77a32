// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Claimed is a claim that stands, and where its partition begins.
type Claimed struct {
	// Token grows with every change of owner: the owner node's czxid.
	Token int64
	// Placed says that the partition has a position: Offset, in a node of Version.
	Placed  bool
	Offset  int64
	Version int32
	// Outlived says that the topic was made after the position, which is not 0, was last written: it is about an earlier
	// topic's log.
	Outlived bool
}

// Reading is a partition's owner and position as they stand.
type Reading struct {
	// Owned says that somebody claims the partition: Owner.
	Owned bool
	Owner layout.Ownership
	// Placed says that the partition has a position: Offset, in a node of Version.
	Placed  bool
	Offset  int64
	Version int32
	// Outlived says that the topic was made after the position, which is not 0, was last written: it is about an earlier
	// topic's log.
	Outlived bool
}

// Claim takes a partition for a member by a transaction, and reads its position. That the claim stands already, made
// by this session for this member, is success: an answer may have been lost.
//
// It fails with kind Conflict, and the owner if there still is one, if another session or member holds the claim;
// with Lost if the member's registration is gone; with Malformed if the position is no number: then the claim stands,
// and its token is given.
func (s *Session) Claim(
	ctx context.Context, group, member string, p kafka.Partition, txn layout.Txn,
) (Claimed, error) {
	const op = "claim"
	path := layout.Owner(group, p)
	for range maxTries {
		_, err := s.Transact(ctx, txn)
		if err != nil && KindOf(err) != Conflict && !isLost(err) {
			return Claimed{}, err
		}
		reading, failed := s.reading(ctx, op, group, p)
		held := reading.Owned && reading.Owner.Session == s.id && reading.Owner.Thread == layout.Thread(member)
		switch {
		case held:
			return claimed(reading), failed
		case failed != nil && KindOf(failed) != Malformed:
			return Claimed{}, failed
		case reading.Owned:
			return Claimed{}, &Error{
				Op: op, Path: path, Kind: Conflict, Index: 1, Owner: &reading.Owner,
				Err: fmt.Errorf("held by %s of session 0x%x", reading.Owner.Thread, reading.Owner.Session),
			}
		}
		// Whoever held it has let go since, or the transaction never happened: try again.
	}
	return Claimed{}, &Error{Op: op, Path: path, Kind: Conflict, Index: 1, Err: errTooMany}
}

func claimed(r Reading) Claimed {
	return Claimed{
		Token: r.Owner.Token, Placed: r.Placed, Offset: r.Offset, Version: r.Version, Outlived: r.Outlived,
	}
}

// Position reads the owner and the position of a partition as the leader knows them. It fails with kind Malformed if
// the position is no number; the owner is given then all the same.
func (s *Session) Position(ctx context.Context, group string, p kafka.Partition) (Reading, error) {
	return s.reading(ctx, "read", group, p)
}

func (s *Session) reading(ctx context.Context, op, group string, p kafka.Partition) (Reading, error) {
	owner, offset := layout.Owner(group, p), layout.Offset(group, p)
	if err := s.sync(ctx, owner); err != nil {
		return Reading{}, failure(op, owner, err)
	}
	var reading Reading
	found, err := s.read(ctx, owner, nil)
	switch {
	case err == nil:
		reading.Owned, reading.Owner = true, owned(found)
	case !errors.Is(err, zk.ErrNoNode):
		return Reading{}, failure(op, owner, err)
	}
	found, err = s.read(ctx, offset, nil)
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return reading, nil
	case err != nil:
		return Reading{}, failure(op, offset, err)
	}
	position, err := layout.ParseOffset(found.data)
	if err != nil {
		return reading, &Error{Op: op, Path: offset, Kind: Malformed, Err: err}
	}
	reading.Placed, reading.Offset, reading.Version = true, position, found.stat.Version
	if position == 0 { // the start of every new log: nothing of it is skipped there
		return reading, nil
	}
	reading.Outlived, err = s.madeAfter(ctx, layout.Topic(p.Topic), found.stat.Mzxid)
	return reading, failure(op, layout.Topic(p.Topic), err)
}

// madeAfter reports whether a node was made after a transaction. ZooKeeper counts all transactions in their order, and
// the node of a topic lives as long as the topic: a new log of the name has a new node.
func (s *Session) madeAfter(ctx context.Context, path string, zxid int64) (bool, error) {
	stat, err := persist(ctx, s.link, func(conn *zk.Conn) (*zk.Stat, error) {
		exists, stat, err := conn.Exists(s.full(path))
		if err != nil || !exists {
			return nil, err
		}
		return stat, nil
	})
	return stat != nil && stat.Czxid > zxid, err
}
