// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestProducersTakeTurns(t *testing.T) {
	a, b := &log{}, &log{}
	turns := &inTurn{topics: []topic{a, b}}
	for _, value := range values("1", "2", "3") {
		if _, err := turns.PublishMessages(t.Context(), []kafka.Message{{Value: value}}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(a.values, []string{"1", "3"}) || !slices.Equal(b.values, []string{"2"}) {
		t.Errorf("got %v and %v", a.values, b.values)
	}
}
