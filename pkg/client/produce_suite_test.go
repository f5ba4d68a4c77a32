// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// producing makes a producer that is closed with the spec.
func producing(cluster *client.Cluster, topic string, config client.ProducerConfig) *client.Producer {
	GinkgoHelper()
	producer, err := cluster.Topic(topic).Producer(config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(producer.Close)
	return producer
}

// ended is the outcome of a message.
type ended struct {
	client.Produced
	Err error
}

// produce hands a message over; its outcome comes.
func produce(ctx context.Context, producer *client.Producer, message kafka.Message) <-chan ended {
	outcome := make(chan ended, 1)
	producer.Produce(ctx, message, func(produced client.Produced, err error) { outcome <- ended{produced, err} })
	return outcome
}

// produced waits for the outcome.
func produced(ctx context.Context, producer *client.Producer, message kafka.Message) (client.Produced, error) {
	GinkgoHelper()
	var outcome ended
	Eventually(ctx, produce(ctx, producer, message)).Should(Receive(&outcome))
	return outcome.Produced, outcome.Err
}

// beRefused is the matcher of what was certainly not written, for a cause.
func beRefused(cause error) OmegaMatcher {
	return WithTransform(func(err error) bool {
		_, refused := errors.AsType[*kafka.Refused](err)
		return refused && errors.Is(err, cause)
	}, BeTrue())
}

// ledger is what many producers were told of their messages, by value.
type ledger struct {
	mu       sync.Mutex
	written  map[string]client.Produced
	refused  map[string]error
	unknown  map[string]error
	outcomes atomic.Int64
	wins     atomic.Int64
}

func newLedger() *ledger {
	return &ledger{written: map[string]client.Produced{}, refused: map[string]error{}, unknown: map[string]error{}}
}

func (l *ledger) note(value string, produced client.Produced, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes.Add(1)
	_, refused := errors.AsType[*kafka.Refused](err)
	switch {
	case err == nil:
		l.written[value] = produced
		l.wins.Add(1)
	case refused:
		l.refused[value] = err
	default:
		l.unknown[value] = err
	}
}

// work produces one message after the other until ctx ends.
func (l *ledger) work(ctx context.Context, producer *client.Producer, name string, key []byte) {
	for i := 0; ctx.Err() == nil; i++ {
		value := fmt.Sprintf("%s %d", name, i)
		outcome := make(chan struct{})
		producer.Produce(context.WithoutCancel(ctx), kafka.Message{Key: key, Value: []byte(value)},
			func(produced client.Produced, err error) {
				l.note(value, produced, err)
				close(outcome)
			})
		<-outcome
	}
}

// check compares with what a topic holds: partitions by value.
func (l *ledger) check(topic map[string][]string, least int) {
	GinkgoHelper()
	AddReportEntry("outcomes", fmt.Sprintf(
		"%d written, %d refused, %d unknown", len(l.written), len(l.refused), len(l.unknown)))
	for value, produced := range l.written {
		if at := topic[value]; len(at) < 1 || least == 1 && (len(at) != 1 || at[0] != produced.Partition.ID) {
			Fail(fmt.Sprintf("%q succeeded in %s and is in %q", value, produced.Partition, at))
		}
	}
	for value, err := range l.refused {
		if at := topic[value]; len(at) > 0 {
			Fail(fmt.Sprintf("%q was refused and is in %q: %v", value, at, err))
		}
	}
	for value := range l.unknown {
		if at := topic[value]; len(at) > 1 {
			Fail(fmt.Sprintf("%q may have been written, but not twice: %q", value, at))
		}
	}
}

// contents are the partitions in which each value of a topic is.
func contents(ctx context.Context, w *world.World, topic string) map[string][]string {
	GinkgoHelper()
	ends, total := map[string]int64{}, int64(0)
	offsets := map[int32]kgo.Offset{}
	for number, name := range w.Brokers().Partitions(topic) {
		ends[name] = w.Brokers().End(kafka.Partition{Topic: topic, ID: name})
		total += ends[name]
		offsets[int32(number)] = kgo.NewOffset().AtStart() //nolint:gosec // a handful
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(w.Brokers().Addrs()...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}))
	Expect(err).NotTo(HaveOccurred())
	defer reader.Close()
	held := map[string][]string{}
	for n := int64(0); n < total; {
		fetches := reader.PollFetches(ctx)
		Expect(ctx.Err()).NotTo(HaveOccurred())
		fetches.EachRecord(func(record *kgo.Record) {
			held[string(record.Value)] = append(held[string(record.Value)], fmt.Sprint(record.Partition))
			n++
		})
	}
	return held
}
