// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
)

// namesVariable is the environment variable with the DNS server (host:port) to ask instead of those that the machine
// asks. Without it nothing changes.
const namesVariable = "SAMSA_DNS"

// resolver asks one server, over UDP or TCP as is due; nil for the machine's own.
func resolver(server string) *net.Resolver {
	if server == "" {
		return nil
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}
