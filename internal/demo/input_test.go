// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func inputOf(t *testing.T, text string) (*input, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := openInput(file)
	if err == nil {
		t.Cleanup(in.close)
	}
	return in, err
}

func TestInputGivesEveryLineAsItIsAgainAndAgain(t *testing.T) {
	in, err := inputOf(t, "first\n\n tab\t\r\nlast without end")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"first", "", " tab\t\r", "last without end"}
	for i := range 3 * len(want) {
		line, err := in.next()
		if err != nil || string(line) != want[i%len(want)] {
			t.Errorf("line %d: got %q, %v", i, line, err)
		}
	}
	if in.lines != len(want) {
		t.Errorf("counted %d lines", in.lines)
	}
}

func TestInputLinesDoNotChangeLater(t *testing.T) {
	in, err := inputOf(t, "one\ntwo\n")
	if err != nil {
		t.Fatal(err)
	}
	one, _ := in.next()
	if _, err := in.next(); err != nil || string(one) != "one" {
		t.Errorf("got %q, %v", one, err)
	}
}

func TestInputRefuses(t *testing.T) {
	if _, err := openInput(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("no file: got %v", err)
	}
	if _, err := openInput(t.TempDir()); err == nil {
		t.Error("a directory was taken")
	}
	if _, err := inputOf(t, ""); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty file: got %v", err)
	}
}

func TestInputBoundsLines(t *testing.T) {
	in, err := inputOf(t, strings.Repeat("x", maxLine)+"\n"+strings.Repeat("y", maxLine+1)+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if line, err := in.next(); err != nil || len(line) != maxLine {
		t.Errorf("the longest line: got %d bytes, %v", len(line), err)
	}
	if _, err := in.next(); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("one byte more: got %v", err)
	}
}

func TestDefaultInput(t *testing.T) {
	t.Chdir(t.TempDir())
	in, err := openInput("")
	if err != nil {
		t.Skip(err)
	}
	defer in.close()
	if _, err := in.next(); err != nil {
		t.Error(err)
	}
}
