// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka

import (
	"net"
	"strconv"
	"testing"
)

// A broker that is down keeps its port: another cluster, of this process or any other, does not get it.
func TestAPortIsClaimedUntilItIsGivenBack(t *testing.T) {
	port, claim, err := freePort(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var listen net.ListenConfig
	address := net.JoinHostPort(loopback, strconv.Itoa(port))
	if _, err := listen.ListenPacket(t.Context(), "udp", address); err == nil {
		t.Error("the port can be claimed again")
	}
	listener, err := listen.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("the broker cannot have the port: %v", err)
	}
	defer listener.Close()
	if err := claim.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := listen.ListenPacket(t.Context(), "udp", address)
	if err != nil {
		t.Fatalf("the port was not given back: %v", err)
	}
	_ = again.Close()
}
