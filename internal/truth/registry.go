// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

// registry is the book in ZooKeeper, of either era. Paths are written out, so that a mistake in the product's layout is
// not repeated here.
type registry struct {
	zookeeper *zookeeper.Server
	chroot    string
	kafka07   bool
}

// partitions implements book. They are those that the topic has by its registration. In 0.7 that is a node of each
// broker, with the number of partitions that the broker has, which are called broker-0 and so on.
func (r *registry) partitions(_ context.Context, topic string) (names []string, err error) {
	topic = r.chroot + "/brokers/topics/" + topic
	if !r.kafka07 {
		return r.zookeeper.Children(topic + "/partitions"), nil
	}
	for _, broker := range r.zookeeper.Children(topic) {
		node, _ := r.zookeeper.Get(topic + "/" + broker)
		count, _ := strconv.Atoi(string(node.Data)) // a node that has just gone has none
		for i := range count {
			names = append(names, fmt.Sprintf("%s-%d", broker, i))
		}
	}
	return names, nil
}

// address is where a broker of 0.7 is: the node says creator:host:port. It is empty if there is no such broker now, or
// if its node says something else: JSON, from 0.8 on.
func (r *registry) address(broker string) string {
	node, _ := r.zookeeper.Get(r.chroot + "/brokers/ids/" + broker)
	parts := strings.Split(string(node.Data), ":")
	if len(parts) != 3 || strings.HasPrefix(parts[0], "{") {
		return ""
	}
	return net.JoinHostPort(parts[1], parts[2])
}

func (r *registry) path(group string, parts ...string) string {
	return r.chroot + "/consumers/" + group + "/" + strings.Join(parts, "/")
}

// group implements book.
func (r *registry) group(_ context.Context, group, topic string) (entry, error) {
	ids := r.zookeeper.Children(r.path(group, "ids"))
	found := entry{owners: map[string]string{}, committed: map[string]int64{}}
	for _, id := range ids {
		found.members = append(found.members, podOf(id))
	}
	for _, name := range r.zookeeper.Children(r.path(group, "owners", topic)) {
		found.owners[name] = r.owner(group, topic, name, ids)
	}
	for _, name := range r.zookeeper.Children(r.path(group, "offsets", topic)) {
		node, _ := r.zookeeper.Get(r.path(group, "offsets", topic, name))
		if position, err := strconv.ParseInt(string(node.Data), 10, 64); err == nil {
			found.committed[name] = position
		}
	}
	return found, nil
}

// owner is the pod of the live member that holds the claim.
func (r *registry) owner(group, topic, partition string, ids []string) string {
	node, _ := r.zookeeper.Get(r.path(group, "owners", topic, partition))
	for _, id := range ids {
		if strings.HasPrefix(string(node.Data), id+"-") {
			return podOf(id)
		}
	}
	return ""
}

// podOf is the pod in a member's id, <group>_samsa1s.<pod>-<ms>-<hex>; the whole id of anybody else's.
func podOf(id string) string {
	_, rest, ok := strings.Cut(id, "_samsa1")
	if !ok {
		return id
	}
	_, name, _ := strings.Cut(rest, ".")
	parts := strings.Split(name, "-")
	return strings.Join(parts[:max(0, len(parts)-2)], "-")
}
