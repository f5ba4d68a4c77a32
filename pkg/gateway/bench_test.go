// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// instant is a Producer that has written everything at once.
type instant struct{ offset atomic.Int64 }

func (p *instant) Produce(_ context.Context, _ kafka.Message, done func(client.Produced, error)) {
	done(client.Produced{
		Partition: kafka.Partition{Topic: topic, ID: "0"}, Offset: p.offset.Add(1), Timestamp: theTime(), Held: true,
	}, nil)
}

func benchmarked(b *testing.B) *gateway.Handler {
	handler, err := gateway.New(gateway.Config{Topic: topic, Producer: new(instant), Verifier: caller.Anonymous()})
	if err != nil {
		b.Fatal(err)
	}
	return handler
}

// bare is the least that a handler can do: read the body, and answer as much.
func bare(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"topic":"orders","partition":"0","offset":1,"timestamp":"2026-01-02T03:04:05.678Z"}`)
}

var value = bytes.Repeat([]byte("x"), 1<<10)

// BenchmarkRequest and BenchmarkBare are to be compared: 64 connections over TCP, messages of 1 KiB.
func BenchmarkRequest(b *testing.B) { benchmarkServer(b, benchmarked(b)) }

// BenchmarkBare is BenchmarkRequest with a handler that only reads and answers.
func BenchmarkBare(b *testing.B) { benchmarkServer(b, http.HandlerFunc(bare)) }

func benchmarkServer(b *testing.B, handler http.Handler) {
	server := httptest.NewUnstartedServer(nil)
	server.Config = gateway.NewServer("", handler)
	server.Start()
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	b.ReportAllocs()
	b.SetParallelism(32) // times two cores
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, bytes.NewReader(value))
			if err != nil {
				b.Error(err)
				return
			}
			response, err := transport.RoundTrip(request)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusCreated {
				b.Error(response.Status)
			}
		}
	})
}

// recorder keeps nothing.
type recorder struct{ header http.Header }

func (r *recorder) Header() http.Header            { return r.header }
func (*recorder) Write(b []byte) (int, error)      { return len(b), nil }
func (*recorder) WriteHeader(int)                  {}
func (*recorder) Flush()                           {}
func (*recorder) SetReadDeadline(time.Time) error  { return nil }
func (*recorder) SetWriteDeadline(time.Time) error { return nil }
func (*recorder) EnableFullDuplex() error          { return nil }

// BenchmarkHandler is what a message costs without net/http; BenchmarkBareHandler the least that it can.
func BenchmarkHandler(b *testing.B) { benchmarkHandler(b, benchmarked(b).ServeHTTP) }

// BenchmarkBareHandler is BenchmarkHandler with a handler that only reads and answers.
func BenchmarkBareHandler(b *testing.B) { benchmarkHandler(b, bare) }

func benchmarkHandler(b *testing.B, handle http.HandlerFunc) {
	request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/", nil)
	request.ContentLength = int64(len(value))
	reader := bytes.NewReader(value)
	request.Body = io.NopCloser(reader)
	w := &recorder{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(value)
		handle(w, request)
	}
}

// BenchmarkStream is a stream of messages of 1 KiB; an operation is a message.
func BenchmarkStream(b *testing.B) {
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(value))), value...)
	line := `{"value":"` + strings.Repeat("x", 1<<10) + "\"}\n"
	for name, c := range map[string]struct{ kind, text string }{
		"frames": {typeFrames, string(frame)}, "lines": {typeLines, line},
	} {
		b.Run(name, func(b *testing.B) {
			handler := benchmarked(b)
			request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/", nil)
			request.ContentLength = -1
			request.Header.Set(contentType, c.kind)
			request.Body = io.NopCloser(io.LimitReader(&repeated{text: c.text}, int64(b.N)*int64(len(c.text))))
			b.SetBytes(int64(len(value)))
			b.ReportAllocs()
			handler.ServeHTTP(&recorder{header: http.Header{}}, request)
		})
	}
}

// repeated is a text for ever.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(into []byte) (n int, err error) {
	for n < len(into) {
		copied := copy(into[n:], r.text[r.at:])
		n, r.at = n+copied, (r.at+copied)%len(r.text)
	}
	return n, nil
}

// BenchmarkIdleConnection is what a connection costs that had a request and has none now: memory, since each waits.
func BenchmarkIdleConnection(b *testing.B) {
	server := httptest.NewUnstartedServer(nil)
	server.Config = gateway.NewServer("", benchmarked(b))
	server.Start()
	defer server.Close()
	before := memory()
	var connections []net.Conn
	for b.Loop() {
		connection, err := new(net.Dialer).DialContext(b.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		connections = append(connections, connection)
		if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"); err != nil {
			b.Fatal(err)
		}
		var answer [512]byte
		if _, err := connection.Read(answer[:]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(memory()-before)/float64(len(connections)), "held-B/op")
	for _, connection := range connections {
		connection.Close()
	}
}

// memory is what is in use, stacks included.
func memory() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse + stats.StackInuse
}
