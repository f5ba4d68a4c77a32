// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/demo"
	"github.com/samsa-dev/samsa/internal/local/cluster"
)

const defaultMessages = "100000"

func demoCommand() *cobra.Command {
	var config demo.Config
	var world cluster.Config
	var messages, kafka string
	command := &cobra.Command{
		Use:   "demo",
		Short: "A real file through a ConsumerGroup whose pods come, go, die and freeze",
		Long: `Start the whole system, declare the samples of config with kubectl apply -k, and publish every line of a file
by HTTP, through the ProducerBinding's gateways and the ConsumerGroup's pods, to a sink that remembers everything.

Meanwhile kubectl scales the group 3 -> 5 -> 2, one pod's process is killed outright, one is frozen past its session
and woken, and the API server and the manager are killed for 30 s. It ends with a table of what was lost, repeated,
reordered or late, and of every lie that the group's status told. Exit codes: 0 everything is as promised, 1 it is not,
or something failed, 2 the command line, the environment or the input is at fault.
INPUT, MESSAGES, KEEP and KAFKA in the environment stand for the flags that are not given.`,
		Args: noArguments,
	}
	flags := command.Flags()
	flags.StringVar(&config.Input, "input", os.Getenv("INPUT"),
		"the `file` whose lines are published (default: any at hand)")
	flags.StringVar(&messages, "messages", cmp.Or(os.Getenv("MESSAGES"), defaultMessages),
		"what `number` of lines is published; the file is repeated or cut")
	flags.BoolVar(&config.Keep, "keep", false, "leave everything running in the end, and say what to try")
	flags.StringVar(&config.Samples, "samples", "",
		"the `directory` that kubectl apply -k is given (default: the samples in config that fit the Kafka)")
	kafkaFlag(command, &kafka, os.Getenv("KAFKA"))
	worldFlags(command, &world)
	command.RunE = func(command *cobra.Command, _ []string) error {
		var faults [3]error
		config.Messages, faults[0] = number(cmp.Or(given(command, "messages"), "MESSAGES"), messages)
		if given(command, "keep") == "" {
			config.Keep, faults[1] = yes("KEEP", os.Getenv("KEEP"))
		}
		world.Kafka, faults[2] = era(cmp.Or(given(command, "kafka"), "KAFKA"), kafka)
		if err := errors.Join(faults[:]...); err != nil {
			return usage{err}
		}
		config.Samples = cmp.Or(config.Samples, samplesFor(world.Kafka))
		config.Out, config.Sink, config.Open = command.OutOrStdout(), cluster.DefaultSink, openSystem(world)
		return demo.Run(command.Context(), config)
	}
	return command
}

// given is a flag with its dashes, if the command line has it.
func given(command *cobra.Command, flag string) string {
	if !command.Flags().Changed(flag) {
		return ""
	}
	return "--" + flag
}

// number reads the number of messages, given by a flag or a variable of this name.
func number(name, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > demo.MaxMessages {
		return 0, fmt.Errorf("%s=%s: give a number of messages from 1 to %d, in digits only", name, text, demo.MaxMessages)
	}
	return n, nil
}

// yes reads a variable that is unset, 0 or 1, or anything else that Go takes for a boolean.
func yes(name, text string) (bool, error) {
	value, err := strconv.ParseBool(cmp.Or(text, "0"))
	if err != nil {
		return false, fmt.Errorf("%s=%s: give 1 or 0, or leave it out", name, text)
	}
	return value, nil
}

// beside is a binary in the directory of this one.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
