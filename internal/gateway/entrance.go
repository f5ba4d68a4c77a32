// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/samsa-dev/samsa/pkg/client"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// entrance is what callers meet: until it is known which Kafka this is, a handler whose producer is away. That one
// knows the callers, tells what is malformed, and answers in every format, as the other does; it is never ready.
type entrance struct {
	inside atomic.Pointer[http.Handler]
	// leaving says that the process ends soon. Then each answer ends its connection: at the end those are closed that
	// are idle, and a request that comes at that moment would get no answer.
	leaving atomic.Bool
}

func (e *entrance) open(handler http.Handler) { e.inside.Store(&handler) }

// ServeHTTP implements http.Handler.
func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.leaving.Load() {
		w.Header().Set("Connection", "close")
	}
	(*e.inside.Load()).ServeHTTP(w, r)
}

// Both producers say later what became of what was unknown; a handler would take ones that do not, and tell less.
var (
	_ handling.Settler = (*client.Producer)(nil)
	_ handling.Settler = away{}
)

// away is the producer to a cluster that was not reached yet: who comes back in a moment may find it.
type away struct{ metrics *Metrics }

var errAway = fmt.Errorf("the cluster has not been reached yet: %w", kafka.ErrUnavailable)

// Produce implements the handler's Producer.
func (a away) Produce(_ context.Context, message kafka.Message, done func(client.Produced, error)) {
	err := &kafka.Refused{Partition: message.Partition, Err: errAway}
	a.metrics.outcome(client.Produced{}, err)
	done(client.Produced{}, err)
}

// ProduceSettled implements the handler's Settler: nothing here is ever in doubt.
func (a away) ProduceSettled(ctx context.Context, message kafka.Message, done, _ func(client.Produced, error)) {
	a.Produce(ctx, message, done)
}

// inner is what probes and Prometheus meet.
func inner(entrance http.Handler, metrics *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", entrance)
	mux.Handle("GET /readyz", entrance)
	mux.Handle("GET /metrics", metrics.handler())
	return mux
}
