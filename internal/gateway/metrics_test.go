// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// What became of a message is counted once. Before the cluster is known: see TestBeforeTheClusterIsKnown.
func TestMessagesAreCounted(t *testing.T) {
	address, inner, _ := startWithBrokers(t, "0s")
	for range 2 {
		if status, _ := send(t, address); status != http.StatusCreated {
			t.Fatalf("status %d", status)
		}
	}
	counted(t, inner, `samsa_producer_messages_total{outcome="written"} 3`, "samsa_producer_ack_seconds_count 3",
		`samsa_producer_messages_total{outcome="unknown"} 0`, "samsa_producer_buffered_bytes 0")
}

// counted makes sure that Prometheus would read some lines.
func counted(t *testing.T, inner string, lines ...string) {
	t.Helper()
	response, err := http.Get("http://" + inner + "/metrics") //nolint:noctx // it answers at once
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("%s is not in\n%s", line, text)
		}
	}
}
