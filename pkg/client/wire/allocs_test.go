// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import "testing"

// testingAllocs is testing.AllocsPerRun, for specs.
func testingAllocs(run func()) float64 { return testing.AllocsPerRun(10, run) }
