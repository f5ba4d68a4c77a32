// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// backoff is how long to wait after the fails-th failure in a row: doubling from retryFloor to retryCap, a fifth
// jittered, so that many partitions and members do not come back in step.
func backoff(fails int) time.Duration {
	wait := retryCap
	if shift := max(fails-1, 0); shift < 5 {
		wait = min(retryFloor<<shift, retryCap)
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/5))
}

// kind is the text of an error without what differs from one try to the next, our own port: errors of one kind are told
// once.
func kind(err error) string {
	if err == nil {
		return ""
	}
	if network, ok := errors.AsType[*net.OpError](err); ok && network.Addr != nil && network.Err != nil {
		return network.Op + " " + network.Addr.String() + ": " + network.Err.Error()
	}
	return err.Error()
}

// fromBroker reports whether the brokers themselves answered err; retriable ones usually pass by themselves.
func fromBroker(err error) (yes, retriable bool) {
	if answered, ok := errors.AsType[*kerr.Error](err); ok {
		return true, answered.Retriable
	}
	return false, false
}

// distinct leaves one error of each kind, in a stable order.
func distinct(failures []error) []error {
	byKind := make(map[string]error, len(failures))
	for _, err := range failures {
		byKind[kind(err)] = err
	}
	result := make([]error, 0, len(byKind))
	for _, key := range slices.Sorted(maps.Keys(byKind)) {
		result = append(result, byKind[key])
	}
	return result
}

// byPartition joins the errors of partitions; those of one kind share a line that names them all.
func byPartition(failures map[kafka.Partition]error) error {
	partitions := slices.SortedFunc(maps.Keys(failures), kafka.Partition.Compare)
	names := make(map[string][]string)
	first := make([]error, 0, len(failures))
	for _, partition := range partitions {
		err := failures[partition]
		if names[kind(err)] == nil {
			first = append(first, err)
		}
		names[kind(err)] = append(names[kind(err)], partition.String())
	}
	joined := make([]error, len(first))
	for i, err := range first {
		joined[i] = fmt.Errorf("%s: %w", strings.Join(names[kind(err)], ", "), err)
	}
	return errors.Join(joined...)
}
