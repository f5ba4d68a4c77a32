// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// drain reads a source to its end.
func drain(s source) (values []string, err error) {
	for {
		value, err := s.next()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return values, err
		}
		values = append(values, string(value))
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 10_000) // longer than the buffer of the reader
	for in, want := range map[string][]string{
		"":               nil,
		"\n":             {""},
		"a":              {"a"},
		"a\n":            {"a"},
		"a\n\nb\r\n\xff": {"a", "", "b\r", "\xff"},
		long + "\nb":     {long, "b"},
	} {
		got, err := drain(newLines(iotest.OneByteReader(strings.NewReader(in)), 10_000))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%.20q: got %.60q, %v", in, got, err)
		}
	}
}

func TestLinesThatAreTooLong(t *testing.T) {
	for _, length := range []int{11, 5000} {
		got, err := drain(newLines(strings.NewReader("a\n"+strings.Repeat("x", length)+"\nb"), 10))
		if len(got) != 1 || err == nil || !strings.HasPrefix(err.Error(), "line 2 is longer than 10 bytes") {
			t.Errorf("%d: got %q, %v", length, got, err)
		}
	}
	if got, err := drain(newLines(strings.NewReader(strings.Repeat("x", 10)+"\n"), 10)); len(got) != 1 || err != nil {
		t.Errorf("exactly as long as it may be: got %q, %v", got, err)
	}
}

func TestALineThatCannotBeRead(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("a\nhalf"), iotest.ErrReader(io.ErrClosedPipe))
	got, err := drain(newLines(broken, 10))
	if !errors.Is(err, io.ErrClosedPipe) || !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q, %v: half a line is no message", got, err)
	}
}

func frame(values ...string) (all []byte) {
	for _, value := range values {
		all = append(binary.BigEndian.AppendUint32(all, uint32(len(value))), value...) //nolint:gosec // short
	}
	return all
}

func TestFrames(t *testing.T) {
	want := []string{"a\nb", "", "\x00"}
	got, err := drain(newFrames(iotest.HalfReader(bytes.NewReader(frame(want...))), 3))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFramesThatAreNone(t *testing.T) {
	good := frame("abc")
	huge := slices.Concat(good, []byte{255, 255, 255, 255})
	for says, in := range map[string][]byte{
		"frame 2 (at byte 7): the input ends after 2 of the 4 bytes of its length":      append(good[:7:7], 0, 0),
		"frame 2 (at byte 7): the input ends after 1 of its 5 bytes":                    append(good[:7:7], 0, 0, 0, 5, 'x'),
		"frame 2 (at byte 7): the input ends after 0 of its 5 bytes":                    append(good[:7:7], 0, 0, 0, 5),
		"frame 2 (at byte 7) has 4294967295 bytes; the most that a message may have is": huge,
	} {
		got, err := drain(newFrames(bytes.NewReader(in), 1000))
		if len(got) != 1 || err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("got %q, %v, want %s", got, err, says)
		}
	}
}

// What a length claims may not cost memory before it comes.
func TestAFramesClaimTakesNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := drain(newFrames(bytes.NewReader([]byte{0x3f, 255, 255, 255, 'x'}), 1<<30))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 1<<20 {
		t.Errorf("%d bytes for 5, %v", grown, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frame("a", "", "bc"))
	f.Add([]byte{0, 0, 0, 9, 'x'})
	f.Add([]byte{255, 255, 255, 255})
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 64
		values, err := drain(newFrames(bytes.NewReader(in), limit))
		again := frame(values...)
		if !bytes.HasPrefix(in, again) {
			t.Errorf("what was read is not what was there: %q", values)
		}
		if (err == nil) != (len(again) == len(in)) {
			t.Errorf("read %d of %d bytes: %v", len(again), len(in), err)
		}
		for _, value := range values {
			if len(value) > limit {
				t.Errorf("a message of %d bytes", len(value))
			}
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\nb"))
	f.Add([]byte("\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		values, err := drain(newLines(bytes.NewReader(in), len(in)))
		if again := strings.Join(values, "\n"); err != nil || again != strings.TrimSuffix(string(in), "\n") {
			t.Errorf("%q became %q, %v", in, values, err)
		}
	})
}

func TestFiles(t *testing.T) {
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, empty, long := write("a", "abc\n"), write("empty", ""), write("long", "abcde")
	if got, err := drain(&files{[]string{a, empty}, 4}); err != nil || !slices.Equal(got, []string{"abc\n", ""}) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := drain(&files{[]string{long}, 4}); err == nil || !strings.Contains(err.Error(), long) {
		t.Errorf("got %v", err)
	}
	if _, err := drain(&files{[]string{"/nowhere/x"}, 4}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestArguments(t *testing.T) {
	got, err := drain(&arrived{values: []string{"a", "", "bcdef"}, limit: 4})
	if !slices.Equal(got, []string{"a", ""}) || err == nil ||
		!strings.HasPrefix(err.Error(), "message 3 of the command line has 5") {
		t.Errorf("got %q, %v", got, err)
	}
}
