// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// session is that of this package's own connections, which live for some seconds at most.
const session = 10 * time.Second

// connect gives a connection to a ZooKeeper, and the path of its address.
func connect(address string) (conn *zk.Conn, path string, err error) {
	path = chroot(address)
	conn, _, err = zk.Connect(strings.Split(strings.TrimSuffix(address, path), ","), session, zk.WithLogger(silent{}))
	if err != nil {
		return nil, "", fmt.Errorf("zookeeper %s: %w", address, err)
	}
	return conn, path, nil
}

// makeChroot makes the path of a ZooKeeper's address, which Kafka does itself since 0.8.2.
func makeChroot(ctx context.Context, address string) error {
	if chroot(address) == "" {
		return nil
	}
	conn, path, err := connect(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)() // the library knows no contexts
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if _, err := conn.Create(path[:i], nil, 0, zk.WorldACL(zk.PermAll)); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("zookeeper %s, create %s: %w", address, path[:i], err)
		}
	}
	return nil
}

// AwaitGone waits until ZooKeeper has forgotten a broker that was killed: its session has to expire. Those of later
// releases refuse to start before that (NodeExists). One of 0.8 starts, fails inside when the session expires (a
// NullPointerException in onControllerResignation), and a cluster of one has no controller then, for good. With KRaft,
// and while the broker runs, it returns at once.
func (b *Broker) AwaitGone(ctx context.Context) error {
	if b.cluster.config.ZooKeeper == "" || b.Running() {
		return nil
	}
	conn, path, err := connect(b.cluster.config.ZooKeeper)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	const look = 100 * time.Millisecond // a session is some seconds
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		there, _, err := conn.Exists(fmt.Sprintf("%s/brokers/ids/%d", path, b.id))
		if err == nil && !there {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("broker %d is still registered: %w", b.id, context.Cause(ctx))
		}
	}
}

type silent struct{}

func (silent) Printf(string, ...any) {}
