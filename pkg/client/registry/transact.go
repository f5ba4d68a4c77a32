// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// maxRequest is what servers take by default (jute.maxbuffer, 1 MiB), less a margin for the chroots of a few hundred
// operations. They hang up on more, which would look like a fault of the network, for ever.
const maxRequest = 1<<20 - 64<<10

// Transact carries out a transaction and gives the new version of each node it wrote, -1 where an operation writes
// none.
//
// It fails with kind Lost if the first operation, the check of the member's registration, is refused; with Conflict,
// and the Index, if another one is; nothing has happened then. With Unavailable it may have happened. Directories
// that are missing are made.
//
// Where the servers know no transactions, all that can be checked is checked first, then the operations are carried
// out one by one. A refusal of a later one then leaves the earlier ones done.
func (s *Session) Transact(ctx context.Context, txn layout.Txn) ([]int32, error) {
	if len(txn) == 0 {
		return nil, nil
	}
	if size := sizeOf(txn); size > maxRequest {
		return nil, &Error{Op: "transaction", Path: txn[0].Path, Kind: Malformed, Err: fmt.Errorf(
			"%d operations in %d bytes, more than the %d a server takes: make it smaller", len(txn), size, maxRequest)}
	}
	run := s.runAtOnce
	if !s.fenced {
		run = s.runOneByOne
	}
	for range maxTries {
		versions, index, err := run(ctx, txn)
		if err == nil {
			return versions, nil
		}
		if index < 0 {
			return nil, failure("transaction", "", err)
		}
		op := txn[index]
		if !errors.Is(err, zk.ErrNoNode) || op.Kind != layout.Create && op.Kind != layout.CreateEphemeral {
			return nil, refusal(txn, index, err)
		}
		if err := s.makeParents(ctx, op.Path); err != nil {
			return nil, err
		}
	}
	return nil, failure("transaction", txn[0].Path, errTooMany)
}

// sizeOf is the size of a transaction on the wire, or a little more.
func sizeOf(txn layout.Txn) int {
	// A header, the lengths of path and data, an ACL, a version or flags come with each.
	const overhead = 64
	size := 0
	for _, op := range txn {
		size += overhead + len(op.Path) + len(op.Data)
	}
	return size
}

// refusal says what it means that an operation was refused.
func refusal(txn layout.Txn, index int, err error) error {
	op := txn[index]
	kind := classify(err)
	switch {
	case index == 0 && op.Kind == layout.Check && kind == NoNode:
		return &Error{Op: "transaction", Path: op.Path, Kind: Lost, Err: errUnregistered}
	case kind == NoNode:
		kind = Conflict // something removed what this was to replace
	}
	return &Error{Op: describe(op.Kind), Path: op.Path, Kind: kind, Index: index, Err: explain(err)}
}

func describe(kind layout.Kind) string {
	switch kind {
	case layout.Check:
		return "check"
	case layout.Create, layout.CreateEphemeral:
		return "create"
	case layout.Set:
		return "write"
	case layout.Delete:
		return "delete"
	default:
		return "unknown operation"
	}
}

// runAtOnce gives the refused operation's index with the error, -1 if none in particular was.
func (s *Session) runAtOnce(ctx context.Context, txn layout.Txn) ([]int32, int, error) {
	ops := make([]any, len(txn))
	for i, op := range txn {
		ops[i] = s.request(op)
	}
	results, err := call(ctx, s.link, func(conn *zk.Conn) ([]zk.MultiResponse, error) { return conn.Multi(ops...) })
	for i, result := range results {
		if result.Error != nil {
			return nil, i, result.Error // those behind it say only that something was refused
		}
	}
	if err != nil {
		return nil, -1, err
	}
	if len(results) != len(txn) {
		return nil, -1, fmt.Errorf("%d results for %d operations", len(results), len(txn))
	}
	versions := make([]int32, len(txn))
	for i, result := range results {
		versions[i] = written(txn[i].Kind, result.Stat)
	}
	return versions, -1, nil
}

func (s *Session) request(op layout.Op) any {
	path := s.full(op.Path)
	data := op.Data
	if data == nil {
		data = []byte{}
	}
	switch op.Kind {
	case layout.Create:
		return &zk.CreateRequest{Path: path, Data: data, Acl: everybody(), Flags: zk.FlagPersistent}
	case layout.CreateEphemeral:
		return &zk.CreateRequest{Path: path, Data: data, Acl: everybody(), Flags: zk.FlagEphemeral}
	case layout.Set:
		return &zk.SetDataRequest{Path: path, Data: data, Version: op.Version}
	case layout.Delete:
		return &zk.DeleteRequest{Path: path, Version: op.Version}
	default:
		return &zk.CheckVersionRequest{Path: path, Version: op.Version}
	}
}

func written(kind layout.Kind, stat *zk.Stat) int32 {
	switch {
	case kind == layout.Set && stat != nil:
		return stat.Version
	case kind == layout.Create, kind == layout.CreateEphemeral:
		return 0
	default:
		return -1
	}
}

// runOneByOne is what a transaction comes to without transactions.
func (s *Session) runOneByOne(ctx context.Context, txn layout.Txn) ([]int32, int, error) {
	for i, op := range txn {
		if err := s.permits(ctx, op); err != nil {
			return nil, i, err
		}
	}
	versions := make([]int32, len(txn))
	for i, op := range txn {
		stat, err := s.carryOut(ctx, op)
		if err != nil {
			return nil, i, err
		}
		versions[i] = written(op.Kind, stat)
	}
	return versions, -1, nil
}

// permits tells whether an operation would succeed now.
func (s *Session) permits(ctx context.Context, op layout.Op) error {
	found, err := s.read(ctx, op.Path, nil)
	creates := op.Kind == layout.Create || op.Kind == layout.CreateEphemeral
	switch {
	case creates && errors.Is(err, zk.ErrNoNode):
		return nil
	case err != nil:
		return err
	case creates:
		return zk.ErrNodeExists
	case op.Version != layout.AnyVersion && op.Version != found.stat.Version:
		return zk.ErrBadVersion
	case op.Kind == layout.Delete && found.stat.EphemeralOwner != 0 && found.stat.EphemeralOwner != s.id:
		return zk.ErrBadVersion // another session's claim: every fresh node has version 0
	default:
		return nil
	}
}

func (s *Session) carryOut(ctx context.Context, op layout.Op) (*zk.Stat, error) {
	return call(ctx, s.link, func(conn *zk.Conn) (*zk.Stat, error) {
		switch request := s.request(op).(type) {
		case *zk.CreateRequest:
			_, err := conn.Create(request.Path, request.Data, request.Flags, request.Acl)
			return nil, err
		case *zk.SetDataRequest:
			return conn.Set(request.Path, request.Data, request.Version)
		case *zk.DeleteRequest:
			return nil, conn.Delete(request.Path, request.Version)
		default:
			return nil, nil //nolint:nilnil // a check writes nothing, and has been made
		}
	})
}
