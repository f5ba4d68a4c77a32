// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// partition is the only one.
var partition = kafka.Partition{Topic: topic, ID: "0"}

// counter counts the connections that are attempted.
type counter struct{ dialed atomic.Int64 }

func (c *counter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.dialed.Add(1)
	return new(net.Dialer).DialContext(ctx, network, address)
}

func secured(source secure.Source) *tls.Config {
	GinkgoHelper()
	config, err := secure.Config("", source, nil)
	Expect(err).NotTo(HaveOccurred())
	return config
}

// connect opens a transport that is closed with the spec.
func connect(config wire.Config) *wire.Transport {
	GinkgoHelper()
	transport, err := wire.Open(config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(transport.Close)
	return transport
}

// roundTrip writes a message and reads it again.
func roundTrip(ctx context.Context, config wire.Config) {
	GinkgoHelper()
	transport := connect(config)
	text := fmt.Sprintf("there and back at %s", time.Now())
	offset, err := transport.Append(ctx, partition, []kafka.Message{{Value: []byte(text)}})
	Expect(err).NotTo(HaveOccurred())
	r := newReader(transport, offset)
	Eventually(ctx, r.poll).Should(Equal([]string{text}))
}

// reader reads on and on, and keeps what it gets.
type reader struct {
	transport *wire.Transport
	values    []string
	errs      []error
}

func newReader(transport *wire.Transport, from int64) *reader {
	transport.Add(map[kafka.Partition]int64{partition: from})
	return &reader{transport: transport}
}

// poll takes what comes within a moment, and gives all that came so far.
func (r *reader) poll(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	for _, fetch := range r.transport.Poll(ctx) {
		for i := range fetch.Batch.Len() {
			r.values = append(r.values, string(fetch.Batch.Message(i).Value))
		}
		if fetch.Err != nil {
			r.errs = append(r.errs, fetch.Err)
			Expect(fetch.Stopped).To(BeFalse(), "%v", fetch.Err)
		}
	}
	return r.values
}

// token is a JSON Web Token that nobody signed, as Kafka's validator for tests takes.
func token(subject string, lifetime time.Duration) string {
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now()
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, now.Add(-time.Second).Unix(), now.Add(lifetime).Unix())
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(claims)) + "."
}
