// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command samsa is the product's one binary: today the worker of a consumer group.
//
// Exit codes: 0 done (a worker: drained), 1 failure, 2 configuration or usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

// usage is an error of whoever wrote the command line or the configuration.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

func main() {
	ctx, stop := signals(context.Background())
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	if errors.As(err, &usage{}) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailure)
}

// signals gives a context that ends with the first SIGTERM or SIGINT, which asks to end in order. A second one ends
// the process at once, as if nobody had listened.
func signals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

func root() *cobra.Command {
	command := &cobra.Command{
		Use:           "samsa",
		Short:         "Kafka consumer groups that deliver every message to a sink",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
	}
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	command.AddCommand(workerCommand(), versionCommand())
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
