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

// Probe asks the leader, then reads the member's own node: success means that the session was alive after Probe was
// called. It fails with kind Lost if the node is gone, or is another session's.
func (s *Session) Probe(ctx context.Context, memberPath string) error {
	const op = "probe"
	// One after the other. Were both under way at once, nothing would say which the library sends first.
	if err := s.sync(ctx, memberPath); err != nil {
		return failure(op, memberPath, err)
	}
	found, err := s.read(ctx, memberPath, nil)
	if errors.Is(err, zk.ErrNoNode) || err == nil && found.stat.EphemeralOwner != s.id {
		return &Error{Op: op, Path: memberPath, Kind: Lost, Err: errUnregistered}
	}
	return failure(op, memberPath, err)
}

// Register makes the node of a member of a group. That it exists already, made by this session, is success: an answer
// may have been lost. Another session's node is a Conflict.
func (s *Session) Register(ctx context.Context, group, id string, data []byte) error {
	const op = "register"
	path := layout.Member(group, id)
	for range maxTries {
		err := s.create(ctx, path, data, zk.FlagEphemeral)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, zk.ErrNoNode):
			err = s.makeParents(ctx, path)
		case errors.Is(err, zk.ErrNodeExists), isLost(err):
			var mine bool
			if mine, err = s.mine(ctx, path); mine {
				return nil
			}
		}
		if err != nil {
			return failure(op, path, err)
		}
	}
	return failure(op, path, errTooMany)
}

// mine tells whether a node is this session's. That it is another's is an error; that there is none is not.
func (s *Session) mine(ctx context.Context, path string) (bool, error) {
	if err := s.sync(ctx, path); err != nil {
		return false, err
	}
	found, err := s.read(ctx, path, nil)
	if errors.Is(err, zk.ErrNoNode) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if found.stat.EphemeralOwner == s.id {
		return true, nil
	}
	owner := owned(found)
	return false, &Error{
		Op: "register", Path: path, Kind: Conflict, Owner: &owner,
		Err: fmt.Errorf("the node is of session 0x%x", owner.Session),
	}
}

// Unregister removes the node of a member. That there is none is success.
func (s *Session) Unregister(ctx context.Context, group, id string) error {
	path := layout.Member(group, id)
	_, err := call(ctx, s.link, func(conn *zk.Conn) (struct{}, error) {
		return struct{}{}, conn.Delete(s.full(path), layout.AnyVersion)
	})
	if errors.Is(err, zk.ErrNoNode) {
		return nil
	}
	return failure("unregister", path, err)
}
