// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// tree reads a group in ZooKeeper, by paths that are written out here.
type tree struct {
	conn   *zk.Conn
	chroot string
	group  string
	topics map[string]int
}

type silent struct{}

func (silent) Printf(string, ...any) {}

func newTree(address, chroot, group string, topics map[string]int) (*tree, error) {
	const session = 5 * time.Second
	conn, _, err := zk.Connect([]string{address}, session, zk.WithLogger(silent{}))
	if err != nil {
		return nil, fmt.Errorf("zookeeper %s: %w", address, err)
	}
	return &tree{conn: conn, chroot: chroot, group: group, topics: topics}, nil
}

func (t *tree) close() { t.conn.Close() }

func (t *tree) path(parts ...string) string {
	return t.chroot + "/consumers/" + t.group + "/" + strings.Join(parts, "/")
}

// get gives what a node holds; there may be none.
func (t *tree) get(path string) (data string, there bool, err error) {
	found, _, err := t.conn.Get(path)
	if errors.Is(err, zk.ErrNoNode) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read %s: %w", path, err)
	}
	return string(found), true, nil
}

// members are the registrations, by id.
func (t *tree) members() (map[string]registration, error) {
	ids, _, err := t.conn.Children(t.path("ids"))
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		return nil, fmt.Errorf("read the members: %w", err)
	}
	all := map[string]registration{}
	for _, id := range ids {
		data, there, err := t.get(t.path("ids", id))
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		if all[id], err = parseRegistration(data); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// partitions are those that the test has made.
func (t *tree) partitions() []partition { return partitionsOf(t.topics) }

func partitionsOf(topics map[string]int) (all []partition) {
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		for id := range topics[topic] {
			all = append(all, partition{topic, id})
		}
	}
	return all
}

func (t *tree) owners() (map[partition]string, error) {
	all := map[partition]string{}
	for _, p := range t.partitions() {
		thread, there, err := t.get(t.path("owners", p.topic, strconv.Itoa(p.id)))
		if err != nil {
			return nil, err
		}
		if there {
			all[p] = thread
		}
	}
	return all, nil
}

// positions are those that are committed.
func (t *tree) positions() (map[partition]int64, error) {
	all := map[partition]int64{}
	for _, p := range t.partitions() {
		data, there, err := t.get(t.path("offsets", p.topic, strconv.Itoa(p.id)))
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		if all[p], err = strconv.ParseInt(data, 10, 64); err != nil {
			return nil, fmt.Errorf("position of %s: %w", p, err)
		}
	}
	return all, nil
}

// settled says what is not yet as it has to be: exactly the members with these names are registered, and each partition
// is owned by whom Range says. Nothing where all is.
func (t *tree) settled(names []string) (string, error) {
	members, err := t.members()
	if err != nil {
		return "", err
	}
	var there []string
	for id := range members {
		there = append(there, nameOf(t.group, id))
	}
	slices.Sort(there)
	if !slices.Equal(there, names) {
		return fmt.Sprintf("the members are %v, not %v", there, names), nil
	}
	owners, err := t.owners()
	if err != nil {
		return "", err
	}
	want := rangeOf(members, t.topics)
	isForeign := func(id string) bool { return sideOf(t.group, id) == foreign }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(members)), isForeign) {
		want = anyOf(members, owners, want) // samsa's alone share out in their own way
	}
	var wrong []string
	for _, p := range t.partitions() {
		if owners[p] != want[p] {
			wrong = append(wrong, fmt.Sprintf("%s is %s's, not %s's", p, orNobody(owners[p]), orNobody(want[p])))
		}
	}
	return strings.Join(wrong, "; "), nil
}

// anyOf accepts any member as an owner.
func anyOf(members map[string]registration, owners, want map[partition]string) map[partition]string {
	accepted := maps.Clone(want)
	for p, thread := range owners {
		if _, live := members[strings.TrimSuffix(thread, "-0")]; live {
			accepted[p] = thread
		}
	}
	return accepted
}

func orNobody(thread string) string {
	if thread == "" {
		return "nobody"
	}
	return thread
}

// nameOf is what a member was called by the test: <group>_<name> is an old consumer's id,
// <group>_samsa1s.<name>-<ms>-<hex> that of a member of samsa's.
func nameOf(group, id string) string {
	rest := strings.TrimPrefix(id, group+"_")
	if !strings.HasPrefix(rest, "samsa1") {
		return rest
	}
	_, pod, _ := strings.Cut(rest, ".")
	parts := strings.Split(pod, "-")
	return strings.Join(parts[:max(0, len(parts)-2)], "-")
}
