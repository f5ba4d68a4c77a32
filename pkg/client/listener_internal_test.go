// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/tls"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

func TestTheListenerFitsTheConfiguration(t *testing.T) {
	all := layout.BrokerRegistration{Host: "k", Port: 1, Endpoints: []layout.Endpoint{
		{Protocol: "PLAINTEXT", Host: "k", Port: 1}, {Protocol: "SSL", Host: "k", Port: 2},
		{Protocol: "SASL_PLAINTEXT", Host: "k", Port: 3}, {Protocol: "SASL_SSL", Host: "k", Port: 4},
		{Protocol: "SASL_SSL", Host: "k", Port: 5},
	}}
	none := layout.BrokerRegistration{Host: "k", Port: 1}
	secure, known := new(tls.Config), new(wire.SASL)
	for want, config := range map[string]Config{
		"k:1": {}, "k:2": {BrokerTLS: secure}, "k:3": {SASL: known}, "k:4": {BrokerTLS: secure, SASL: known},
	} {
		if got := addressFor(all, config.protocol()); got != want {
			t.Errorf("%s: got %s, want %s", config.protocol(), got, want)
		}
		if got := addressFor(none, config.protocol()); got != "k:1" {
			t.Errorf("%s: got %s without endpoints", config.protocol(), got)
		}
	}
}
