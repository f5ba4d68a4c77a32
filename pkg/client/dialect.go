// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// ErrBrokersMixed says that brokers of Kafka 0.7 and of a later Kafka are registered side by side; the error around it
// names one of each.
var ErrBrokersMixed = errors.New("give each of the two clusters a chroot of its own, or stop what does not belong")

// errNoTLS is what brokers of Kafka 0.7 cannot do.
var errNoTLS = errors.New(
	"the brokers are of Kafka 0.7, which knows no TLS: leave it out of the cluster's configuration")

// errDialect is why a consumer has not joined its group yet: what it writes there is not the same for every Kafka.
var errDialect = errors.New("which Kafka this is cannot be told before its brokers are registered")

// dialect is which Kafka a broker registered as.
func (b Broker) dialect() layout.Dialect {
	if b.Kafka07 {
		return layout.Kafka07
	}
	return layout.Modern
}

// era is which Kafka a cluster is, as its brokers registered. While none is registered it is what it was.
type era struct {
	dialect layout.Dialect
	known   bool
}

// judge says which Kafka the registered brokers are, given what it was before, and which of them can be talked to.
// Clients, members and positions of the one Kafka mean nothing to the other, so a mix is an error: those that belong
// to what the cluster was before go on.
func (e era) judge(registered map[string]Broker, secure bool) (map[string]Broker, era, error) {
	kinds := map[layout.Dialect]Broker{}
	for _, id := range slices.SortedFunc(maps.Values(registered), compareBrokers) {
		if _, seen := kinds[id.dialect()]; !seen {
			kinds[id.dialect()] = id
		}
	}
	if len(kinds) == 0 {
		return registered, e, nil
	}
	if len(kinds) > 1 {
		return e.those(registered), e, errMixed(kinds[layout.Kafka07], kinds[layout.Modern])
	}
	_, old := kinds[layout.Kafka07]
	now := era{known: true}
	if old {
		now.dialect = layout.Kafka07
	}
	if old && secure {
		return map[string]Broker{}, now, errNoTLS
	}
	return registered, now, nil
}

// those are the brokers of this era; none while it is unknown.
func (e era) those(registered map[string]Broker) map[string]Broker {
	left := map[string]Broker{}
	for id, broker := range registered {
		if e.known && broker.dialect() == e.dialect {
			left[id] = broker
		}
	}
	return left
}

func errMixed(old, modern Broker) error {
	return fmt.Errorf("broker %s is of %s and broker %s of %s, and both are registered here: %w",
		old.ID, old.dialect(), modern.ID, modern.dialect(), ErrBrokersMixed)
}

func (d directory) kafkaNow() era {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kafka
}

// become notes which Kafka this is. The caller holds mu, and announces it.
func (d directory) become(now era) {
	if now == d.kafka {
		return
	}
	if d.kafka.known {
		d.logger.Warn("Brokers of another Kafka", "before", d.kafka.dialect, "now", now.dialect)
	}
	d.kafka = now
	clear(d.topics) // partitions of the one are none of the other
}

// era says which Kafka this is, and whether that is known.
func (d directory) era() (layout.Dialect, bool) {
	now := d.kafkaNow()
	return now.dialect, now.known
}

// reachable are the live brokers, and which Kafka they are.
func (d directory) reachable() (map[string]Broker, layout.Dialect) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live, d.kafka.dialect
}

// dialect waits until it is known which Kafka this is; if ctx ends first, it says why it is not.
func (d directory) dialect(ctx context.Context) (layout.Dialect, error) {
	if dialect, known := d.era(); known {
		return dialect, nil
	}
	if err := d.wait(ctx); err != nil {
		return 0, err
	}
	dialect, _ := d.era()
	return dialect, nil
}
