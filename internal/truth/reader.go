// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

// patience is what asking the brokers may take, all tries together: a broker of this machine answers within
// milliseconds or not at all, and samples are due several times a second.
const patience = 500 * time.Millisecond

// Reader samples one group of the embedded world, of either era. It reads ZooKeeper's tree inside the server and asks
// the brokers with Kafka's own admin requests, or with 0.7's only one; paths are written out, so that a mistake in the
// product's layout is not repeated here.
type Reader struct {
	zookeeper *zookeeper.Server
	ends      ends
	kafka07   bool
	chroot    string
	topic     string
	// groups are those whose samples are put together, by the prefix of their partitions' names.
	groups map[string]string
}

// NewReader makes a reader of a group's consumption of a topic, in the Kafka below chroot. Which era it is of, its
// brokers' registrations tell; there must be one.
func NewReader(server *zookeeper.Server, chroot string, brokers []string, group, topic string) (*Reader, error) {
	r := &Reader{zookeeper: server, chroot: chroot, topic: topic, groups: map[string]string{"": group}}
	ids := server.Children(chroot + "/brokers/ids")
	if len(ids) == 0 {
		return nil, errors.New("truth: no broker is registered, so nobody knows what to ask them")
	}
	if r.kafka07 = r.address(ids[0]) != ""; r.kafka07 {
		r.ends = newEnds07(r.address)
		return r, nil
	}
	var err error
	r.ends, err = newModernEnds(brokers)
	return r, err
}

// NewReaders makes a reader of groups that consume the same topic, each all of it: those of the pods of a ConsumerGroup
// with semantics Topic. Its samples hold all of them.
func NewReaders(
	server *zookeeper.Server, chroot string, brokers, groups []string, topic string,
) (*Reader, error) {
	r, err := NewReader(server, chroot, brokers, "", topic)
	if err != nil {
		return nil, err
	}
	clear(r.groups)
	for _, group := range groups {
		r.groups[group] = group
	}
	return r, nil
}

// Close ends the connections to the brokers.
func (r *Reader) Close() { r.ends.close() }

// Read takes a sample. Which partitions stand, the sink knows: their names are those of PartitionName. A topic that
// does not exist has no partitions; the end of one whose broker does not answer is not known.
func (r *Reader) Read(ctx context.Context, stands func(partition string) bool) (Sample, error) {
	partitions := r.partitions()
	ends, err := r.ends.read(ctx, r.topic, partitions)
	if err != nil {
		return Sample{}, err
	}
	sample := Sample{At: time.Now(), Partitions: map[string]Partition{}}
	for prefix, group := range r.groups {
		r.read(&sample, prefix, group, partitions, ends, stands)
	}
	slices.Sort(sample.Members)
	return sample, nil
}

// read adds a group to a sample.
func (r *Reader) read(
	sample *Sample, prefix, group string, partitions []string, ends map[string]int64, stands func(string) bool,
) {
	ids := r.zookeeper.Children(r.path(group, "ids"))
	for _, id := range ids {
		sample.Members = append(sample.Members, podOf(id))
	}
	for _, name := range partitions {
		end, known := ends[name]
		if !known {
			end = -1
		}
		full := PartitionName(prefix, r.topic, name)
		sample.Partitions[full] = Partition{
			Owner: r.owner(group, name, ids), Committed: r.committed(group, name), End: end, Stands: stands(full),
		}
	}
}

// partitions are those that the topic has by its registration. In 0.7 that is a node of each broker, with the number of
// partitions that the broker has, which are called broker-0 and so on.
func (r *Reader) partitions() (names []string) {
	topic := r.chroot + "/brokers/topics/" + r.topic
	if !r.kafka07 {
		return r.zookeeper.Children(topic + "/partitions")
	}
	for _, broker := range r.zookeeper.Children(topic) {
		node, _ := r.zookeeper.Get(topic + "/" + broker)
		count, _ := strconv.Atoi(string(node.Data)) // a node that has just gone has none
		for i := range count {
			names = append(names, fmt.Sprintf("%s-%d", broker, i))
		}
	}
	return names
}

// address is where a broker of 0.7 is: the node says creator:host:port. It is empty if there is no such broker now, or
// if its node says something else: JSON, from 0.8 on.
func (r *Reader) address(broker string) string {
	node, _ := r.zookeeper.Get(r.chroot + "/brokers/ids/" + broker)
	parts := strings.Split(string(node.Data), ":")
	if len(parts) != 3 || strings.HasPrefix(parts[0], "{") {
		return ""
	}
	return net.JoinHostPort(parts[1], parts[2])
}

func (r *Reader) path(group string, parts ...string) string {
	return r.chroot + "/consumers/" + group + "/" + strings.Join(parts, "/")
}

// owner is the pod of the live member that holds the claim.
func (r *Reader) owner(group, partition string, ids []string) string {
	node, ok := r.zookeeper.Get(r.path(group, "owners", r.topic, partition))
	if !ok {
		return ""
	}
	for _, id := range ids {
		if strings.HasPrefix(string(node.Data), id+"-") {
			return podOf(id)
		}
	}
	return ""
}

func (r *Reader) committed(group, partition string) int64 {
	node, ok := r.zookeeper.Get(r.path(group, "offsets", r.topic, partition))
	if !ok {
		return -1
	}
	position, err := strconv.ParseInt(string(node.Data), 10, 64)
	if err != nil {
		return -1
	}
	return position
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
