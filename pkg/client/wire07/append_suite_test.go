// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// startBroker runs a broker that shows at once what it was sent, for one spec.
func startBroker(ctx context.Context, config kafka07.Config) *kafka07.Broker {
	GinkgoHelper()
	config.FlushMessages = 1
	broker, err := kafka07.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(broker.Close)
	return broker
}

// openTransport is to broker 1 there, unless the configuration has brokers.
func openTransport(address string, config wire07.Config) *wire07.Transport {
	GinkgoHelper()
	if config.Brokers == nil {
		config.Brokers = map[string]string{"1": address}
	}
	transport, err := wire07.Open(config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(transport.Close)
	return transport
}

// on names a partition of the topic that all specs of appending are about.
func on(broker, number int) kafka.Partition {
	return kafka.Partition{Topic: "orders", ID: strconv.Itoa(broker) + "-" + strconv.Itoa(number)}
}

func values(list ...string) []kafka.Message {
	messages := make([]kafka.Message, len(list))
	for i, value := range list {
		messages[i].Value = []byte(value)
	}
	return messages
}

// stored are the messages that a broker has in a partition, those inside wrappers too.
func stored(broker *kafka07.Broker, number int32) []string {
	GinkgoHelper()
	list := []string{}
	for _, segment := range broker.Segments("orders", number) {
		var it protocol.Iterator
		for it.Reset(segment.Data, segment.Start); it.Next(); {
			list = append(list, string(it.Message().Payload))
		}
		Expect(it.Err()).NotTo(HaveOccurred())
	}
	return list
}

// sizes are those of the outer messages' payloads in a partition.
func sizes(broker *kafka07.Broker, number int32) []int {
	GinkgoHelper()
	var list []int
	for _, segment := range broker.Segments("orders", number) {
		it := protocol.Iterator{Shallow: true}
		for it.Reset(segment.Data, segment.Start); it.Next(); {
			list = append(list, len(it.Message().Payload))
		}
		Expect(it.Err()).NotTo(HaveOccurred())
	}
	return list
}

// tap watches the connections of a transport.
type tap struct {
	// hold keeps writes back while it is open; nil does not.
	hold chan struct{}

	dials, closes, written atomic.Int64
}

func (t *tap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	t.dials.Add(1)
	ended := make(chan struct{})
	return &tapped{Conn: conn, tap: t, ended: ended, end: sync.OnceFunc(func() {
		t.closes.Add(1)
		close(ended)
	})}, nil
}

type tapped struct {
	net.Conn
	tap   *tap
	ended chan struct{}
	end   func()
}

func (c *tapped) Write(p []byte) (int, error) {
	if c.tap.hold != nil {
		select {
		case <-c.tap.hold:
		case <-c.ended:
			return 0, net.ErrClosed
		}
	}
	n, err := c.Conn.Write(p)
	c.tap.written.Add(int64(n))
	return n, err
}

func (c *tapped) Close() error {
	c.end()
	return c.Conn.Close()
}

// outcome is what an Append that runs by itself came to.
type outcome struct{ Err error }

// appending runs an Append by itself.
func appending(
	ctx context.Context, transport *wire07.Transport, to kafka.Partition, messages []kafka.Message,
) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		_, err := transport.Append(ctx, to, messages)
		done <- outcome{err}
	}()
	return done
}

// beRefused is for errors that say that nothing was written.
func beRefused() OmegaMatcher {
	return BeAssignableToTypeOf(&kafka.Refused{})
}

// beUnknown is for errors that leave open whether something was written.
func beUnknown() OmegaMatcher {
	return And(Not(beRefused()), MatchError(ContainSubstring("unknown whether they were written")))
}
