// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka

import "fmt"

// Compression is how messages are compressed before they are sent. The zero value compresses nothing.
type Compression uint8

// The compressions that every Kafka knows.
const (
	Uncompressed Compression = iota
	Gzip
	Snappy
)

// String gives the name as Kafka's own configuration has it.
func (c Compression) String() string {
	switch c {
	case Uncompressed:
		return "none"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	}
	return fmt.Sprintf("compression %d", uint8(c))
}

// ParseCompression reads the name of one: none, gzip or snappy.
func ParseCompression(name string) (Compression, error) {
	for _, c := range []Compression{Uncompressed, Gzip, Snappy} {
		if name == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("compression %q: want none, gzip or snappy", name)
}
