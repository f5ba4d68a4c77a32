// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// Retries begin at a tenth of a second, for a broker that restarts, and end at 2 s, so that a cause that went away is
	// noticed well within 10 s: 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, ...
	retryFloor = 100 * time.Millisecond
	retryCap   = 2 * time.Second
)

// backoff is how long to wait after the fails-th failure in a row: doubling from retryFloor to retryCap, a fifth
// jittered, so that many members do not come back in step.
func backoff(fails int) time.Duration {
	wait := retryCap
	if shift := max(fails-1, 0); shift < 5 {
		wait = min(retryFloor<<shift, retryCap)
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/5)) //nolint:gosec // spreading retries needs no secrets
}

// byPartition joins the errors of partitions; those with the same words share a line that names them all.
func byPartition(failures map[kafka.Partition]error) error {
	names := make(map[string][]string)
	var first []error
	for _, partition := range slices.SortedFunc(maps.Keys(failures), kafka.Partition.Compare) {
		words := failures[partition].Error()
		if names[words] == nil {
			first = append(first, failures[partition])
		}
		names[words] = append(names[words], partition.String())
	}
	joined := make([]error, len(first))
	for i, err := range first {
		joined[i] = fmt.Errorf("%s: %w", strings.Join(names[err.Error()], ", "), err)
	}
	return errors.Join(joined...)
}
