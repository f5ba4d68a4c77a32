// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/worker"
)

func workerCommand() *cobra.Command {
	var file, address, format, level string
	command := &cobra.Command{
		Use:   "worker --config FILE",
		Short: "Join a consumer group and deliver its messages to a sink",
		Long: `Join a consumer group and deliver the messages of this worker's share of the partitions to a sink.

SIGTERM or SIGINT drains: what is under way is delivered, positions are committed, partitions released, the group left.
A second one ends the process at once; what it had not committed is delivered again by others.`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			logger, err := newLogger(command.ErrOrStderr(), format, level)
			if err != nil {
				return usage{err}
			}
			if file == "" {
				return usage{errors.New("--config is missing; name the worker's configuration file")}
			}
			config, err := worker.LoadAt(file, address)
			if err != nil {
				return usage{fmt.Errorf("%s:\n%w", file, err)}
			}
			return worker.Run(command.Context(), config, logger)
		},
	}
	command.Flags().StringVar(&file, "config", "", "the worker's configuration, a YAML file")
	command.Flags().StringVar(&address, "address", "",
		"the host to listen at, in place of the one in the configuration")
	command.Flags().StringVar(&format, "log-format", "text", "how the log is written: text or json")
	command.Flags().StringVar(&level, "log-level", "info", "what is logged: debug, info, warn or error")
	return command
}

func newLogger(out io.Writer, format, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level: %q is no level; use debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: least}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(out, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, options)), nil
	}
	return nil, fmt.Errorf("--log-format: %q is no format; use text or json", format)
}
