// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import "strings"

// Unit is what positions count.
type Unit string

// What positions may count.
const (
	Messages Unit = "Messages"
	// Bytes is the unit of Kafka 0.7, whose positions are places in a file.
	Bytes Unit = "Bytes"
)

// UnitOf is the unit of a partition's positions, by its name: those of Kafka 0.7 are <broker>-<number>, later ones are
// numbers.
func UnitOf(partition string) Unit {
	if strings.Contains(partition, "-") {
		return Bytes
	}
	return Messages
}
