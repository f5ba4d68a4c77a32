// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/cli"
)

func TestEveryCommandAndFlagIsThere(t *testing.T) {
	text := reference(cli.Commands())
	for _, command := range cli.Commands() {
		if !strings.Contains(text, "\n## samsa "+command.Name()+"\n") {
			t.Errorf("%s is missing", command.Name())
		}
	}
	for _, flag := range []string{"--zookeeper address", "--frames", "--group group", "--at time", "--count messages"} {
		if !strings.Contains(text, flag) {
			t.Errorf("%s is missing", flag)
		}
	}
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d ends with spaces: %q", i+1, line)
		}
	}
}
