// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ends asks brokers for the ends of a topic's partitions, by their names. Those that nobody tells are missing.
type ends interface {
	read(ctx context.Context, topic string, partitions []string) (map[string]int64, error)
	close()
}

// modernEnds asks with the admin requests of Kafka 0.8 and later.
type modernEnds struct{ admin *kadm.Client }

func newModernEnds(brokers []string) (modernEnds, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ClientID("truth"), kgo.RetryTimeout(patience))
	if err != nil {
		return modernEnds{}, fmt.Errorf("truth: %w", err)
	}
	return modernEnds{kadm.NewClient(client)}, nil
}

func (e modernEnds) close() { e.admin.Close() }

func (e modernEnds) read(ctx context.Context, topic string, _ []string) (map[string]int64, error) {
	asking, cancel := context.WithTimeout(ctx, 2*patience) // a broker that is away takes one; the others are to answer
	defer cancel()
	listed, err := e.admin.ListEndOffsets(asking, topic)
	if err != nil && len(listed) == 0 {
		return nil, fmt.Errorf("ends of %s: %w", topic, err)
	}
	found := map[string]int64{}
	for id, end := range listed[topic] {
		if end.Err == nil {
			found[strconv.Itoa(int(id))] = end.Offset
		}
	}
	return found, nil
}
