// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

const (
	loopback = "127.0.0.1"
	// controller is the name of the listener between KRaft's controllers.
	controller = "CONTROLLER"
	// Ports are taken from below those that Linux gives to outgoing connections (from 32768 on): a broker that is down
	// must not find its port taken by a connection when it comes back. 11,000 of them: of two that pick 10 each at the
	// same moment, one in a hundred meets.
	firstPort, ports = 21000, 11000
	// portTries is far more than it takes to meet a free one.
	portTries = 1000
)

// freePort picks one that nobody listens on. Should another process take it before the broker does, the start fails and
// the log says so.
func freePort(ctx context.Context, taken map[int]bool) (int, error) {
	var listen net.ListenConfig
	for range portTries {
		port := firstPort + rand.IntN(ports) //nolint:gosec // any port will do
		if taken[port] {
			continue
		}
		listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
		if err != nil {
			continue
		}
		taken[port] = true
		return port, listener.Close()
	}
	return 0, fmt.Errorf("no free port for a broker between %d and %d on %s", firstPort, firstPort+ports, loopback)
}
