// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
)

// Everything is held against each Kafka by the same specs, in this order: what goes well and what callers do wrong,
// then what brokers do, at last what of the document nobody has seen.
func kafka(label string) bool {
	return Describe("Kafka "+label, Label(label), Ordered, ContinueOnFailure, func() {
		s := &stage{label: label, era: eras[label]}
		BeforeAll(func(ctx SpecContext) { s.raise(ctx) })
		AfterEach(func(ctx SpecContext) {
			if s.book != nil && !s.away {
				s.book.hold(ctx)
			}
		})
		for _, f := range slices.Backward(formats()) { // the last use keys, which are nobody's for a while after a start
			Context(f.name, func() { table(s, f) })
		}
		Context("without a format", func() { plainly(s) })
		Context("from callers that mean no good", func() { hostile(s) })
		Context("of brokers that fail", func() { faults(s) })
		Context("at the end", func() { ending(s) })
	})
}

var (
	_ = kafka(embedded)
	_ = kafka(oldest)
	_ = kafka("3.9")
	_ = kafka("4")
)
