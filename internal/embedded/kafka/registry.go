// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/go-zookeeper/zk"
	"github.com/twmb/franz-go/pkg/kfake"
)

// clusterID is what kfake calls the cluster unless told otherwise.
const clusterID = "kfake"

// registry keeps the cluster's nodes in ZooKeeper: the persistent ones through a session of its own, as the controller
// does, and each broker's through that broker's session.
type registry struct {
	config Config
	chroot string
	hosts  []string
	conn   *session

	// mu guards members.
	mu      sync.Mutex
	members map[int32]*member
}

func newRegistry(ctx context.Context, config Config) (*registry, error) {
	connect, chroot, _ := strings.Cut(config.ZooKeeper, "/")
	r := &registry{
		config:  config,
		hosts:   strings.Split(connect, ","),
		members: make(map[int32]*member),
	}
	if chroot != "" {
		r.chroot = "/" + strings.Trim(chroot, "/")
	}
	conn, err := r.connect(ctx, nil)
	if err != nil {
		return nil, err
	}
	r.conn = conn
	if err := r.prepare(ctx); err != nil {
		conn.close()
		return nil, err
	}
	return r, nil
}

// prepare makes what the first start of a broker makes.
func (r *registry) prepare(ctx context.Context) error {
	return r.conn.do(ctx, "prepare the registry", func(conn *zk.Conn) error {
		for _, node := range skeleton {
			if err := r.put(conn, node, nil); err != nil {
				return err
			}
		}
		id, err := json.Marshal(clusterNode{Version: "1", ID: clusterID})
		if err != nil {
			return err
		}
		if err := r.put(conn, "/cluster/id", id); err != nil {
			return err
		}
		return r.put(conn, "/controller_epoch", []byte("1"))
	})
}

// putTopic writes a topic's registration and the states of its partitions. States come first, so that whoever sees the
// topic finds its leaders.
func (r *registry) putTopic(
	ctx context.Context, topic string, id [16]byte, partitions []*kfake.PartitionInfo,
) error {
	return r.conn.do(ctx, "register topic "+topic, func(conn *zk.Conn) error {
		at := path.Join("/brokers/topics", topic)
		data, err := topicData(id, partitions)
		if err != nil {
			return err
		}
		if err := r.put(conn, at, data); err != nil {
			return err
		}
		for _, p := range partitions {
			state, err := stateData(p)
			if err != nil {
				return err
			}
			if err := r.put(conn, path.Join(at, "partitions", strconv.Itoa(int(p.Partition)), "state"), state); err != nil {
				return err
			}
		}
		return r.put(conn, path.Join("/config/topics", topic), []byte(`{"version":1,"config":{}}`))
	})
}

// removeTopic deletes a topic's nodes.
func (r *registry) removeTopic(ctx context.Context, topic string) error {
	return r.conn.do(ctx, "remove topic "+topic, func(conn *zk.Conn) error {
		for _, node := range []string{path.Join("/brokers/topics", topic), path.Join("/config/topics", topic)} {
			if err := remove(conn, r.chroot+node); err != nil {
				return err
			}
		}
		return nil
	})
}

// remove deletes a node with all below it.
func remove(conn *zk.Conn, node string) error {
	children, _, err := conn.Children(node)
	if errors.Is(err, zk.ErrNoNode) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("children of %s: %w", node, err)
	}
	for _, child := range children {
		if err := remove(conn, path.Join(node, child)); err != nil {
			return err
		}
	}
	if err := conn.Delete(node, -1); err != nil && !errors.Is(err, zk.ErrNoNode) {
		return fmt.Errorf("delete %s: %w", node, err)
	}
	return nil
}

// put makes a persistent node, with its parents, or sets it.
func (r *registry) put(conn *zk.Conn, node string, data []byte) error {
	full := r.chroot + node
	for i := 1; i < len(full); i++ {
		if full[i] != '/' {
			continue
		}
		_, err := conn.Create(full[:i], nil, 0, zk.WorldACL(zk.PermAll))
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("create %s: %w", full[:i], err)
		}
	}
	_, err := conn.Create(full, data, 0, zk.WorldACL(zk.PermAll))
	if errors.Is(err, zk.ErrNodeExists) {
		_, err = conn.Set(full, data, -1)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", full, err)
	}
	return nil
}

// join registers a broker and keeps it registered until leave.
func (r *registry) join(ctx context.Context, id int32, addr string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.members[id] != nil {
		return nil
	}
	m, err := newMember(ctx, r, id, addr)
	if err != nil {
		return err
	}
	r.members[id] = m
	return nil
}

// leave ends a broker's session, and so its registration.
func (r *registry) leave(id int32) {
	r.mu.Lock()
	m := r.members[id]
	delete(r.members, id)
	others := make([]*member, 0, len(r.members))
	for _, other := range r.members {
		others = append(others, other)
	}
	r.mu.Unlock()
	if m == nil {
		return
	}
	m.close()
	for _, other := range others {
		// One of them becomes the controller if this was it.
		other.conn.kick()
	}
}

func (r *registry) sessions(brokers int) []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]int64, brokers)
	for id, m := range r.members {
		ids[id] = m.conn.id()
	}
	return ids
}

func (r *registry) close() {
	r.mu.Lock()
	members := r.members
	r.members = make(map[int32]*member)
	r.mu.Unlock()
	for _, m := range members {
		m.close()
	}
	r.conn.close()
}
