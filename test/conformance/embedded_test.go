// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"bytes"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

// What is written to embedded servers is read back in order, also where a topic has grown.
func TestEmbeddedServersKeepABook(t *testing.T) {
	for kind, names := range map[string][]string{embedded: {"0", "1", "2"}, embedded07: {"0-0", "1-0", "1-1"}} {
		s, err := start(t.Context(), []column{{kind: kind}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.stop() })
		if err := s.createTopic(t.Context(), realkafka.Topic{Name: "orders"}); err != nil {
			t.Fatal(err)
		}
		if err := s.grow(t.Context(), "orders", 3); err != nil {
			t.Fatal(err)
		}
		var records []*kgo.Record
		for p, name := range names {
			records = append(records, values("orders", int32(p), 0, 120)...)
			if got := s.partition("orders", int32(p)); got != name {
				t.Errorf("%s: partition %d is %s, not %s", kind, p, got, name)
			}
		}
		for _, codec := range []compression{uncompressed, gzipped, snappied} {
			if err := s.write(t.Context(), records, codec); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.readAll(t.Context(), "orders", 3*len(records))
		if err != nil || len(got) != 3*len(records) {
			t.Fatalf("%s: %d messages, %v", kind, len(got), err)
		}
		for p := range names {
			checkOrder(t, got, int32(p))
		}
	}
}

func checkOrder(t *testing.T, got []*kgo.Record, partition int32) {
	t.Helper()
	got = slices.DeleteFunc(slices.Clone(got), func(r *kgo.Record) bool { return r.Partition != partition })
	for i, want := range values("orders", partition, 0, 120) {
		if r := got[i]; !bytes.Equal(r.Value, want.Value) || i > 0 && r.Offset <= got[i-1].Offset {
			t.Errorf("%d/%d: %q at %d", partition, i, r.Value, r.Offset)
		}
	}
}
