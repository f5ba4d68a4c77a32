// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/demo"
)

// samples are what the demo declares, seen from here.
const samples = "../../config/samples"

// refusal is what the command says to arguments that it cannot work with.
func refusal(t *testing.T, args []string) error {
	t.Helper()
	command := root()
	command.SetArgs(args)
	command.SetOut(&bytes.Buffer{})
	command.SetErr(&bytes.Buffer{})
	return command.ExecuteContext(t.Context())
}

func TestDemoRefuses(t *testing.T) {
	const numbers = "give a number of messages from 1 to 10000000, in digits only"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"demo", "--messages", "0"}, "--messages=0: " + numbers},
		{[]string{"demo", "--messages", "10000001"}, "--messages=10000001: " + numbers},
		{[]string{"demo", "--messages", "abc"}, "--messages=abc: " + numbers},
		{[]string{"demo", "--keep=maybe"}, `"--keep"`},
		{[]string{"demo", "--kafka=0.8"}, `--kafka=0.8: there is no Kafka "0.8" here: give modern, 0.7, 3.9 or 4`},
		{[]string{"demo", "--kepe"}, "--kepe"},
		{[]string{"demo", "--samples", samples, "--input", "/nowhere/input"}, "/nowhere/input"},
		{[]string{"demo", "--samples", "/nowhere"}, "samples: stat /nowhere/kustomization.yaml"},
		{[]string{"demo", "now"}, `"now"`},
		{[]string{"deom"}, `"deom"`},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			err := refusal(t, c.args)
			if err == nil || !strings.Contains(err.Error(), c.want) || exitCode(err) != exitUsage {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestDemoRefusesTheEnvironmentToo(t *testing.T) {
	t.Setenv("MESSAGES", "abc")
	t.Setenv("KEEP", "maybe")
	t.Setenv("KAFKA", "8")
	err := refusal(t, []string{"demo"})
	want := "MESSAGES=abc: give a number of messages from 1 to 10000000, in digits only\n" +
		"KEEP=maybe: give 1 or 0, or leave it out\n" +
		`KAFKA=8: there is no Kafka "8" here: give modern, 0.7, 3.9 or 4`
	if err == nil || err.Error() != want || exitCode(err) != exitUsage {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestExitCodes(t *testing.T) {
	for err, want := range map[error]int{
		demo.ErrBroken: exitFailure, errors.New("any"): exitFailure, usage{errors.New("any")}: exitUsage,
	} {
		if got := exitCode(err); got != want {
			t.Errorf("%v: got %d, want %d", err, got, want)
		}
	}
}

func TestEnvironmentStandsForFlags(t *testing.T) {
	t.Setenv("INPUT", "/nowhere/it's a file")
	t.Setenv("MESSAGES", "7")
	t.Setenv("KEEP", "1")
	t.Setenv("KAFKA", "0.7")
	flags := demoCommand().Flags()
	for name, want := range map[string]string{"input": "/nowhere/it's a file", "messages": "7", "kafka": "0.7"} {
		if got := flags.Lookup(name).Value.String(); got != want {
			t.Errorf("--%s is %s, want %s", name, got, want)
		}
	}
	err := refusal(t, []string{"demo", "--samples", samples})
	if err == nil || !strings.Contains(err.Error(), "it's a file") {
		t.Errorf("INPUT: got %v", err)
	}
	t.Setenv("MESSAGES", "abc") // does not matter where the flag is given
	t.Setenv("KEEP", "maybe")
	t.Setenv("KAFKA", "8")
	err = refusal(t, []string{
		"demo", "--samples", samples, "--input=/nowhere/other", "--messages=8", "--keep", "--kafka=modern",
	})
	if err == nil || !strings.HasPrefix(err.Error(), "input: stat /nowhere/other") {
		t.Errorf("flags are given: got %v", err)
	}
}

func TestYes(t *testing.T) {
	for text, want := range map[string]bool{"": false, "0": false, "false": false, "1": true, "true": true} {
		if got, err := yes("KEEP", text); got != want || err != nil {
			t.Errorf("%q: got %t, %v", text, got, err)
		}
	}
}
