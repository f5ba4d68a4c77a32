// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"io"
	"net/http"
	"sync/atomic"
)

// entrance is what callers meet: until it is known which Kafka this is, somebody who asks them to come back.
type entrance struct{ inside atomic.Pointer[http.Handler] }

func (e *entrance) open(handler http.Handler) { e.inside.Store(&handler) }

// ServeHTTP implements http.Handler.
func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if inside := e.inside.Load(); inside != nil {
		(*inside).ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/healthz" {
		_, _ = io.WriteString(w, "ok\n") // only the client's going away can make this fail
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"type":"about:blank","title":"Service Unavailable","status":503,"outcome":"refused",`+
		`"detail":"the cluster has not been reached yet: come back in a moment"}`+"\n") // as above
}

// inner is what probes and Prometheus meet.
func inner(entrance http.Handler, metrics *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", entrance)
	mux.Handle("GET /readyz", entrance)
	mux.Handle("GET /metrics", metrics.handler())
	return mux
}
