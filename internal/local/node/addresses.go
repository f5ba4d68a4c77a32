// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"sync"
)

const (
	// claimPort is held at the range's own address by whoever has the range, for the proxy. Any will do, as long as all
	// worlds use the same; it lies below the ports that the kernel gives to outgoing connections (from 32768).
	claimPort = 28079
	// Ranges are 127.X.0.0/16 with X from 16 on, so that addresses which people use by hand stay free.
	firstRange, ranges = 16, 224
)

// addresses are those of one node's pods, each given to one at a time. Safe for concurrent use.
type addresses struct {
	node  netip.Addr
	claim net.Listener

	// mu protects what follows.
	mu   sync.Mutex
	used map[netip.Addr]bool
	next netip.Addr
}

// claimAddresses takes a range that no other node of this machine has, the same one as last time for the same seed if
// it is free. Close gives it back.
func claimAddresses(ctx context.Context, seed string) (*addresses, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(seed))
	first := h.Sum32() % ranges
	var last error
	for i := range uint32(ranges) {
		octet := byte(firstRange + (first+i)%ranges) //nolint:gosec // below 240
		own := netip.AddrFrom4([4]byte{127, octet, 0, 1})
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", netip.AddrPortFrom(own, claimPort).String())
		if err == nil {
			return &addresses{node: own, claim: listener, used: map[netip.Addr]bool{}, next: own.Next()}, nil
		}
		last = err
		if errors.Is(err, context.Canceled) {
			break
		}
	}
	return nil, fmt.Errorf("no range of addresses is free in 127.0.0.0/8; only Linux has them all (last try: %w)", last)
}

// take gives an address. The one that was free longest comes first, so that nobody mistakes a new pod for an old one.
func (a *addresses) take() (netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range 1<<16 - 3 { // without the network's own, the node's, and broadcast
		address := a.next
		if a.next = address.Next(); a.next.As4()[2] == 255 && a.next.As4()[3] == 255 {
			a.next = a.node.Next()
		}
		if !a.used[address] {
			a.used[address] = true
			return address, nil
		}
	}
	return netip.Addr{}, errors.New("all addresses of the node are in use")
}

func (a *addresses) give(address netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.used, address)
}

func (a *addresses) close() error { return a.claim.Close() }
