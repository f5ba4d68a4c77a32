// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/coordinator"
	"github.com/samsa-dev/samsa/pkg/client/group"
)

// membership decides what one member of a group does: a state machine, of a group in ZooKeeper or at the brokers.
type membership interface {
	Step(now time.Time, event group.Event) []group.Command
	Next() time.Time
	Snapshot() group.Snapshot
}

var (
	_ membership = (*group.Member)(nil)
	_ membership = (*coordinator.Member)(nil)
)

// keeper is where a group is kept, as the driver of a member sees it.
type keeper interface {
	// follow tells the member what changed since it was last called; the channels say when to call it again.
	follow(ctx context.Context) (changed, found, over <-chan struct{})
	// request carries out what only the keeper can, and answers with an event. It must not block.
	request(ctx context.Context, command group.Command)
	// close ends its connections, once all requests have ended.
	close()
}
