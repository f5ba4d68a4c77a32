// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/demo"
)

const defaultMessages = 100_000

func demoCommand() *cobra.Command {
	var config demo.Config
	command := &cobra.Command{
		Use:   "demo",
		Short: "A real file through a group of workers that grow, shrink, die and freeze",
		Long: `Publish every line of a file, through a group of worker processes, to a sink that remembers everything.

Meanwhile the group goes 3 -> 5 -> 2, one worker is killed outright and one is frozen past its session and woken.
It ends with a table of what was lost, repeated, reordered or late; the exit code is 1 if anything is not as promised.
INPUT, MESSAGES and KEEP in the environment stand for the flags.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			config.Out = command.OutOrStdout()
			return demo.Run(command.Context(), config)
		},
	}
	flags := command.Flags()
	flags.StringVar(&config.Input, "input", os.Getenv("INPUT"),
		"the file whose lines are published (default: any at hand)")
	flags.IntVar(&config.Messages, "messages", fromEnv("MESSAGES", defaultMessages),
		"how many lines are published; the file is repeated or cut")
	flags.BoolVar(&config.Keep, "keep", os.Getenv("KEEP") != "" && os.Getenv("KEEP") != "0",
		"leave everything running in the end, and say what to try")
	flags.StringVar(&config.Binary, "samsa", beside("samsa"), "the samsa binary that the workers run")
	return command
}

func fromEnv(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return fallback
}

// beside is a binary in the directory of this one.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
