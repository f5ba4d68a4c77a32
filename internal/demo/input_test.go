// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func inputOf(t *testing.T, text string) (*input, error) {
	t.Helper()
	return firstOf(t, text, math.MaxInt)
}

// firstOf is an input that uses the first most lines of a text.
func firstOf(t *testing.T, text string, most int) (*input, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := openInput(t.Context(), file, most)
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

func TestInputUsesTheFirstLines(t *testing.T) {
	in, err := firstOf(t, "one\ntwo\n"+strings.Repeat("x", maxLine+1)+"\n", 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two", "one", "two"} {
		if line, err := in.next(); err != nil || string(line) != want {
			t.Errorf("got %q, %v, want %s", line, err, want)
		}
	}
}

func TestInputRefuses(t *testing.T) {
	if _, err := openInput(t.Context(), filepath.Join(t.TempDir(), "none"), 1); err == nil ||
		!strings.Contains(err.Error(), "none") {
		t.Errorf("no file: got %v", err)
	}
	if _, err := openInput(t.Context(), t.TempDir(), 1); err == nil ||
		!strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("a directory: got %v", err)
	}
	if _, err := inputOf(t, ""); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty file: got %v", err)
	}
}

func TestInputBoundsLines(t *testing.T) {
	longest := strings.Repeat("x", maxLine) + "\n"
	in, err := inputOf(t, longest)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := in.next(); err != nil || len(line) != maxLine {
		t.Errorf("the longest line: got %d bytes, %v", len(line), err)
	}
	for _, end := range []string{"", "\n", "yyy\nz"} {
		_, err := inputOf(t, longest+strings.Repeat("y", maxLine+1)+end)
		if err == nil || !strings.Contains(err.Error(), "line 2 of ") || !strings.Contains(err.Error(), "shorten it") {
			t.Errorf("one byte more: got %v", err)
		}
	}
}

func TestInputThatChanges(t *testing.T) {
	in, err := inputOf(t, "one\ntwo\nthree\n")
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(in.name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := in.rewind(); err != nil {
			t.Fatal(err)
		}
	}
	write("1\n")
	for range 3 {
		if line, err := in.next(); err != nil || string(line) != "1" {
			t.Errorf("shorter: got %q, %v", line, err)
		}
	}
	write("")
	if _, err := in.next(); !errors.Is(err, io.EOF) {
		t.Errorf("empty: got %v", err)
	}
}

func TestInputIsReadUntilInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := openInput(ctx, "input.go", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDefaultInput(t *testing.T) {
	t.Chdir(t.TempDir())
	in, err := openInput(t.Context(), "", 1)
	if err != nil {
		t.Skip(err)
	}
	defer in.close()
	if _, err := in.next(); err != nil {
		t.Error(err)
	}
}
