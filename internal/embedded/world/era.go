// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

// Era is which Kafka a world has.
type Era string

// The eras, by what they are called on a command line.
const (
	// Modern is Kafka as it is today, with what 0.8 and later registered in ZooKeeper.
	Modern Era = "modern"
	// Era07 is Kafka 0.7.
	Era07 Era = "0.7"
	// Era39 is a real Kafka 3.9, the last with a ZooKeeper, and Era4 a real Kafka 4, which knows none. Both need Java.
	Era39 Era = "3.9"
	Era4  Era = "4"
)

var eras = [...]Era{Modern, Era07, Era39, Era4}

// ParseEra reads the name of one; empty is Modern.
func ParseEra(name string) (Era, error) {
	era := Era(cmp.Or(name, string(Modern)))
	if slices.Contains(eras[:], era) {
		return era, nil
	}
	var names []string
	for _, known := range eras {
		names = append(names, string(known))
	}
	last := len(names) - 1
	return "", fmt.Errorf("there is no Kafka %q here: give %s or %s", name, strings.Join(names[:last], ", "), names[last])
}

// Real reports whether its brokers are real ones, child processes; the others live in the process of the world.
func (e Era) Real() bool { return e == Era39 || e == Era4 }

// ZooKeeper reports whether its brokers are registered in a ZooKeeper.
func (e Era) ZooKeeper() bool { return e != Era4 }

// Available says why such a world cannot be run here, and what to do about it; nil if it can. It starts nothing.
func (e Era) Available() error {
	if !e.Real() {
		return nil
	}
	return realkafka.Available(string(e))
}
