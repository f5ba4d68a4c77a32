// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// hostile is an HTTP server that takes every fifth request as it should, and mistreats the others in turn.
type hostile struct {
	mu       sync.Mutex
	requests int
	accepted map[string]int
	order    map[kafka.Partition][]int64
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.requests++
	turn := h.requests % 5
	h.mu.Unlock()
	switch turn {
	case 1:
		w.WriteHeader(http.StatusInternalServerError)
		pour(w, r)
	case 2:
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice the end of the sink's patience
		<-r.Context().Done()
	case 3:
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	case 4:
		h.accept(r)
		pour(w, r)
	default:
		h.accept(r)
	}
}

// pour answers without end, as long as somebody reads.
func pour(w http.ResponseWriter, r *http.Request) {
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func (h *hostile) accept(r *http.Request) {
	message, _, err := httpsink.Decode(r, 1<<20)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.accepted["undecodable: "+err.Error()]++
		return
	}
	if h.accepted[message.ID()]++; h.accepted[message.ID()] == 1 {
		h.order[message.Partition] = append(h.order[message.Partition], message.Offset)
	}
}

func (h *hostile) distinct() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.accepted)
}

func (h *hostile) inOrder() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, offsets := range h.order {
		for i, offset := range offsets {
			if offset != int64(i) {
				return false
			}
		}
	}
	return true
}

var _ = Describe("A sink that fails, hangs, resets and answers without end", func() {
	It("loses nothing, reorders nothing, and takes no memory", func(ctx SpecContext) {
		w, cluster := start(ctx, 3)
		publish(ctx, cluster, 120)
		h := &hostile{accepted: map[string]int{}, order: map[kafka.Partition][]int64{}}
		server := httptest.NewServer(h)
		DeferCleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
		to, err := httpsink.New(httpsink.Config{URL: server.URL, Timeout: 50 * time.Millisecond})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(to.Close)

		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		work(cluster, "a", pump.Config{Sink: to})
		Eventually(h.distinct).WithTimeout(60 * time.Second).Should(Equal(120))
		runtime.GC()
		runtime.ReadMemStats(&after)
		Expect(h.inOrder()).To(BeTrue())
		Expect(strings.Join(keys(h.accepted), " ")).NotTo(ContainSubstring("undecodable"))
		const fewBuffers = 32 << 20
		Expect(after.HeapAlloc).To(BeNumerically("<", before.HeapAlloc+fewBuffers))
		Eventually(func() (sum int) {
			for _, id := range []string{"0", "1", "2"} {
				sum += number(committed(w, id))
			}
			return sum
		}).Should(Equal(120))
	})
})
