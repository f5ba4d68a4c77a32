// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/worker"
)

func TestFaultsOfCredentialsComeInOneOrder(t *testing.T) {
	text := []byte(strings.Replace(least, "cluster: {", "cluster: {sasl: {mechanism: PLAIN}, ", 1))
	_, first := worker.Parse(text)
	for range 20 {
		if _, err := worker.Parse(text); err == nil || err.Error() != first.Error() {
			t.Fatalf("got %v after %v", err, first)
		}
	}
}
