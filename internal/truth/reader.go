// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

// patience is what asking the brokers may take, all tries together: a broker of this machine answers within
// milliseconds or not at all, and samples are due several times a second.
const patience = 500 * time.Millisecond

// Reader samples one group, of whatever Kafka a world has.
type Reader struct {
	book  book
	ends  ends
	topic string
	// groups are those whose samples are put together, by the prefix of their partitions' names.
	groups map[string]string
}

// book is where groups are kept: a ZooKeeper, or the brokers that coordinate them.
type book interface {
	// partitions are the names of those that a topic has.
	partitions(ctx context.Context, topic string) ([]string, error)
	// group is what is written of a group that consumes a topic.
	group(ctx context.Context, group, topic string) (entry, error)
}

// entry is what is written of a group: its live members (pods, and ids of foreign ones), and by the names of partitions
// whose claim is whose, and how far they are. Where there is none, there is nothing.
type entry struct {
	members   []string
	owners    map[string]string
	committed map[string]int64
}

// NewReader makes a reader of a group's consumption of a topic, in the Kafka below chroot. It reads ZooKeeper's tree
// inside the server and asks the brokers with Kafka's own admin requests, or with 0.7's only one. Which era it is of,
// its brokers' registrations tell; there must be one.
func NewReader(server *zookeeper.Server, chroot string, brokers []string, group, topic string) (*Reader, error) {
	tree := &registry{zookeeper: server, chroot: chroot}
	r := &Reader{book: tree, topic: topic, groups: map[string]string{"": group}}
	ids := server.Children(chroot + "/brokers/ids")
	if len(ids) == 0 {
		return nil, errors.New("truth: no broker is registered, so nobody knows what to ask them")
	}
	if tree.kafka07 = tree.address(ids[0]) != ""; tree.kafka07 {
		r.ends = newEnds07(tree.address)
		return r, nil
	}
	var err error
	r.ends, err = newModernEnds(brokers)
	return r, err
}

// NewCoordinatedReader makes a reader of a group that brokers coordinate. It asks them with Kafka's own admin requests.
func NewCoordinatedReader(brokers []string, group, topic string) (*Reader, error) {
	ends, err := newModernEnds(brokers)
	if err != nil {
		return nil, err
	}
	return &Reader{
		book: coordinator(ends), ends: ends, topic: topic, groups: map[string]string{"": group},
	}, nil
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
	partitions, err := r.book.partitions(ctx, r.topic)
	if err != nil {
		return Sample{}, err
	}
	ends, err := r.ends.read(ctx, r.topic, partitions)
	if err != nil {
		return Sample{}, err
	}
	sample := Sample{At: time.Now(), Partitions: map[string]Partition{}}
	for prefix, group := range r.groups {
		found, err := r.book.group(ctx, group, r.topic)
		if err != nil {
			return Sample{}, err
		}
		sample.Members = append(sample.Members, found.members...)
		for _, name := range partitions {
			full := PartitionName(prefix, r.topic, name)
			sample.Partitions[full] = Partition{
				Owner: found.owners[name], Committed: known(found.committed, name), End: known(ends, name), Stands: stands(full),
			}
		}
	}
	slices.Sort(sample.Members)
	return sample, nil
}

// known is a position, or -1.
func known(positions map[string]int64, name string) int64 {
	if position, ok := positions[name]; ok {
		return position
	}
	return -1
}
