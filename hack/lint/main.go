// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command lint is golangci-lint with the Kubernetes API linter in it, which knows the conventions of Kubernetes' own
// types. golangci-lint takes such a linter only when it is built together with it.
//
// It is a module of its own, so that a linter's dependencies are not samsa's. What golangci-lint's own build command
// does, it does too, without a clone of its sources: go.sum vouches for every line.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"
	_ "sigs.k8s.io/kube-api-linter" // registers itself, with all of its rules
)

func main() {
	info := commands.BuildInfo{GoVersion: runtime.Version(), Version: version(), Commit: "module", Date: "unknown"}
	if err := commands.Execute(info); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(exitcodes.Failure)
	}
}

// version is that of golangci-lint in go.mod; its schema of the configuration is found by it.
func version() string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == "github.com/golangci/golangci-lint/v2" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}
