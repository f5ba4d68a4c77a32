// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
)

const (
	loopback = "127.0.0.1"
	// controller is the name of the listener between KRaft's controllers.
	controller = "CONTROLLER"
	// Ports are taken from below those that Linux gives to outgoing connections (from 32768 on): a broker that is down
	// must not find its port taken by a connection when it comes back. 11,000 of them are enough for all that run at once.
	firstPort, ports = 21000, 11000
	// portTries is far more than it takes to meet a free one.
	portTries = 1000
)

// freePort picks one that nobody listens on, but for the one that is meant for somebody, and claims it: until that is
// closed no other cluster picks it, though the broker may be down. The claim is the same number among UDP's ports, for
// which brokers have no use: it goes with its process, leaves no file behind, and knows no TIME_WAIT.
func freePort(ctx context.Context, meant int) (port int, claim io.Closer, err error) {
	var listen net.ListenConfig
	for range portTries {
		port := firstPort + rand.IntN(ports) //nolint:gosec // any port will do
		if port == meant {
			continue
		}
		address := net.JoinHostPort(loopback, strconv.Itoa(port))
		claim, err := listen.ListenPacket(ctx, "udp", address)
		if err != nil {
			continue
		}
		listener, err := listen.Listen(ctx, "tcp", address)
		if err != nil {
			_ = claim.Close()
			continue
		}
		return port, claim, listener.Close()
	}
	return 0, nil, fmt.Errorf("no free port for a broker between %d and %d on %s", firstPort, firstPort+ports, loopback)
}
