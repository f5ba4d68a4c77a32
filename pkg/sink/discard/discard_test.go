// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package discard_test

import (
	"testing"

	"github.com/samsa-dev/samsa/pkg/sink/discard"
	"github.com/samsa-dev/samsa/pkg/sink/sinktest"
)

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(*testing.T) sinktest.Fixture { return sinktest.Fixture{Sink: discard.New()} })
}
