// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/local/cluster"
	"github.com/samsa-dev/samsa/pkg/client"
)

const (
	// batchLines are published at once, or what came within batchWait: fast for files, prompt for fingers.
	batchLines = 100
	batchWait  = 100 * time.Millisecond
	// longestLine is the default of Kafka 0.7 for a message, which fits into a batch of a later one as well: 1,048,588
	// bytes, of which some 100 are the batch's own.
	longestLine = 1_000_000
	// openWithin is what finding the brokers may take; they are on this machine.
	openWithin = 10 * time.Second
)

func kubeconfigCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of the file that makes kubectl reach the running system",
		Args:  noArguments,
	}
	directoryFlag(command, &directory)
	command.RunE = func(command *cobra.Command, _ []string) error {
		state, err := cluster.Read(directory)
		if err != nil {
			return usage{err}
		}
		fmt.Fprintln(command.OutOrStdout(), state.Kubeconfig)
		return nil
	}
	return command
}

func topicsCommand() *cobra.Command {
	var directory string
	var partitions int
	create := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a topic",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage{errors.New("name one topic, as in: samsa-local topics create orders --partitions 12")}
			}
			return nil
		},
	}
	directoryFlag(create, &directory)
	create.Flags().IntVar(&partitions, "partitions", cluster.DefaultPartitions, "the `number` of its partitions")
	create.RunE = func(command *cobra.Command, args []string) error {
		if _, err := cluster.Read(directory); err != nil {
			return usage{err}
		}
		if err := cluster.CreateTopic(command.Context(), directory, args[0], partitions); err != nil {
			return err
		}
		fmt.Fprintf(command.OutOrStdout(), "topic %s created with %d partitions\n", args[0], partitions)
		return nil
	}
	command := &cobra.Command{
		Use: "topics", Short: "Create topics in the running system", Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(create)
	return command
}

func publishCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:   "publish TOPIC",
		Short: "Publish every line of the standard input",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage{errors.New("name one topic, as in: seq 1000 | samsa-local publish lines")}
			}
			return nil
		},
	}
	directoryFlag(command, &directory)
	command.RunE = func(command *cobra.Command, args []string) error {
		state, err := cluster.Read(directory)
		if err != nil {
			return usage{err}
		}
		count, err := publish(command.Context(), state, args[0], command.InOrStdin())
		fmt.Fprintf(command.OutOrStdout(), "%d messages published to %s\n", count, args[0])
		return err
	}
	return command
}

// publish sends lines until there are none, or ctx ends.
func publish(ctx context.Context, world cluster.State, topic string, in io.Reader) (count int, err error) {
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	kafka, err := client.Open(opening, client.Config{ZooKeeper: world.ZooKeeper, Bootstrap: world.Bootstrap})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, kafka.Close()) }()
	lines := make(chan []byte)
	read := make(chan error, 1)
	// Nothing can end a read from a terminal but the process's own end, so this is not waited for.
	go func() { read <- readLines(ctx, in, lines) }()
	ticker := time.NewTicker(batchWait)
	defer ticker.Stop()
	var batch [][]byte
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := kafka.Topic(topic).Publish(ctx, batch...)
		if err == nil {
			count += len(batch)
			batch = nil
		}
		return err
	}
	for {
		var failure error
		select {
		case <-ctx.Done():
			return count, nil
		case line, more := <-lines:
			if !more {
				return count, errors.Join(flush(), <-read)
			}
			if batch = append(batch, line); len(batch) >= batchLines {
				failure = flush()
			}
		case <-ticker.C:
			failure = flush()
		}
		if failure != nil {
			return count, failure
		}
	}
}

func readLines(ctx context.Context, in io.Reader, lines chan<- []byte) error {
	defer close(lines)
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, longestLine+len("\r\n")+1) // a token has to be smaller than that
	read := 0
	for ; scanner.Scan() && len(scanner.Bytes()) <= longestLine; read++ {
		select {
		case lines <- append([]byte(nil), scanner.Bytes()...):
		case <-ctx.Done():
			return nil
		}
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong), len(scanner.Bytes()) > longestLine:
		return fmt.Errorf("standard input: line %d is longer than %d bytes, the most that fits into a message; "+
			"shorten it (fold -b -w %d)", read+1, longestLine, longestLine)
	case err != nil:
		return fmt.Errorf("standard input: %w", err)
	}
	return nil
}
