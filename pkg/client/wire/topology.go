// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Topology implements dispatch.Outlet; the caller says what keys mean.
func (w *Writer) Topology(ctx context.Context) (dispatch.Topology, error) {
	metadata, err := w.metadata(ctx)
	if err != nil {
		return dispatch.Topology{}, explain(err)
	}
	if len(metadata.Topics) != 1 {
		return dispatch.Topology{}, errNoAnswer
	}
	topic := &metadata.Topics[0]
	if err := topicError(kerr.ErrorForCode(topic.ErrorCode)); err != nil {
		return dispatch.Topology{}, err
	}
	w.topicID.Store(&topic.TopicID)
	places := make([]dispatch.Place, len(topic.Partitions))
	for i := range topic.Partitions {
		at := &topic.Partitions[i]
		if int(at.Partition) < 0 || int(at.Partition) >= len(places) {
			return dispatch.Topology{}, fmt.Errorf("metadata: partition %d of %d", at.Partition, len(places))
		}
		places[at.Partition] = dispatch.Place{ID: strconv.Itoa(int(at.Partition))}
		if at.Leader >= 0 {
			places[at.Partition].Broker = strconv.Itoa(int(at.Leader))
		}
	}
	return dispatch.Topology{Places: places, Repeatable: true}, nil
}

func topicError(code error) error {
	switch {
	case code == nil:
		return nil
	case isAny(code, kerr.UnknownTopicOrPartition, kerr.InvalidTopicException, kerr.UnknownTopicID):
		return fmt.Errorf("%w: %w", kafka.ErrNoTopic, code)
	case isAny(code, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed):
		return fmt.Errorf("%w: %w", kafka.ErrDenied, code)
	}
	return code
}

// metadata asks a broker, and another beside it where it does not answer soon.
func (w *Writer) metadata(ctx context.Context) (*kmsg.MetadataResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		metadata *kmsg.MetadataResponse
		err      error
	}
	results := make(chan result, metadataHedges)
	begin := func() {
		w.running.Go(func() {
			metadata, err := metadataRequest([]string{w.config.Topic}).RequestWith(ctx, w.client)
			results <- result{metadata, err}
		})
	}
	begin()
	hedge := time.NewTicker(hedgeAfter)
	defer hedge.Stop()
	for begun, ended := 1, 0; ; {
		select {
		case r := <-results:
			if ended++; r.err == nil || ended == begun {
				return r.metadata, r.err
			}
		case <-hedge.C:
			if begun < metadataHedges {
				begun++
				begin()
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Negotiates reports whether the brokers recognize batches that are repeated, as those from Kafka 0.11 on do.
func (w *Writer) Negotiates(ctx context.Context) (bool, error) {
	answer, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, w.client)
	if err != nil {
		return false, explain(err)
	}
	var recognizes, batches bool
	for _, key := range answer.ApiKeys {
		recognizes = recognizes || key.ApiKey == kmsg.InitProducerID.Int16()
		batches = batches || key.ApiKey == kmsg.Produce.Int16() && key.MaxVersion >= oldestBatches
	}
	return recognizes && batches, nil
}
