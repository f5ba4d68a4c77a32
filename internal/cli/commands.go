// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// Commands are the client's commands, in the order in which one comes to need them.
func Commands() []*cobra.Command {
	all := []*cobra.Command{
		brokersCommand(), topicsCommand(), partitionsCommand(), publishCommand(), subscribeCommand(), groupsCommand(),
		offsetsCommand(),
	}
	for _, command := range all {
		finish(command)
	}
	return all
}

// finish gives a command what all have: errors with an exit code, on one line.
func finish(command *cobra.Command) {
	run := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error { return coded(run(command, args)) }
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return usage("%w; see %s --help", err, command.CommandPath())
	})
}

// arguments checks how many there are, and says what they are for.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usage("%s: %s is missing, as in: %s", command.CommandPath(), what, firstExample(command))
		case most >= 0 && len(args) > most:
			return usage("%s: %q is too much; see %s --help", command.CommandPath(), args[most], command.CommandPath())
		}
		return nil
	}
}

// firstExample is the first line of a command's examples.
func firstExample(command *cobra.Command) string {
	line, _, _ := strings.Cut(strings.TrimSpace(command.Example), "\n")
	return line
}

// outputFlag is -o of a command that lists something.
func outputFlag(command *cobra.Command, format *string, allowed ...string) {
	*format = allowed[0]
	command.Flags().VarP(choice{format, allowed}, "output", "o", "the `format`: "+orList(allowed))
}
