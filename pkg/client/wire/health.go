// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// health watches the connections for fetching. franz-go retries a broker that does not answer without telling, so a
// hook is the only place to learn it from.
type health struct {
	wake *waker
	// changed says that the state is another than at the last look.
	changed atomic.Bool
	// mu guards failing. Hooks run on franz-go's goroutines.
	mu      sync.Mutex
	failing map[int32]failure
}

// failure is what the requests to a broker end with, since when none was answered.
type failure struct {
	err error
	// times is how many did, in a row.
	times int
}

// Connections break: by idling, by restarts, and whenever franz-go withdraws a fetch, as it does for each change of
// partitions. From the third failure in a row on it is the broker's.
const brokenConnections = 3

// serious says whether a failure is worth telling.
func (f failure) serious() bool {
	network, ok := errors.AsType[net.Error](f.err)
	refused, isOp := errors.AsType[*net.OpError](f.err)
	return ofTrust(f.err) != nil || f.times >= brokenConnections ||
		ok && network.Timeout() || isOp && refused.Op == dialing
}

var (
	_ kgo.HookBrokerConnect = (*health)(nil)
	_ kgo.HookBrokerE2E     = (*health)(nil)
)

func newHealth(wake *waker) *health {
	return &health{wake: wake, failing: make(map[int32]failure)}
}

// OnBrokerConnect implements kgo.HookBrokerConnect. A connection that stands proves nothing yet: an answer does.
func (h *health) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		h.note(meta.NodeID, err)
	}
}

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (h *health) OnBrokerE2E(meta kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	// Seeds (their ids are negative) are asked for metadata only, other brokers are judged by fetches.
	if key == kmsg.Fetch.Int16() || meta.NodeID < 0 {
		h.note(meta.NodeID, e2e.Err())
	}
}

func (h *health) note(node int32, err error) {
	// Withdrawn by ourselves: says nothing about the broker.
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	err = explain(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.failing[node]
	if err == nil && before.err == nil {
		return
	}
	after := failure{err: err, times: before.times + 1}
	if err == nil {
		delete(h.failing, node)
		after = failure{}
	} else {
		h.failing[node] = after
	}
	if before.serious() == after.serious() && kind(before.err) == kind(after.err) {
		return
	}
	h.changed.Store(true)
	h.wake.wake()
}

// look gives the brokers whose fetches fail.
func (h *health) look() map[int32]error {
	h.mu.Lock()
	defer h.mu.Unlock()
	result := make(map[int32]error, len(h.failing))
	for node, failing := range h.failing {
		if failing.serious() {
			result[node] = failing.err
		}
	}
	return result
}

// seedError is why the addresses to begin with do not answer; nil as soon as one does.
func (h *health) seedError() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var failures []error
	for node, failing := range h.failing {
		if node < 0 {
			failures = append(failures, failing.err)
		}
	}
	return errors.Join(distinct(failures)...)
}
