// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/internal/gateway"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
)

var connections = flag.Int("connections", 10_000, "how many connections idle; twice as many files must be allowed")

const (
	// rests is how often each connection of BenchmarkIdleConnections has a request, with a rest after it.
	rests = 5
	// mostGrowth is by how much memory may grow from the first rest to the last.
	mostGrowth = 1.05
)

// BenchmarkIdleConnections measures what connections cost that have had a request and have none now, beside a server of
// net/http with the same settings; and that it is the same however many requests they had.
func BenchmarkIdleConnections(b *testing.B) {
	s := newStand(b)
	bare := serveAlike(b, answer)
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	for b.Loop() {
		for _, side := range []struct {
			name string
			at   target
		}{{"net/http", bare}, {"gateway", s.open}, {"gateway+tokens", s.guarded}} {
			fmt.Fprintf(table, "%s\t", side.name)
			s.tell(b, order{Kind: hold, Address: side.at.address, Token: side.at.token, Connections: 1, Size: 1})
			before := inUse()
			var first, last float64
			for i := range rests {
				s.tell(b, order{
					Kind: hold, Address: side.at.address, Token: side.at.token, Connections: *connections, Size: publishedSize,
				})
				last = (inUse() - before) / float64(*connections)
				if i == 0 {
					first = last
				}
				fmt.Fprintf(table, "%.0f\t", last)
			}
			fmt.Fprintln(table)
			if last > first*mostGrowth {
				b.Errorf("%s: memory grows, from %.0f to %.0f bytes a connection", side.name, first, last)
			}
			b.ReportMetric(last, side.name+"-B/connection")
			s.tell(b, order{Kind: leave})
			settle(before * mostGrowth)
		}
	}
	_ = table.Flush()
	b.Logf("\nbytes of heap and stacks for each of %d connections that idle, after one request on each, two, ...\n%s",
		*connections, text.String())
}

// serveAlike serves with the gateway's settings.
func serveAlike(b *testing.B, handler http.HandlerFunc) target {
	b.Helper()
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := handling.NewServer("", handler)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	b.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	})
	return target{address: listener.Addr().String()}
}

// tell has those who publish do something that is done when it returns.
func (s *stand) tell(b *testing.B, o order) *crowd {
	b.Helper()
	if err := json.NewEncoder(s.publishers.asks).Encode(o); err != nil {
		b.Fatalf("ask those who publish: %v", err)
	}
	c := new(crowd)
	if err := s.publishers.answers.Decode(c); err != nil {
		b.Fatalf("answer of those who publish: %v", err)
	}
	if c.Err != "" {
		b.Fatal(c.Err)
	}
	return c
}

// inUse is the memory in use, stacks included, once what is garbage is gone.
func inUse() float64 {
	runtime.GC()
	runtime.GC() // what pools have is kept over one
	return occupied()
}

func occupied() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapInuse + stats.StackInuse)
}

// settle waits until the memory of connections that were closed is free.
func settle(below float64) {
	for end := time.Now().Add(10 * time.Second); inUse() > below && time.Now().Before(end); {
		<-time.After(100 * time.Millisecond)
	}
}

const (
	// callers of BenchmarkStalledBrokers, each with a message of callerBytes, just below what brokers take: 1.9 GB in all.
	callers     = 2000
	callerBytes = 950 << 10
	// stalledTimeout is what messages have there.
	stalledTimeout = 3 * time.Second
	// mostStalled is the most memory that it may take: what may be buffered, what is in requests to brokers that
	// are made and not taken (3 MiB each, five to each of three), 24 KiB for each connection, and as much garbage as that,
	// since the collector lets the heap double.
	mostStalled = 2 * (64<<20 + 45<<20 + callers*24<<10)
)

// BenchmarkStalledBrokers has many callers at once publish large messages while no broker answers, and sees that they
// are refused before memory grows.
func BenchmarkStalledBrokers(b *testing.B) {
	s := newStand(b)
	at := s.startGatewayWith(b, func(c *gateway.Config) {
		c.Auth = gateway.Auth{Type: gateway.AuthNone}
		c.HTTP.RequestTimeout, c.Produce.Timeout = configfile.Duration(stalledTimeout), configfile.Duration(stalledTimeout)
	})
	s.tell(b, order{Kind: hold, Address: at.address, Connections: 1, Size: 1})
	s.tell(b, order{Kind: leave})
	if _, err := s.servers.tell(freeze); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		before := inUse()
		watching, peak := make(chan struct{}), make(chan float64)
		go func() { peak <- highest(watching) }()
		begin := time.Now()
		said := s.tell(b, order{Kind: burst, Address: at.address, Connections: callers, Size: callerBytes})
		took := time.Since(begin)
		close(watching)
		grown := <-peak - before
		b.Logf("\n%d callers at once, %d KiB each, brokers that take connections and answer nothing, %v for a message: %s\n"+
			"memory grew by %.0f MiB at most, of %d that may be; all was answered in %v", callers, callerBytes>>10,
			stalledTimeout, said, grown/(1<<20), mostStalled>>20, took.Round(time.Millisecond))
		if grown > mostStalled || said.Statuses[201] > 0 {
			b.Errorf("memory grew by %.0f bytes; answers: %s", grown, said)
		}
	}
	if _, err := s.servers.tell(thaw); err != nil {
		b.Fatal(err)
	}
}

// highest is the most memory that is occupied until the end.
func highest(end <-chan struct{}) (peak float64) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return peak
		case <-tick.C:
			peak = max(peak, occupied())
		}
	}
}
