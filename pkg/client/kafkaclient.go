// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// wireConfig is how the brokers are reached by any client of franz-go, to begin with those given.
func (c *Cluster) wireConfig(brokers []string) wire.Config {
	return wire.Config{
		Brokers: brokers, TLS: c.config.BrokerTLS, SASL: c.config.SASL, Admission: c.admission,
		Dial: c.config.Dial, Logger: c.logger,
		Compression: c.config.Compression, MaxMessageBytes: c.config.MaxMessageBytes,
	}
}

// kafkaClient is the cluster's own client to its brokers, for what is asked of them now and then: it follows the
// directory and is closed with the cluster, so callers keep it for no longer than one question. It waits for brokers to
// be known, as long as ctx allows.
func (c *Cluster) kafkaClient(ctx context.Context) (*kgo.Client, error) {
	if err := c.directory.wait(ctx); err != nil {
		return nil, err
	}
	c.directory.tellAsking() // they may have become known this moment
	client, err := c.asking.Client()
	if err != nil {
		return nil, fmt.Errorf("client to the brokers: %w", err)
	}
	return client, nil
}

// kafkaOptions are those of a client of the caller's own, which begins with the brokers known now.
func (c *Cluster) kafkaOptions() []kgo.Opt {
	c.directory.tellAsking()
	return wire.Options(c.asking.Config())
}
