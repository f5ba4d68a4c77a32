// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Transport opens a transport to the cluster's brokers, which follows them until it is closed: for who reads partitions
// from positions of their own, without a group, or asks where logs begin and end. Nothing is claimed or committed. It
// waits for the brokers to be known as long as ctx allows. Close it before the cluster.
func (c *Cluster) Transport(ctx context.Context) (kafka.Transport, error) {
	opened, err := c.openTransport(ctx)
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	return ownTransport{opened}, nil
}

// ownTransport is one that its user closes.
type ownTransport struct{ *brokers }

// Close implements kafka.Transport.
func (t ownTransport) Close() { t.close() }
