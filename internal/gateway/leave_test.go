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

// While a replica leaves, it takes requests, and ends the connection of each: none is idle at the end that somebody who
// has much to send might be about to use.
func TestAReplicaThatLeavesEndsConnectionsWithTheirAnswers(t *testing.T) {
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
	address := ports(t, 1)[0]
	stop := start(t, fmt.Sprintf(`
topic: orders
cluster: {zookeeper: {connect: %q}}
http: {address: %q, internalAddress: "127.0.0.1:0", drainDelay: 2s}
auth: {type: None}
`, w.Connect(), address))
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	status, ends := 0, false
	for range 500 {
		if status, ends = send(t, address); status == http.StatusCreated {
			break
		}
		<-pause.C
	}
	if status != http.StatusCreated || ends {
		t.Fatalf("status %d, connection ends: %t", status, ends)
	}
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
