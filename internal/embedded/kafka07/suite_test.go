// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

func TestKafka07(t *testing.T) {
	leaks := []goleak.Option{
		goleak.IgnoreCurrent(),
		// Ginkgo's own, which it leaves behind.
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "Embedded Kafka 0.7")
	goleak.VerifyNone(t, leaks...)
}

// recordedAt is when the broker was recorded; some of its requests ask for times around it.
var recordedAt = time.UnixMilli(0x1a2037de49c - 1000)

// start runs a broker for one spec.
func start(ctx SpecContext, config kafka07.Config) *kafka07.Broker {
	GinkgoHelper()
	broker, err := kafka07.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(broker.Close)
	return broker
}

// frozen is a clock that moves when it is told to.
func frozen() *zookeeper.ManualClock { return zookeeper.NewManualClock(recordedAt) }

// client is one connection.
type client struct{ net.Conn }

func dial(ctx SpecContext, broker *kafka07.Broker) client {
	GinkgoHelper()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", broker.Addr())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = conn.Close() })
	Expect(conn.SetDeadline(time.Now().Add(10 * time.Second))).To(Succeed())
	return client{conn}
}

func (c client) send(requests ...protocol.Request) {
	GinkgoHelper()
	var frames []byte
	for _, request := range requests {
		frames = request.AppendTo(frames)
	}
	_, err := c.Write(frames)
	Expect(err).NotTo(HaveOccurred())
}

// body reads one answer, without its size.
func (c client) body() ([]byte, error) {
	head := make([]byte, protocol.SizeBytes)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	size, err := protocol.FrameSize(head, 100<<20)
	if err != nil {
		return nil, err
	}
	body := make([]byte, size)
	_, err = io.ReadFull(c, body)
	return body, err
}

func (c client) offsets(topic string, partition int32, at int64, most int32) []int64 {
	GinkgoHelper()
	c.send(&protocol.OffsetsRequest{Topic: topic, Partition: partition, Time: at, MaxOffsets: most})
	body, err := c.body()
	Expect(err).NotTo(HaveOccurred())
	var response protocol.OffsetsResponse
	Expect(response.Decode(body)).To(Succeed())
	return response.Offsets
}

func (c client) end(topic string) []int64 {
	GinkgoHelper()
	return c.offsets(topic, 0, protocol.LatestTime, 1)
}

func (c client) fetch(topic string, offset int64, size int32) protocol.FetchResponse {
	GinkgoHelper()
	c.send(&protocol.FetchRequest{Topic: topic, Offset: offset, MaxSize: size})
	body, err := c.body()
	Expect(err).NotTo(HaveOccurred())
	var response protocol.FetchResponse
	Expect(response.Decode(body)).To(Succeed())
	return response
}

// payloads are those of a fetch of everything that one segment has from a position on.
func (c client) payloads(topic string, offset int64) []string {
	GinkgoHelper()
	response := c.fetch(topic, offset, 1<<20)
	Expect(response.Code).To(Equal(protocol.None))
	var it protocol.Iterator
	it.Reset(response.Set, offset)
	list := []string{}
	for it.Next() {
		list = append(list, string(it.Message().Payload))
	}
	Expect(it.Err()).NotTo(HaveOccurred())
	return list
}

// expectEnd waits until the broker has closed the connection, in whatever way.
func (c client) expectEnd() {
	GinkgoHelper()
	_, err := c.body()
	Expect(err).To(HaveOccurred())
	Expect(errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)).To(BeTrue(), "got %v", err)
}

func set(payloads ...string) []byte {
	var made []byte
	for _, payload := range payloads {
		made = protocol.AppendMessage(made, []byte(payload))
	}
	return made
}

func produce(topic string, payloads ...string) *protocol.ProduceRequest {
	return &protocol.ProduceRequest{Topic: topic, Set: set(payloads...)}
}

// recording reads what was recorded from a broker of Kafka 0.7.2.
func recording(path ...string) []byte {
	GinkgoHelper()
	data, err := os.ReadFile(filepath.Join(append([]string{"../../../pkg/protocol/testdata"}, path...)...))
	Expect(err).NotTo(HaveOccurred())
	return data
}

func parseJSON(data []byte, into any) {
	GinkgoHelper()
	Expect(json.Unmarshal(data, into)).To(Succeed())
}

func readFile(path ...string) []byte {
	GinkgoHelper()
	data, err := os.ReadFile(filepath.Join(path...))
	Expect(err).NotTo(HaveOccurred())
	return data
}

func writeFile(data []byte, path ...string) {
	GinkgoHelper()
	Expect(os.WriteFile(filepath.Join(path...), data, 0o600)).To(Succeed())
}
