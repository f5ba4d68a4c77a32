// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// listTries is how often leaders are asked: 0.1 s and 0.2 s apart, which outlasts a leader's move in a cluster that is
	// well. Who asks has a retry of its own, and wants to know of a broker that is gone.
	listTries = 3
	// hedgeAfter is far beyond what a healthy broker takes to answer, and leaves three brokers time to be asked within the
	// second or more that callers have. Of more brokers that hang at once, one that answers is found by the next question.
	hedgeAfter     = 250 * time.Millisecond
	metadataHedges = 3
)

// list asks the leaders for positions: each by itself, so that one that hangs or is gone hides no other's answer.
func (t *Transport) list(ctx context.Context, asked *listing, at int64) {
	for try := 1; ; try++ {
		t.askLeaders(ctx, asked, at, try)
		if try == listTries || !asked.mayPass() {
			return
		}
		select {
		case <-time.After(backoff(try)):
		case <-ctx.Done():
			return
		}
	}
}

// askLeaders asks once for what is open.
func (t *Transport) askLeaders(ctx context.Context, asked *listing, at int64, try int) {
	numbers := asked.numbers(try)
	if len(numbers) == 0 {
		return
	}
	metadata, err := t.metadata(ctx, topicsOf(numbers), try)
	if err != nil {
		asked.failAll(numbers, explain(err))
		return
	}
	byLeader := asked.byLeader(numbers, metadata)
	type result struct {
		answer *kmsg.ListOffsetsResponse
		err    error
	}
	results := make(map[int32]*result, len(byLeader))
	var asking sync.WaitGroup
	for leader, partitions := range byLeader {
		r := &result{}
		results[leader] = r
		asking.Go(func() {
			request := listRequest(partitions, at, asked.hidden)
			r.answer, r.err = ask[*kmsg.ListOffsetsResponse](ctx, t.client.Broker(int(leader)), request)
		})
	}
	asking.Wait() // no longer than ctx: unlike others, these requests end with it
	for leader, r := range results {
		if r.err != nil {
			asked.failAll(byLeader[leader], explain(r.err))
			continue
		}
		asked.read(r.answer, at)
	}
}

func ask[R kmsg.Response](ctx context.Context, broker *kgo.Broker, request kmsg.Request) (R, error) {
	answer, err := broker.Request(ctx, request)
	typed, ok := answer.(R)
	if err == nil && !ok {
		err = errNoAnswer
	}
	return typed, err
}

// metadata says who leads the partitions of topics; what was learned within a second is good enough for the first try.
// Each broker can tell, so where one does not answer soon, another is asked beside it.
func (t *Transport) metadata(ctx context.Context, topics []string, try int) (*kmsg.MetadataResponse, error) {
	maxAge := metadataMinAge
	if try > 1 {
		maxAge = 1 // nanosecond: 0 would mean the default
	}
	type result struct {
		metadata *kmsg.MetadataResponse
		err      error
	}
	results := make(chan result, metadataHedges)
	begin := func() {
		t.spawn(func() {
			metadata, err := t.client.RequestCachedMetadata(ctx, metadataRequest(topics), maxAge)
			results <- result{metadata, err}
		}, func() { results <- result{err: kgo.ErrClientClosed} })
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

func metadataRequest(topics []string) *kmsg.MetadataRequest {
	request := kmsg.NewPtrMetadataRequest()
	request.AllowAutoTopicCreation = false
	for _, topic := range topics {
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = new(topic)
		request.Topics = append(request.Topics, one)
	}
	return request
}

// numbers are the partitions as brokers count them.
type numbers map[kafka.Partition]int32

func topicsOf(partitions numbers) []string {
	topics := make(map[string]struct{})
	for partition := range partitions {
		topics[partition.Topic] = struct{}{}
	}
	return slices.Sorted(maps.Keys(topics))
}

func listRequest(partitions numbers, at int64, hidden bool) *kmsg.ListOffsetsRequest {
	byTopic := make(map[string][]kmsg.ListOffsetsRequestTopicPartition)
	for partition, number := range partitions {
		one := kmsg.NewListOffsetsRequestTopicPartition()
		one.Partition = number
		one.Timestamp = at
		one.MaxNumOffsets = 1
		byTopic[partition.Topic] = append(byTopic[partition.Topic], one)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID = listConsumer
	if hidden {
		request.ReplicaID = listDebugger
	}
	for name, partitions := range byTopic {
		one := kmsg.NewListOffsetsRequestTopic()
		one.Topic = name
		one.Partitions = partitions
		request.Topics = append(request.Topics, one)
	}
	return request
}

// passes says whether a failure may be over in a moment: a leader that moves, a connection that broke.
func passes(err error) bool {
	if answered, retriable := fromBroker(err); answered {
		return retriable
	}
	_, network := errors.AsType[*net.OpError](err)
	return network || errors.Is(err, io.EOF) || kgo.IsRetryableBrokerErr(err)
}

// byLeader says whom to ask for what. A partition that has no leader fails.
func (l *listing) byLeader(partitions numbers, metadata *kmsg.MetadataResponse) map[int32]numbers {
	leaders := make(map[kafka.Partition]int32)
	failures := make(map[string]error)
	for i := range metadata.Topics {
		topic := &metadata.Topics[i]
		if topic.Topic == nil {
			continue
		}
		failures[*topic.Topic] = kerr.ErrorForCode(topic.ErrorCode)
		for j := range topic.Partitions {
			p := &topic.Partitions[j]
			leaders[kafka.Partition{Topic: *topic.Topic, ID: strconv.Itoa(int(p.Partition))}] = p.Leader
		}
	}
	groups := make(map[int32]numbers)
	for partition, number := range partitions {
		leader, exists := leaders[partition]
		switch err := failures[partition.Topic]; {
		case err != nil:
			l.open[partition] = err
		case !exists:
			l.open[partition] = kerr.UnknownTopicOrPartition
		case leader < 0:
			l.open[partition] = kerr.LeaderNotAvailable
		default:
			if groups[leader] == nil {
				groups[leader] = make(numbers)
			}
			groups[leader][partition] = number
		}
	}
	return groups
}
