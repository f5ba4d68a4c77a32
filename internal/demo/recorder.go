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
	// begun is when the first message was sent, arrived when the first was delivered.
	begun, arrived time.Time
	// again counts messages that were refused and sent again, uncertain those that may be written or not.
	again, uncertain int
	why              string
}

func newRecorder() *recorder {
	return &recorder{ledger: ledger.New()}
}

// stands reports whether messages of a partition wait, and none has arrived for longer than that.
func (r *recorder) stands(partition kafka.Partition, longer time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger.Stands(partition, longer, time.Now())
}

// ServeHTTP implements http.Handler.
func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	message, claim, err := httpsink.Decode(request, maxLine)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	entry := ledger.Delivery{
		Partition: message.Partition, Place: ledger.PlaceOf(message), Claim: claim.Token, Sum: checksum(message.Value),
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
	if r.arrived.IsZero() {
		r.arrived = d.At
	}
	return r.ledger.Deliver(d)
}

// begin says that something is about to be published.
func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun.IsZero() {
		r.begun = time.Now()
	}
}

// published enters what the brokers acknowledged: where it is, and what.
func (r *recorder) published(partition kafka.Partition, places []ledger.Place, values [][]byte) {
	messages := make([]ledger.Publication, len(values))
	for i, value := range values {
		messages[i] = ledger.Publication{Place: places[i], Sum: checksum(value)}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ledger.Publish(partition, messages, time.Now())
}

// sentAgain counts messages that were refused for the moment.
func (r *recorder) sentAgain(count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again += count
}

// unknown counts a message that may be written or not.
func (r *recorder) unknown(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.uncertain, r.why = r.uncertain+1, why
}

// entered says how entering by HTTP went.
func (r *recorder) entered() entering {
	r.mu.Lock()
	defer r.mu.Unlock()
	return entering{again: r.again, uncertain: r.uncertain, why: r.why}
}

// uncommitted counts messages that stand behind no committed position.
func (r *recorder) uncommitted(committed func(kafka.Partition) int64) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger.Uncommitted(committed)
}

// counts gives the messages published and delivered so far.
func (r *recorder) counts() (published, delivered int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger.Published(), r.ledger.Delivered()
}

// first is the time from the first message sent to the first delivered; 0 if there is none.
func (r *recorder) first() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun.IsZero() || r.arrived.IsZero() {
		return 0
	}
	return r.arrived.Sub(r.begun)
}

// account closes the books as of now.
func (r *recorder) account(unplanned []ledger.Window) ledger.Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger.Account(unplanned, time.Now())
}

func checksum(value []byte) uint32 { return crc32.ChecksumIEEE(value) }
