// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"errors"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// appends is the writing half of the transport.
type appends struct {
	transport *Transport
}

func newAppends(t *Transport) *appends { return &appends{transport: t} }

func (a *appends) append(
	_ context.Context, partition kafka.Partition, _ []kafka.Message,
) (int64, error) {
	return 0, &kafka.Refused{Partition: partition, Err: errors.ErrUnsupported}
}
