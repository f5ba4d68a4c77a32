// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"hash/crc32"
	"net/http"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// recorder is the sink: it takes every message and enters it into the books.
type recorder struct {
	// mu protects the ledger, and makes entries in the order of time.
	mu     sync.Mutex
	ledger *ledger.Ledger
}

func newRecorder() *recorder { return &recorder{ledger: ledger.New()} }

// ServeHTTP implements http.Handler.
func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	message, claim, err := httpsink.Decode(request, maxLine)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	entry := ledger.Delivery{
		Partition: message.Partition, Offset: message.Offset, Claim: claim.Token, Sum: checksum(message.Value),
	}
	if !r.enter(entry) {
		// A later owner has delivered already, so this is a worker that does not know yet that it lost the partition.
		http.Error(w, "a later owner of the partition has delivered", http.StatusPreconditionFailed)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *recorder) enter(d ledger.Delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	d.At = time.Now()
	return r.ledger.Deliver(d)
}

// published enters what the brokers acknowledged.
func (r *recorder) published(partition kafka.Partition, first int64, values [][]byte) {
	sums := make([]uint32, len(values))
	for i, value := range values {
		sums[i] = checksum(value)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ledger.Publish(partition, first, sums, time.Now())
}

// counts gives the messages published and delivered so far.
func (r *recorder) counts() (published, delivered int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger.Published(), r.ledger.Delivered()
}

// account closes the books as of now.
func (r *recorder) account(unplanned []ledger.Window) ledger.Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger.Account(unplanned, time.Now())
}

func checksum(value []byte) uint32 { return crc32.ChecksumIEEE(value) }
