// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

func benchmarkMessage() kafka.Message {
	return kafka.Message{
		Partition: orders, Offset: 123456, Next: 123457, Key: []byte("customer-17"),
		Timestamp: time.UnixMilli(1_700_000_000_000), Value: bytes.Repeat([]byte("x"), 1<<10),
		Headers: []kafka.Header{{Key: "trace", Value: []byte("abc")}},
	}
}

func benchmarkServer(b *testing.B) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	b.Cleanup(server.Close)
	return server
}

// BenchmarkDeliver and BenchmarkBare are to be compared: what the sink adds to the least that net/http can be asked for
// with the same headers: a request with its timeout.
func BenchmarkDeliver(b *testing.B) {
	for _, format := range []Format{Raw, CloudEventsBinary} {
		b.Run(format.String(), func(b *testing.B) {
			s, err := New(Config{URL: benchmarkServer(b).URL, Format: format})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			batch := kafka.NewBatch(orders, kafka.Messages{benchmarkMessage()})
			results := make([]sink.Result, 1)
			b.ReportAllocs()
			for b.Loop() {
				results[0] = sink.Result{}
				s.Deliver(b.Context(), claim, batch, results)
				if results[0].Outcome != sink.Done {
					b.Fatal(results[0].Err)
				}
			}
		})
	}
}

func BenchmarkBare(b *testing.B) {
	server := benchmarkServer(b)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	message := benchmarkMessage()
	a := newAttempt()
	a.begin(time.Hour)
	defer a.end()
	s, err := New(Config{URL: server.URL})
	if err != nil {
		b.Fatal(err)
	}
	s.encoder.encode(a, claim, message)
	b.ReportAllocs()
	for b.Loop() {
		if err := bare(b.Context(), client, server.URL, a.header, message.Value); err != nil {
			b.Fatal(err)
		}
	}
}

func bare(ctx context.Context, client *http.Client, address string, header http.Header, value []byte) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(value))
	if err != nil {
		return err
	}
	request.Header = header
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func BenchmarkEncode(b *testing.B) {
	s, err := New(Config{URL: "http://sink.test/"})
	if err != nil {
		b.Fatal(err)
	}
	a, message := newAttempt(), benchmarkMessage()
	defer a.end()
	b.ReportAllocs()
	for b.Loop() {
		a.begin(time.Hour)
		s.encoder.encode(a, claim, message)
	}
}
