// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command samsa is the product's one binary: the manager that reconciles samsa's kinds in Kubernetes, the worker of a
// consumer group, the gateway that publishes what comes by HTTP, and the client on the command line.
//
// Exit codes: 0 done (a worker: drained), 1 failure, 2 configuration or usage, 3 published in part, and it is unknown
// which.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/cli"
)

// The exit codes.
const (
	exitFailure = cli.ExitFailure
	exitUsage   = cli.ExitUsage
)

// usage is an error of whoever wrote the command line or the configuration.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

func main() {
	if r := resolver(os.Getenv(namesVariable)); r != nil {
		net.DefaultResolver = r
	}
	ctx, stop := signals(context.Background())
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(codeOf(err))
}

func codeOf(err error) int {
	if failure := (*cli.Error)(nil); errors.As(err, &failure) {
		return failure.Code
	}
	if errors.As(err, &usage{}) {
		return exitUsage
	}
	return exitFailure
}

// sameSignal is how soon after the first another signal is still the same wish: timeout(1), and others that supervise,
// signal the process and then its group, microseconds later. Nobody presses ^C twice within a quarter of a second.
const sameSignal = 250 * time.Millisecond

// signals gives a context that ends with the first SIGTERM or SIGINT, which asks to end in order. A second one, later
// than sameSignal, ends the process at once: whoever sends it does not want to wait.
func signals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	received := make(chan os.Signal, 2)
	signal.Notify(received, syscall.SIGTERM, syscall.SIGINT)
	done := make(chan struct{})
	go heed(received, done, cancel, os.Exit)
	return ctx, func() {
		signal.Stop(received)
		close(done)
		cancel(nil)
	}
}

// heed takes signals until done is closed.
func heed(received <-chan os.Signal, done <-chan struct{}, cancel context.CancelCauseFunc, exit func(code int)) {
	var first time.Time
	for {
		select {
		case <-done:
			return
		case s := <-received:
			switch {
			case first.IsZero():
				first = time.Now()
				cancel(fmt.Errorf("signal: %s", s))
			case time.Since(first) > sameSignal:
				exit(exitFailure)
			}
		}
	}
}

func root() *cobra.Command {
	command := &cobra.Command{
		Use:           "samsa",
		Short:         "Kafka consumer groups that deliver every message to a sink, and a client of every Kafka",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	const runs, looks = "runs", "looks"
	command.AddGroup(
		&cobra.Group{ID: runs, Title: "In Kubernetes:"}, &cobra.Group{ID: looks, Title: "On the command line:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
		}
		command.AddCommand(commands...)
	}
	add(runs, managerCommand(), workerCommand(), gatewayCommand())
	add(looks, cli.Commands()...)
	command.AddCommand(versionCommand())
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
