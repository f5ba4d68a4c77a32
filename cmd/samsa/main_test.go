// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// The test binary is the command, too, so that exit codes and signals are the real ones.
const play = "SAMSA_TEST_PLAY"

func TestMain(m *testing.M) {
	switch os.Getenv(play) {
	case "samsa":
		main()
		os.Exit(0)
	case "hang":
		hang()
	}
	os.Exit(m.Run())
}

// hang drains for ever.
func hang() {
	ctx, stop := signals(context.Background()) //nolint:forbidigo // a process of its own
	defer stop()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("draining:", context.Cause(ctx))
	select {}
}

// command is a child process that plays a part, for ten seconds at most.
func command(t *testing.T, part string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	child := exec.CommandContext(ctx, self, args...)
	child.Env = append(os.Environ(), play+"="+part)
	return child
}

func TestExitCodes(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("groop: x\nlisten: nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"version"}, 0, []string{"samsa "}},
		{[]string{"--help"}, 0, []string{"manager", "worker", "version", "publish", "subscribe"}},
		{[]string{"topics"}, 2, []string{"--zookeeper HOST:PORT/CHROOT"}},
		{[]string{"topics", "--zookeeper", "127.0.0.1:1", "--timeout", "100ms"}, 1, []string{"127.0.0.1:1"}},
		{[]string{"wroker"}, 2, []string{`"wroker"`}},
		{[]string{"version", "now"}, 2, []string{`"now"`}},
		{[]string{"manager"}, 2, []string{"--worker-image is missing"}},
		{[]string{"manager", "now"}, 2, []string{`"now"`}},
		{[]string{"manager", "--worker-image", "x", "--namespace", "A_b", "--metrics-bind-address", "here"}, 2, []string{`--namespace: "A_b"`, `--metrics-bind-address: "here"`}},
		{[]string{"manager", "--worker-image", "x", "--log-level", "loud"}, 2, []string{`--log-level: "loud"`}},
		{[]string{"manager", "--worker-image", "x", "--kubeconfig", "/nowhere/x"}, 2, []string{"/nowhere/x"}},
		{[]string{"worker"}, 2, []string{"--config is missing"}},
		{[]string{"worker", "--confg", "x"}, 2, []string{"--confg"}},
		{[]string{"worker", "--config", "x", "--log-format", "xml"}, 2, []string{`--log-format: "xml"`}},
		{[]string{"worker", "--config", "x", "--log-level", "loud"}, 2, []string{`--log-level: "loud"`}},
		{[]string{"worker", "--config", "/nowhere/x"}, 2, []string{"/nowhere/x"}},
		{[]string{"worker", "--config", bad}, 2, []string{bad, "groop: ", "group: ", "topics: ", "sink: ", "listen: "}},
		{[]string{"worker", "--config", bad, "--address", "a:1"}, 2, []string{`--address: "a:1" is no host`, "groop: "}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			out, err := command(t, "samsa", c.args...).CombinedOutput()
			if code := exitCode(err); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, text := range c.says {
				if !bytes.Contains(out, []byte(text)) {
					t.Errorf("%q is not in\n%s", text, out)
				}
			}
		})
	}
}

func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}

// A worker whose cluster cannot be reached waits, and one that is asked to end has nothing to drain: exit code 0.
func TestWorkerDrainsOnSIGTERM(t *testing.T) {
	config := filepath.Join(t.TempDir(), "worker.yaml")
	text := `{group: g, topics: [t], sink: {discard: {}}, listen: "127.0.0.1:0",
		cluster: {zookeeper: {connect: "127.0.0.1:1"}}}`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	child := command(t, "samsa", "worker", "--config", config, "--log-format", "json")
	log, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, log, `"msg":"Listening"`)
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(log)
	if err := child.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, rest)
	}
	if !bytes.Contains(rest, []byte("Left the group")) {
		t.Errorf("the log does not say so:\n%s", rest)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	child := command(t, "hang")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, out, "ready")
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	again := time.NewTicker(sameSignal)
	defer again.Stop()
	for {
		_ = child.Process.Signal(syscall.SIGTERM) // fails once it has ended
		select {
		case err := <-ended:
			if exitCode(err) != exitFailure {
				t.Errorf("ended with %v", err)
			}
			return
		case <-again.C:
		}
	}
}

// Who supervises a process often signals it and its whole group: that is no second wish.
func TestSignalsAtOnceAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received, done := make(chan os.Signal), make(chan struct{})
		var exits []int
		ctx, cancel := context.WithCancelCause(t.Context())
		go heed(received, done, cancel, func(code int) { exits = append(exits, code) })
		defer close(done)
		received <- syscall.SIGTERM
		<-ctx.Done()
		received <- syscall.SIGTERM
		synctest.Wait()
		if len(exits) != 0 {
			t.Error("the second signal at once ended the process")
		}
		<-time.After(2 * sameSignal)
		received <- syscall.SIGINT
		synctest.Wait()
		if !slices.Equal(exits, []int{exitFailure}) {
			t.Errorf("the late one: %v", exits)
		}
	})
}

// until reads until a text comes, or the output ends.
func until(t *testing.T, out io.Reader, text string) {
	t.Helper()
	var seen bytes.Buffer
	for b := make([]byte, 1); !strings.Contains(seen.String(), text); {
		if _, err := out.Read(b); err != nil {
			return
		}
		seen.Write(b)
	}
}

func TestDescribe(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := describe(info); !strings.HasPrefix(got, "samsa v1.2.3 abc (modified) go") {
		t.Errorf("got %q", got)
	}
	if got := describe(nil); !strings.HasPrefix(got, "samsa unknown go") {
		t.Errorf("got %q", got)
	}
}
