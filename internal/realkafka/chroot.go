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

// makeChroot makes the path of a ZooKeeper's address, which Kafka does itself since 0.8.2.
func makeChroot(ctx context.Context, address string) error {
	path := chroot(address)
	if path == "" {
		return nil
	}
	const session = 10 * time.Second // it lives for some milliseconds
	conn, _, err := zk.Connect(strings.Split(strings.TrimSuffix(address, path), ","), session, zk.WithLogger(silent{}))
	if err != nil {
		return fmt.Errorf("zookeeper %s: %w", address, err)
	}
	defer conn.Close()
	done := context.AfterFunc(ctx, conn.Close) // the library knows no contexts
	defer done()
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

type silent struct{}

func (silent) Printf(string, ...any) {}
