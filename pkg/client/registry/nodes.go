// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"strings"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// everybody is the ACL of a group's nodes: they are open to all, as Kafka's own consumers make them, even on secured
// clusters: old members with other credentials write beside ours.
func everybody() []zk.ACL { return zk.WorldACL(zk.PermAll) }

// maxTries bounds what is tried again because others interfered: each time means a whole change by somebody else in
// between.
const maxTries = 5

// read reads a node. With a hint it leaves a watch, also on a node that does not exist yet.
func (s *Session) read(ctx context.Context, path string, h *hint) (node, error) {
	full := s.full(path)
	if h == nil {
		return persist(ctx, s.link, func(conn *zk.Conn) (node, error) { return get(conn, full) })
	}
	key := watchKey{path: full}
	entry, ask := s.watches.want(key, h)
	if !ask {
		return s.read(ctx, path, nil)
	}
	found, err := persist(ctx, s.link, func(conn *zk.Conn) (node, error) {
		data, stat, _, err := conn.GetW(full)
		if err != nil {
			return node{}, err
		}
		return node{data: data, stat: *stat}, nil
	})
	if err == nil {
		s.watches.arm(key, entry)
	}
	if !errors.Is(err, zk.ErrNoNode) {
		return found, err
	}
	exists, err := persist(ctx, s.link, func(conn *zk.Conn) (bool, error) {
		exists, _, _, err := conn.ExistsW(full)
		return exists, err
	})
	if err != nil {
		return node{}, err
	}
	s.watches.arm(key, entry)
	if !exists {
		return node{}, zk.ErrNoNode
	}
	return s.read(ctx, path, nil) // somebody made it in between; the watch stands on it
}

// children lists the children of a node, sorted by the caller where it matters. With a hint it leaves a watch.
func (s *Session) children(ctx context.Context, path string, h *hint) ([]string, error) {
	full := s.full(path)
	plain := func(conn *zk.Conn) ([]string, error) {
		names, _, err := conn.Children(full)
		return names, err
	}
	if h == nil {
		return persist(ctx, s.link, plain)
	}
	key := watchKey{path: full, children: true}
	entry, ask := s.watches.want(key, h)
	if !ask {
		return persist(ctx, s.link, plain)
	}
	names, err := persist(ctx, s.link, func(conn *zk.Conn) ([]string, error) {
		names, _, _, err := conn.ChildrenW(full)
		return names, err
	})
	if err == nil {
		s.watches.arm(key, entry)
	}
	return names, err
}

// sync waits until the server knows all that the leader knew when asked.
func (s *Session) sync(ctx context.Context, path string) error {
	_, err := persist(ctx, s.link, func(conn *zk.Conn) (string, error) { return conn.Sync(s.full(path)) })
	return err
}

// create makes a node.
func (s *Session) create(ctx context.Context, path string, data []byte, flags int32) error {
	if data == nil {
		data = []byte{} // null is a value of its own, which others' clients may not expect
	}
	_, err := call(ctx, s.link, func(conn *zk.Conn) (string, error) {
		return conn.Create(s.full(path), data, flags, everybody())
	})
	return err
}

// makeParents makes the directories above a node. That somebody else made them is as good.
func (s *Session) makeParents(ctx context.Context, path string) error {
	parent := path[:strings.LastIndex(path, "/")]
	if parent == "" {
		return failure("find", "/", zk.ErrNoNode) // the chroot itself is gone
	}
	for range maxTries {
		err := s.create(ctx, parent, nil, zk.FlagPersistent)
		switch {
		case err == nil, errors.Is(err, zk.ErrNodeExists):
			return nil
		case !errors.Is(err, zk.ErrNoNode):
			return failure("create", parent, err)
		}
		if err := s.makeParents(ctx, parent); err != nil {
			return err
		}
	}
	return failure("create", parent, errTooMany)
}

// owned says whose node it is.
func owned(n node) layout.Ownership {
	return layout.Ownership{Thread: string(n.data), Session: n.stat.EphemeralOwner, Token: n.stat.Czxid}
}
