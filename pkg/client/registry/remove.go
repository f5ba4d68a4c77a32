// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// A transaction removes at most removeNodes nodes, which keeps a server busy for some 30 ms (500 writes in one were
// measured to take 32), and at most removeBytes of paths, half of what fits: nodes that others made may have long
// names. Without transactions it is removeAlone nodes between two looks for members, a read and a write of a few
// milliseconds each: a member that registers has some 0.3 s at most to be overlooked in.
const (
	removeNodes = 500
	removeBytes = maxRequest / 2
	removeAlone = 32
)

// RemoveGroup removes all that stands about a group: where it began, its positions, the claims that are left of members
// that are gone, the directories, and the group's own where nobody keeps anything else in it. That there is nothing is
// success, and so a removal that was cut short may be repeated.
//
// While the group has members it does nothing, and gives their ids. Each transaction removes the empty directory of
// members too, so one that registers meanwhile stops the removal; what had been removed by then is gone. Servers
// without transactions are asked for members before each batch instead, which a member that registers just then
// escapes; and claims of live sessions are left alone there: they are a Conflict, until those end.
func (s *Session) RemoveGroup(ctx context.Context, group string) (members []string, err error) {
	for range maxTries {
		members, err = s.removeOnce(ctx, group)
		if err == nil || KindOf(err) != Conflict && !isLost(err) {
			return members, err
		}
		// Somebody came or went, or an answer was lost: what is left now, the next look tells.
	}
	known := (*Error)(nil)
	if !errors.As(err, &known) {
		return nil, failure("remove the group", layout.Group(group), err)
	}
	return nil, &Error{Op: known.Op, Path: known.Path, Kind: known.Kind, Err: fmt.Errorf(
		"it keeps changing, or belongs to a live session, or holds nodes that are no consumer group's: %w", known.Err)}
}

func (s *Session) removeOnce(ctx context.Context, group string) ([]string, error) {
	r := removal{session: s, group: group}
	if err := s.sync(ctx, layout.Group(group)); err != nil {
		return nil, failure("find", layout.Group(group), err)
	}
	parts, err := s.list(ctx, layout.Group(group), nil)
	if err != nil {
		return nil, err
	}
	if members, err := r.look(ctx); err != nil || len(members) > 0 {
		return members, err
	}
	// The marker first: a group that was removed by halves and lives on decides again where it begins.
	if slices.Contains(parts, strings.TrimPrefix(layout.Birth(group), layout.Group(group)+"/")) {
		r.remove(layout.Birth(group))
	}
	for _, root := range []string{layout.AllOffsets(group), layout.AllOwners(group)} {
		if members, err := r.removeTopics(ctx, root); err != nil || len(members) > 0 {
			return members, err
		}
	}
	if r.pending() {
		if members, err := r.flush(ctx); err != nil || len(members) > 0 {
			return members, err
		}
	}
	return nil, s.removeIfEmpty(ctx, layout.Group(group))
}

// removal is one pass over a group.
type removal struct {
	session *Session
	group   string
	// ids says that the directory of members stands, and is empty as far as we know.
	ids   bool
	nodes layout.Txn
	bytes int
}

// look finds out who is a member.
func (r *removal) look(ctx context.Context) (members []string, err error) {
	path := layout.Members(r.group)
	members, err = r.session.children(ctx, path, nil)
	r.ids = err == nil
	if errors.Is(err, zk.ErrNoNode) {
		return nil, nil
	}
	slices.Sort(members)
	return members, failure("list", path, err)
}

// removeTopics removes a directory that holds one for each topic.
func (r *removal) removeTopics(ctx context.Context, root string) (members []string, err error) {
	exists := true
	topics, err := r.session.children(ctx, root, nil)
	if errors.Is(err, zk.ErrNoNode) {
		exists, err = false, nil
	}
	if err != nil {
		return nil, failure("list", root, err)
	}
	for _, topic := range topics {
		directory := root + "/" + topic
		nodes, err := r.session.list(ctx, directory, nil)
		if err != nil {
			return nil, err
		}
		for _, name := range nodes {
			if r.remove(directory + "/" + name); !r.full() {
				continue
			}
			if members, err := r.flush(ctx); err != nil || len(members) > 0 {
				return members, err
			}
		}
		r.remove(directory)
	}
	if exists {
		r.remove(root)
	}
	return nil, nil
}

func (r *removal) remove(path string) {
	r.nodes = append(r.nodes, layout.Op{Kind: layout.Delete, Path: path, Version: layout.AnyVersion})
	r.bytes += len(path)
}

func (r *removal) full() bool {
	most := removeNodes
	if !r.session.fenced {
		most = removeAlone
	}
	return len(r.nodes) >= most || r.bytes >= removeBytes
}

func (r *removal) pending() bool { return r.ids || len(r.nodes) > 0 }

// flush removes what was collected, unless somebody has become a member.
func (r *removal) flush(ctx context.Context) (members []string, err error) {
	if !r.session.fenced {
		if members, err = r.look(ctx); err != nil || len(members) > 0 {
			return members, err
		}
	}
	txn := append(r.fence(), r.nodes...)
	r.nodes, r.bytes, r.ids = nil, 0, false
	_, err = r.session.Transact(ctx, txn)
	return nil, err
}

// fence refuses a transaction if anybody is a member, or has been since the directory of members was removed: the
// directory is not empty then, or is there again.
func (r *removal) fence() layout.Txn {
	path := layout.Members(r.group)
	gone := layout.Op{Kind: layout.Delete, Path: path, Version: layout.AnyVersion}
	switch {
	case r.ids:
		return layout.Txn{gone}
	case r.session.fenced:
		return layout.Txn{{Kind: layout.Create, Path: path}, gone}
	default:
		return nil
	}
}

func (s *Session) removeIfEmpty(ctx context.Context, path string) error {
	_, err := call(ctx, s.link, func(conn *zk.Conn) (struct{}, error) {
		return struct{}{}, conn.Delete(s.full(path), layout.AnyVersion)
	})
	if errors.Is(err, zk.ErrNoNode) || errors.Is(err, zk.ErrNotEmpty) {
		return nil
	}
	return failure("delete", path, err)
}
