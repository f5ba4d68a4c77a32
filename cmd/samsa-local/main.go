// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command samsa-local is the whole system on a laptop: Kubernetes' control plane, ZooKeeper, Kafka, the manager, and a
// node that runs pods as processes; and its demo.
//
// Exit codes: 0 done, 1 failure, 2 configuration or usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/demo"
	"github.com/samsa-dev/samsa/internal/local/cluster"
)

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

// usage is an error of whoever wrote the command line or the environment.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	// A second signal ends the process at once; the kernel ends its children with it.
	context.AfterFunc(ctx, stop)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	if errors.As(err, &usage{}) || errors.As(err, &demo.Refusal{}) || errors.As(err, &cluster.Refusal{}) {
		return exitUsage
	}
	return exitFailure
}

func root() *cobra.Command {
	command := &cobra.Command{
		Use:           "samsa-local",
		Short:         "The whole system on a laptop",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	command.AddCommand(upCommand(), demoCommand(), logsCommand(), publishCommand(), topicsCommand(), kubeconfigCommand())
	return command
}

// noArguments refuses arguments as an error of usage, which cobra's own does not.
func noArguments(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		name := command.CommandPath()
		return usage{fmt.Errorf("%q is no command of %s; see %s --help", args[0], name, name)}
	}
	return nil
}
