// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client"
)

// Brokers may have answered before it is known which Kafka they are: until then nobody should come.
func TestNotReadyBeforeTheKafkaIsKnown(t *testing.T) {
	config, err := Parse([]byte("topic: orders\ncluster: {bootstrapServers: ['127.0.0.1:1']}\nauth: {type: None}"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := assemble(config, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		p.producer.Close()
		_ = p.cluster.Close() // it was never reached
	}()
	p.ready.state = func() client.ClusterState { return client.ClusterState{Connected: true} }
	answer := httptest.NewRecorder()
	p.entrance.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}
