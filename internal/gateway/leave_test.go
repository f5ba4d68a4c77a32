// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// send posts a message, and tells the status and whether the answer ends its connection.
func send(t *testing.T, address string) (status int, ends bool) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Close
}

// startWithBrokers runs a replica that has taken a message: its first.
func startWithBrokers(t *testing.T, drainDelay string) (address, inner string, stop func()) {
	t.Helper()
	w, err := world.Start(t.Context(), world.Config{Topics: map[string]int32{"orders": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	addresses := ports(t, 2)
	stop = start(t, fmt.Sprintf(`
topic: orders
cluster: {zookeeper: {connect: %q}}
http: {address: %q, internalAddress: %q, drainDelay: %s}
auth: {type: None}
`, w.Connect(), addresses[0], addresses[1], drainDelay))
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for range 500 {
		if status, _ := send(t, addresses[0]); status == http.StatusCreated {
			return addresses[0], addresses[1], stop
		}
		<-pause.C
	}
	t.Fatal("it takes no message")
	return "", "", nil
}

// While a replica leaves, it takes requests, and ends the connection of each: none is idle at the end that somebody who
// has much to send might be about to use.
func TestAReplicaThatLeavesEndsConnectionsWithTheirAnswers(t *testing.T) {
	address, _, stop := startWithBrokers(t, "2s")
	status, ends := send(t, address)
	if status != http.StatusCreated || ends {
		t.Fatalf("status %d, connection ends: %t", status, ends)
	}
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	left := make(chan struct{})
	go func() {
		defer close(left)
		stop()
	}()
	for range 500 {
		if status, ends = send(t, address); ends {
			break
		}
		<-pause.C
	}
	if status != http.StatusCreated || !ends {
		t.Errorf("status %d, connection ends: %t", status, ends)
	}
	<-left
}
