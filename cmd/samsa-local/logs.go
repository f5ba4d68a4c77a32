// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/local/cluster"
	"github.com/samsa-dev/samsa/internal/local/node"
	"github.com/samsa-dev/samsa/internal/local/proc"
)

// lookAgain is how often a log that is followed is looked at: at once, for eyes.
const lookAgain = 200 * time.Millisecond

func logsCommand() *cobra.Command {
	var directory, namespace, container string
	var follow, previous bool
	command := &cobra.Command{
		Use:   "logs POD",
		Short: "Show what a pod's process has written, also of a pod that is gone",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage{errors.New("name one pod, as in: samsa-local logs demo-0")}
			}
			return nil
		},
	}
	flags := command.Flags()
	directoryFlag(command, &directory)
	flags.StringVarP(&namespace, "namespace", "n", "default", "the pod's `namespace`")
	flags.StringVarP(&container, "container", "c", "", "which `container`, if the pod has several")
	flags.BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on, over restarts")
	flags.BoolVarP(&previous, "previous", "p", false, "the run before the present one")
	command.RunE = func(command *cobra.Command, args []string) error {
		find := func() (string, error) {
			return node.FindLog(cluster.NodeDirectory(directory), namespace, args[0], container, previous)
		}
		return showLog(command.Context(), find, follow && !previous, command.OutOrStdout())
	}
	return command
}

// showLog copies a log, and with follow whatever comes: of the file, and of those that take its place.
func showLog(ctx context.Context, find func() (string, error), follow bool, out io.Writer) error {
	path, err := find()
	if err != nil {
		return usage{err}
	}
	if !follow {
		_ = copyFile(out, proc.Older(path)) // there may be none
		return copyFile(out, path)
	}
	for {
		if err := followFile(ctx, out, path, find); err != nil || ctx.Err() != nil {
			return err
		}
		if path, err = find(); err != nil {
			return err
		}
	}
}

func copyFile(out io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer func() { _ = file.Close() }()
	_, err = io.Copy(out, file)
	return err
}

// followFile copies a file until another one has taken its place, under its name or as a newer run's.
func followFile(ctx context.Context, out io.Writer, path string, find func() (string, error)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer func() { _ = file.Close() }()
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		replaced := hasMoved(file, path, find)
		if _, err := io.Copy(out, file); err != nil {
			return err
		}
		if replaced {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func hasMoved(file *os.File, path string, find func() (string, error)) bool {
	if newest, err := find(); err == nil && newest != path {
		return true
	}
	held, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && !os.SameFile(held, there)
}
