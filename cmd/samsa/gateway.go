// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/gateway"
)

func gatewayCommand() *cobra.Command {
	var file, address, format, level string
	command := &cobra.Command{
		Use:   "gateway --config FILE",
		Short: "Take messages by HTTP and publish them to a topic",
		Long: `Take messages by HTTP from callers that are known, publish them to one topic, and answer when a broker
holds them.

SIGTERM or SIGINT drains: readiness fails, what is under way is answered, what was taken is written. A second one ends
the process at once; of what was under way it is then unknown whether it was written.`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			logger, err := newLogger(command.ErrOrStderr(), format, level)
			if err != nil {
				return usage{err}
			}
			if file == "" {
				return usage{errors.New("--config is missing; name the gateway's configuration file")}
			}
			config, err := gateway.LoadAt(file, address)
			if err != nil {
				return usage{fmt.Errorf("%s:\n%w", file, err)}
			}
			return gateway.Run(command.Context(), config, logger)
		},
	}
	command.Flags().StringVar(&file, "config", "", "the gateway's configuration, a YAML file")
	command.Flags().StringVar(&address, "address", "",
		"the host to listen at, in place of those in the configuration")
	command.Flags().StringVar(&format, "log-format", "text", "how the log is written: text or json")
	command.Flags().StringVar(&level, "log-level", "info", "what is logged: debug, info, warn or error")
	return command
}
