// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/samsa-dev/samsa/internal/demo/ledger"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// The recorder understands what the product's own sink sends, and fences by its claims.
func TestRecorder(t *testing.T) {
	r := newRecorder()
	server := httptest.NewServer(r)
	defer server.Close()
	target, err := httpsink.New(httpsink.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	}()

	partition := kafka.Partition{Topic: lines, ID: "3"}
	values := [][]byte{[]byte("one"), {}, []byte("three\r")}
	places, err := asTold(acknowledged{partition: partition, offsets: []int64{0, 1, 2}, values: values})
	if err != nil {
		t.Fatal(err)
	}
	r.published(partition, places, values)
	deliver := func(offset, claim int64) sink.Outcome {
		batch := kafka.NewBatch(partition, kafka.Messages{{Partition: partition, Offset: offset, Value: values[offset]}})
		results := make([]sink.Result, 1)
		target.Deliver(t.Context(), sink.Claim{Group: group, Token: claim}, batch, results)
		return results[0].Outcome
	}
	if got := r.uncommitted(func(kafka.Partition) int64 { return 1 }); got != 2 {
		t.Errorf("%d messages are behind the position 1", got)
	}
	for _, c := range []struct {
		offset, claim int64
		want          sink.Outcome
	}{{0, 7, sink.Done}, {1, 8, sink.Done}, {2, 7, sink.Retry}, {2, 8, sink.Done}} {
		if got := deliver(c.offset, c.claim); got != c.want {
			t.Errorf("offset %d under claim %d: got %s, want %s", c.offset, c.claim, got, c.want)
		}
	}
	a := r.account([]ledger.Window{})
	if a.Published != 3 || a.Delivered != 3 || a.Refused != 1 || a.Lost+a.Altered+a.Strange != 0 {
		t.Errorf("got %+v", a)
	}

	answer, err := http.Get(server.URL) //nolint:noctx // to a server of this test
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("a request that is no delivery: got %s", answer.Status)
	}
}
