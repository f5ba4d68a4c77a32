// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// begin is where to start reading: at a place, at one position, or at a position in each of some partitions.
type begin struct {
	place *kafka.Place
	// position is one that stands by itself, -1 if none does.
	position int64
	// positions are those of partitions, by id.
	positions map[string]int64
}

// parseBegin reads earliest, latest, 42, or 0=42,3=7.
func parseBegin(text string) (begin, error) {
	wrong := fmt.Errorf("%q is no place to begin; use earliest, latest, a position as in 42, "+
		"or positions in partitions as in 0=42,3=7", text)
	b := begin{position: -1}
	switch text {
	case "earliest":
		place := kafka.Earliest()
		b.place = &place
		return b, nil
	case "latest":
		place := kafka.Latest()
		b.place = &place
		return b, nil
	}
	if !strings.Contains(text, "=") {
		position, err := parsePosition(text)
		if err != nil {
			return begin{}, wrong
		}
		b.position = position
		return b, nil
	}
	b.positions = map[string]int64{}
	for part := range strings.SplitSeq(text, ",") {
		id, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		position, err := parsePosition(number)
		if _, twice := b.positions[id]; err != nil || id == "" || twice {
			return begin{}, wrong
		}
		b.positions[id] = position
	}
	return b, nil
}

// parsePosition reads digits alone: -1 and -2 mean places to some tools of Kafka, and nothing here.
func parsePosition(text string) (int64, error) {
	position, err := strconv.ParseUint(text, 10, 63)
	return int64(position), err //nolint:gosec // of 63 bits
}

// in gives the positions of a topic's partitions, of those that are to be read.
func (b begin) in(topic string, partitions []kafka.Partition) (positions, error) {
	found := positions{}
	if b.position >= 0 {
		if len(partitions) > 1 {
			return nil, usage("--from: topic %s has %s: say which to read, as in --from %s=%d",
				topic, count(len(partitions), "partition"), partitions[0].ID, b.position)
		}
		for _, p := range partitions {
			found[p] = b.position
		}
		return found, nil
	}
	known := map[string]kafka.Partition{}
	ids := make([]string, len(partitions))
	for i, p := range partitions {
		known[p.ID], ids[i] = p, p.ID
	}
	for id, position := range b.positions {
		p, ok := known[id]
		if !ok {
			return nil, usage("--from: topic %s has no partition %s; it has %s", topic, id, strings.Join(ids, ", "))
		}
		found[p] = position
	}
	return found, nil
}
