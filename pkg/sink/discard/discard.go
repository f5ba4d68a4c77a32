// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package discard is the sink that takes everything and keeps nothing: for benchmarks, and for trying out a group.
package discard

import (
	"context"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// Sink answers Done for every message. It is safe for concurrent use.
type Sink struct{}

var _ sink.Sink = Sink{}

// New makes a sink.
func New() Sink { return Sink{} }

// Deliver implements sink.Sink.
func (Sink) Deliver(ctx context.Context, _ sink.Claim, _ kafka.Batch, results []sink.Result) {
	if ctx.Err() != nil {
		return
	}
	for i := range results {
		results[i].Outcome = sink.Done
	}
}

// Limits implements sink.Sink: there are none.
func (Sink) Limits() sink.Limits { return sink.Limits{} }

// Close implements sink.Sink.
func (Sink) Close() error { return nil }
