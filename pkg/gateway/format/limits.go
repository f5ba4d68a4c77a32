// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// MaxHeaders is how many headers a message may have: a trace, an event's attributes and an application's own are some
	// twenty.
	MaxHeaders = 100
	// MaxHeaderBytes is how many bytes key and headers of a message may have together, before they are encoded. Brokers
	// count them like any other; this is half of what the server reads of a request's header (see gateway.NewServer),
	// which also holds the token and what percent-encoding adds.
	MaxHeaderBytes = 32 << 10
	// maxTimestamp is the last millisecond of the year 9999, which is the last that RFC 3339 can write.
	maxTimestamp = 253_402_300_799_999
)

// headerBytes is what MaxHeaderBytes counts.
func headerBytes(m *kafka.Message) int {
	total := len(m.Key)
	for i := range m.Headers {
		total += len(m.Headers[i].Key) + len(m.Headers[i].Value)
	}
	return total
}

// validPartition takes the names that partitions have: a number, and in Kafka 0.7 two with a hyphen between.
func validPartition(id string) bool {
	digits, parts := 0, 1
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9':
			// Numbers of 32 bits, as they are printed: 007 would be another name of the same partition.
			if digits++; digits > 10 || digits == 2 && id[i-1] == '0' {
				return false
			}
		case c == '-' && parts == 1 && digits > 0:
			parts, digits = 2, 0
		default:
			return false
		}
	}
	return digits > 0
}

func milliseconds(n int64) (time.Time, bool) {
	return time.UnixMilli(n), n >= 0 && n <= maxTimestamp
}

// ValidPartition reports whether a partition may have this name.
func ValidPartition(id string) bool { return validPartition(id) }
