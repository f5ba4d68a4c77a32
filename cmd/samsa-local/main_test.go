// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestDemoRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"demo", "--messages", "0"}, "messages: 0 is not from 1"},
		{[]string{"demo", "--samsa", "/nowhere/samsa"}, "samsa: stat /nowhere/samsa"},
		{[]string{"demo", "--samsa", "/bin/sh", "--input", "/nowhere/input"}, "/nowhere/input"},
		{[]string{"demo", "now"}, `"now"`},
		{[]string{"deom"}, `"deom"`},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			command := root()
			command.SetArgs(c.args)
			command.SetOut(&bytes.Buffer{})
			command.SetErr(&bytes.Buffer{})
			if err := command.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestEnvironmentStandsForFlags(t *testing.T) {
	t.Setenv("INPUT", "/some/file")
	t.Setenv("MESSAGES", "7")
	t.Setenv("KEEP", "1")
	flags := demoCommand().Flags()
	for name, want := range map[string]string{"input": "/some/file", "messages": "7", "keep": "true"} {
		if got := flags.Lookup(name).Value.String(); got != want {
			t.Errorf("--%s is %s, want %s", name, got, want)
		}
	}
	t.Setenv("MESSAGES", "many")
	t.Setenv("KEEP", "0")
	flags = demoCommand().Flags()
	if flags.Lookup("messages").Value.String() != "100000" || flags.Lookup("keep").Value.String() != "false" {
		t.Error("what is no number or says no counts")
	}
}
