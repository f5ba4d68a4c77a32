// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which build this is",
		Args:  noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(command.OutOrStdout(), describe(info))
			return err
		},
	}
}

// describe is what Go itself recorded while building: no script has to remember to pass it in.
func describe(info *debug.BuildInfo) string {
	version, revision := "unknown", ""
	if info != nil {
		version = info.Main.Version
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				revision = " " + setting.Value + revision
			case setting.Key == "vcs.modified" && setting.Value == "true":
				revision += " (modified)"
			}
		}
	}
	return fmt.Sprintf("samsa %s%s %s %s/%s", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
