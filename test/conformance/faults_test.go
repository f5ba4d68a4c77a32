// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A message that was consumed before the brokers died, and whose acknowledgement died with them, does not show that a
// member consumes again.
func TestAMemberThatHangsDoesNotFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		consumed := &member{done: make(chan struct{}), messages: []message{sent(0, "", "unacknowledged")}}
		running := &traffic{member: consumed, sent: map[string]bool{}}
		publishing := time.AfterFunc(time.Second, func() {
			running.acknowledged([][]byte{[]byte("1")}, nil)
			running.acknowledged([][]byte{[]byte("2")}, nil)
		})
		defer publishing.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if took, err := running.flows(ctx); err == nil {
			t.Errorf("it flows after %s", took)
		}
	})
}
