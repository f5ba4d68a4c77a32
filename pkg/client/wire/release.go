// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Release is the Kafka that brokers are spoken to as, where they cannot say themselves what they understand. Those
// before 0.10 cannot: they hang up when they are asked.
type Release uint8

// The releases.
const (
	// Negotiated is that of brokers that say what they understand.
	Negotiated Release = iota
	// Kafka08 is Kafka 0.8.2 and, in what samsa asks for, 0.8.1 and 0.8.0.
	Kafka08
	// Kafka09 is Kafka 0.9.
	Kafka09
)

// String gives the release as a version; empty for Negotiated.
func (r Release) String() string {
	switch r {
	case Kafka08:
		return "0.8"
	case Kafka09:
		return "0.9"
	case Negotiated:
	}
	return ""
}

// options keep franz-go from asking what such brokers do not understand.
func (r Release) options() []kgo.Opt {
	switch r {
	case Kafka08:
		return []kgo.Opt{kgo.MaxVersions(kversion.V0_8_2())}
	case Kafka09:
		return []kgo.Opt{kgo.MaxVersions(kversion.V0_9_0())}
	case Negotiated:
	}
	return nil
}
