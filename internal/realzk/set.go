// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realzk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// Set changes what a node holds that is there, as somebody with ZooKeeper's own shell does. The address is
// host:port/chroot, of any server.
func Set(ctx context.Context, address, node string, data []byte) error {
	const session = 10 * time.Second // it lives for milliseconds
	servers, chroot, rooted := strings.Cut(address, "/")
	if rooted {
		node = "/" + chroot + node
	}
	conn, _, err := zk.Connect(strings.Split(servers, ","), session, zk.WithLogInfo(false))
	if err != nil {
		return fmt.Errorf("zookeeper %s: %w", address, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)() // the library knows no contexts
	if _, err := conn.Set(node, data, -1); err != nil {
		return fmt.Errorf("zookeeper %s, set %s: %w", address, node, err)
	}
	return nil
}
