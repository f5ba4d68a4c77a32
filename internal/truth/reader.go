// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

// patience is what asking the brokers may take, all tries together: a broker of this machine answers within
// milliseconds or not at all, and samples are due several times a second.
const patience = 500 * time.Millisecond

// Reader samples one group of the embedded world. It reads ZooKeeper's tree inside the server and asks the brokers with
// Kafka's own admin requests; paths are written out, so that a mistake in the product's layout is not repeated here.
type Reader struct {
	zookeeper *zookeeper.Server
	admin     *kadm.Client
	chroot    string
	topic     string
	// groups are those whose samples are put together, by the prefix of their partitions' names.
	groups map[string]string
}

// NewReader makes a reader of a group's consumption of a topic, in the Kafka below chroot.
func NewReader(server *zookeeper.Server, chroot string, brokers []string, group, topic string) (*Reader, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ClientID("truth"), kgo.RetryTimeout(patience))
	if err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	return &Reader{
		zookeeper: server, admin: kadm.NewClient(client), chroot: chroot, topic: topic,
		groups: map[string]string{"": group},
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
func (r *Reader) Close() { r.admin.Close() }

// Read takes a sample. Which partitions stand, the sink knows: their names are those of PartitionName. A topic that
// does not exist has no partitions; the end of one whose broker does not answer is not known.
func (r *Reader) Read(ctx context.Context, stands func(partition string) bool) (Sample, error) {
	asking, cancel := context.WithTimeout(ctx, 2*patience) // a broker that is away takes one; the others are to answer
	defer cancel()
	ends, err := r.admin.ListEndOffsets(asking, r.topic)
	if err != nil && len(ends) == 0 {
		return Sample{}, fmt.Errorf("ends of %s: %w", r.topic, err)
	}
	sample := Sample{At: time.Now(), Partitions: map[string]Partition{}}
	for prefix, group := range r.groups {
		r.read(&sample, prefix, group, ends[r.topic], stands)
	}
	slices.Sort(sample.Members)
	return sample, nil
}

// read adds a group to a sample.
func (r *Reader) read(
	sample *Sample, prefix, group string, ends map[int32]kadm.ListedOffset, stands func(partition string) bool,
) {
	ids := r.zookeeper.Children(r.path(group, "ids"))
	for _, id := range ids {
		sample.Members = append(sample.Members, podOf(id))
	}
	for _, name := range r.partitions() {
		id, _ := strconv.ParseInt(name, 10, 32)
		end := int64(-1)
		if listed, ok := ends[int32(id)]; ok && listed.Err == nil {
			end = listed.Offset
		}
		full := PartitionName(prefix, r.topic, name)
		sample.Partitions[full] = Partition{
			Owner: r.owner(group, name, ids), Committed: r.committed(group, name), End: end, Stands: stands(full),
		}
	}
}

// partitions are those that the topic has by its registration.
func (r *Reader) partitions() []string {
	return r.zookeeper.Children(r.chroot + "/brokers/topics/" + r.topic + "/partitions")
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
