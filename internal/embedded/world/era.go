// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"cmp"
	"fmt"
)

// Era is which Kafka a world has.
type Era string

// The eras, by what they are called on a command line.
const (
	// Modern is Kafka as it is today, with what 0.8 and later registered in ZooKeeper.
	Modern Era = "modern"
	// Era07 is Kafka 0.7.
	Era07 Era = "0.7"
)

// ParseEra reads the name of one; empty is Modern.
func ParseEra(name string) (Era, error) {
	switch era := Era(cmp.Or(name, string(Modern))); era {
	case Modern, Era07:
		return era, nil
	default:
		return "", fmt.Errorf("there is no Kafka %q here: give %s or %s", name, Modern, Era07)
	}
}
