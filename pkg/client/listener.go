// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net"
	"strconv"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// protocol is what the cluster's listeners are chosen by, in Kafka's words.
func (c Config) protocol() string {
	switch {
	case c.BrokerTLS != nil && c.SASL != nil:
		return "SASL_SSL"
	case c.BrokerTLS != nil:
		return "SSL"
	case c.SASL != nil:
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

// addressFor is that of the first listener of a protocol; where there is none, the one that old clients are told.
func addressFor(broker layout.BrokerRegistration, protocol string) string {
	for _, endpoint := range broker.Endpoints {
		if endpoint.Protocol == protocol {
			return net.JoinHostPort(endpoint.Host, strconv.Itoa(endpoint.Port))
		}
	}
	return net.JoinHostPort(broker.Host, strconv.Itoa(broker.Port))
}
