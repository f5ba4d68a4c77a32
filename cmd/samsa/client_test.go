// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// startWorld runs a Kafka that ends with the test.
func startWorld(t *testing.T) *world.World {
	t.Helper()
	w, err := world.Start(t.Context(), world.Config{Topics: map[string]int32{"orders": 3}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// output is that of a command which succeeds.
func output(t *testing.T, in string, args ...string) string {
	t.Helper()
	child := command(t, "samsa", args...)
	child.Stdin = strings.NewReader(in)
	out, err := child.Output()
	if err != nil {
		t.Fatalf("samsa %q: %v: %s", args, err, stderr(err))
	}
	return string(out)
}

func stderr(err error) string {
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as Output returns it
		return string(exit.Stderr)
	}
	return ""
}

// subscriber is a subscribe that is running.
func subscriber(t *testing.T, w *world.World, args ...string) (*exec.Cmd, io.ReadCloser) {
	t.Helper()
	child := command(t, "samsa", append([]string{"subscribe", "orders", "--zookeeper", w.Connect()}, args...)...)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child, out
}

func TestSubscribeLeavesOnSIGINT(t *testing.T) {
	w := startWorld(t)
	at := []string{"--zookeeper", w.Connect()}
	child, out := subscriber(t, w, "--group", "billing")
	said := output(t, "one\ntwo\nthree", append([]string{"publish", "orders"}, at...)...)
	if !strings.HasPrefix(said, "3 messages acknowledged") {
		t.Errorf("publish: %s", said)
	}
	lines := bufio.NewScanner(out)
	var values []string
	for len(values) < 3 && lines.Scan() {
		values = append(values, lines.Text())
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(values, want) {
		t.Errorf("got %q, want %q", values, want)
	}
	if err := child.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(out); len(rest) > 0 {
		t.Errorf("wrote %q afterwards", rest)
	}
	if err := child.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	group := output(t, "", append([]string{"groups", "billing", "-o", "json"}, at...)...)
	if !strings.Contains(group, `"members":[]`) || strings.Count(group, `"lag":0`) != 3 {
		t.Errorf("the group after it: %s", group)
	}
}

// samsa subscribe | head -n 1
func TestSubscribeEndsWithItsPipe(t *testing.T) {
	w := startWorld(t)
	at := []string{"--zookeeper", w.Connect()}
	child, out := subscriber(t, w, "--group", "billing")
	output(t, "", append([]string{"publish", "orders", "one"}, at...)...)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "one\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	_ = out.Close()
	output(t, "", append([]string{"publish", "orders", "two"}, at...)...)
	if err := child.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	// What nobody read is delivered again, and nothing else.
	again := output(t, "", append([]string{"subscribe", "orders", "--group", "billing", "--count", "1"}, at...)...)
	if again != "two\n" {
		t.Errorf("got %q", again)
	}
}
