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

// Reader samples one group of the embedded world. It reads ZooKeeper's tree inside the server and asks the brokers with
// Kafka's own admin requests; paths are written out, so that a mistake in the product's layout is not repeated here.
type Reader struct {
	zookeeper *zookeeper.Server
	admin     *kadm.Client
	chroot    string
	group     string
	topic     string
}

// NewReader makes a reader of a group's consumption of a topic, in the Kafka below chroot.
func NewReader(server *zookeeper.Server, chroot string, brokers []string, group, topic string) (*Reader, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ClientID("truth"))
	if err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	return &Reader{zookeeper: server, admin: kadm.NewClient(client), chroot: chroot, group: group, topic: topic}, nil
}

// Close ends the connections to the brokers.
func (r *Reader) Close() { r.admin.Close() }

// Read takes a sample. Which partitions stand, the sink knows: their names are topic/id.
func (r *Reader) Read(ctx context.Context, stands func(partition string) bool) (Sample, error) {
	ends, err := r.admin.ListEndOffsets(ctx, r.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return Sample{}, fmt.Errorf("ends of %s: %w", r.topic, err)
	}
	sample := Sample{At: time.Now(), Partitions: map[string]Partition{}}
	ids := r.zookeeper.Children(r.path("ids"))
	for _, id := range ids {
		sample.Members = append(sample.Members, podOf(id))
	}
	slices.Sort(sample.Members)
	for id, end := range ends[r.topic] {
		name := strconv.Itoa(int(id))
		full := r.topic + "/" + name
		sample.Partitions[full] = Partition{
			Owner: r.owner(name, ids), Committed: r.committed(name), End: end.Offset, Stands: stands(full),
		}
	}
	return sample, nil
}

func (r *Reader) path(parts ...string) string {
	return r.chroot + "/consumers/" + r.group + "/" + strings.Join(parts, "/")
}

// owner is the pod of the live member that holds the claim.
func (r *Reader) owner(partition string, ids []string) string {
	node, ok := r.zookeeper.Get(r.path("owners", r.topic, partition))
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

func (r *Reader) committed(partition string) int64 {
	node, ok := r.zookeeper.Get(r.path("offsets", r.topic, partition))
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
