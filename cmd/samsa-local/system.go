// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/samsa-dev/samsa/internal/demo"
	"github.com/samsa-dev/samsa/internal/local/cluster"
)

// openSystem starts the system that the demo runs on, in a directory of the demo's.
func openSystem(config cluster.Config) func(context.Context, string, io.Writer, *slog.Logger) (*demo.System, error) {
	return func(ctx context.Context, directory string, out io.Writer, logger *slog.Logger) (*demo.System, error) {
		begin := time.Now()
		config.Directory = filepath.Join(directory, "world")
		config.Logger, config.Manager = logger, managerOf(logger)
		config.Progress = func(step string) { fmt.Fprintf(out, "%5.1fs  %s\n", time.Since(begin).Seconds(), step) }
		world, err := cluster.Start(ctx, config)
		if err != nil {
			return nil, err
		}
		return &demo.System{
			Control: world, World: world.World(), REST: world.REST(), Kubeconfig: world.Kubeconfig(),
			Programs: absolute(config.Programs), Directory: config.Directory, Proxy: world.Proxy(), Close: world.Close,
		}, nil
	}
}
