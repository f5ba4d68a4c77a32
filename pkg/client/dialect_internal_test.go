// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func TestWhichKafkaTheBrokersAre(t *testing.T) {
	old := func(id string) Broker { return Broker{ID: id, Kafka07: true} }
	later := func(id string) Broker { return Broker{ID: id} }
	unknown, is07, isModern := era{}, era{layout.Kafka07, true}, era{layout.Modern, true}
	for name, test := range map[string]struct {
		before     era
		registered []Broker
		secure     bool
		live       string
		now        era
		failure    string
	}{
		"none yet":               {before: unknown, now: unknown},
		"Kafka 0.7":              {before: unknown, registered: []Broker{old("0"), old("1")}, live: "0 1", now: is07},
		"later":                  {before: unknown, registered: []Broker{later("0")}, live: "0", now: isModern},
		"none any more":          {before: is07, now: is07},
		"replaced by a later":    {before: is07, registered: []Broker{later("0")}, live: "0", now: isModern},
		"replaced by an earlier": {before: isModern, registered: []Broker{old("0")}, live: "0", now: is07},
		"a mix": {
			before: unknown, registered: []Broker{later("10"), old("3"), old("20"), later("2")}, now: unknown,
			failure: "broker 3 is of Kafka 0.7 and broker 2 of Kafka 0.8 or later",
		},
		"an intruder": {
			before: is07, registered: []Broker{old("0"), later("1"), old("2")}, live: "0 2", now: is07,
			failure: "broker 0 is of Kafka 0.7 and broker 1 of Kafka 0.8 or later",
		},
		"TLS with Kafka 0.7": {before: unknown, registered: []Broker{old("0")}, secure: true, now: is07, failure: "no TLS"},
		"TLS with later":     {before: unknown, registered: []Broker{later("0")}, secure: true, live: "0", now: isModern},
	} {
		registered := map[string]Broker{}
		for _, broker := range test.registered {
			registered[broker.ID] = broker
		}
		live, now, err := test.before.judge(registered, test.secure)
		if got := strings.Join(slices.Sorted(maps.Keys(live)), " "); got != test.live || now != test.now {
			t.Errorf("%s: got brokers %q of %+v", name, got, now)
		}
		if errors.Is(err, ErrBrokersMixed) != strings.Contains(test.failure, "broker") {
			t.Errorf("%s: got failure %v", name, err)
		}
		if (err == nil) != (test.failure == "") || err != nil && !strings.Contains(err.Error(), test.failure) {
			t.Errorf("%s: got failure %v, want %q", name, err, test.failure)
		}
		if live == nil {
			t.Errorf("%s: nil would mean that nothing was read", name)
		}
	}
}
