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

// What became of messages is counted, before the cluster was reached and after.
func TestMessagesAreCounted(t *testing.T) {
	w, err := world.Start(t.Context(), world.Config{Topics: map[string]int32{"orders": 1}})
	if err != nil {
		t.Fatal(err)
	}
	addresses := ports(t, 2)
	stop := start(t, fmt.Sprintf(`
topic: orders
cluster: {zookeeper: {connect: %q}}
http: {address: %q, internalAddress: %q}
auth: {type: None}
`, w.Connect(), addresses[0], addresses[1]))
	t.Cleanup(func() {
		stop()
		http.DefaultClient.CloseIdleConnections()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	early := 0
	for range 500 {
		status, _ := send(t, addresses[0])
		if status == http.StatusCreated {
			break
		}
		if status != 0 { // somebody listens
			early++
		}
		<-pause.C
	}
	counted := scrape(t, addresses[1])
	for _, want := range []string{
		`samsa_producer_messages_total{outcome="written"} 1`, "samsa_producer_ack_seconds_count 1",
		fmt.Sprintf(`samsa_producer_messages_total{outcome="refused"} %d`, early),
		`samsa_producer_messages_total{outcome="unknown"} 0`, "samsa_producer_buffered_bytes 0",
	} {
		if !strings.Contains(counted, "\n"+want+"\n") {
			t.Errorf("%s is not in\n%s", want, counted)
		}
	}
}

// scrape is what Prometheus would read.
func scrape(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
