// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shell runs a script with its output in a file.
func shell(t *testing.T, script string) (process *Process, log string) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "log")
	output, err := OpenLog(log, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = output.Close() })
	process, err = Start(Command{
		Name: "shell", Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Output: output,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Kill() })
	return process, log
}

func TestTellsHowItEnded(t *testing.T) {
	g := NewWithT(t)
	process, log := shell(t, "echo out; echo err >&2; exit 3")
	exit := process.Exit()
	g.Expect(exit.Code).To(Equal(3))
	g.Expect(exit.String()).To(Equal("exit code 3"))
	g.Expect(Tail(log, 10)).To(Equal("out\nerr"))
	g.Expect(Tail(log, 1)).To(Equal("err"))
	g.Expect(process.Signal(syscall.SIGTERM)).To(MatchError(os.ErrProcessDone))
	g.Expect(process.Kill()).To(Equal(exit))
}

func TestStopsByTermThenKill(t *testing.T) {
	g := NewWithT(t)
	gentle, _ := shell(t, "sleep 60")
	g.Expect(gentle.Stop(t.Context(), time.Minute).Signal).To(Equal(syscall.SIGTERM))

	deaf, log := shell(t, "trap '' TERM; echo deaf; while :; do sleep 1; done")
	g.Eventually(func() string { return Tail(log, 1) }, 5*time.Second).Should(Equal("deaf"))
	g.Expect(deaf.Stop(t.Context(), 100*time.Millisecond)).To(HaveField("Code", 128+9))
}

func TestKillsTheWholeGroup(t *testing.T) {
	for name, script := range map[string]string{
		"leader ends by itself": "sleep 600 & echo $!",
		"leader is killed":      "sleep 600 & echo $!; wait",
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			process, log := shell(t, script)
			g.Eventually(func() string { return Tail(log, 1) }, 5*time.Second).ShouldNot(BeEmpty())
			child, err := strconv.Atoi(Tail(log, 1))
			g.Expect(err).NotTo(HaveOccurred())
			if strings.HasSuffix(script, "wait") {
				process.Kill()
			}
			process.Exit()
			g.Eventually(func() bool { return gone(child) }, 5*time.Second).Should(BeTrue())
		})
	}
}

// gone reports whether a process is dead; one that nobody waits for yet counts as well.
func gone(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(status), ") Z ")
}

func TestInheritsNothing(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("SAMSA_SECRET", "1")
	process, log := shell(t, "env | grep SAMSA_SECRET; echo done")
	process.Exit()
	g.Expect(Tail(log, 10)).To(Equal("done"))
}

func TestStartFails(t *testing.T) {
	_, err := Start(Command{Name: "nothing", Path: "/nowhere/nothing"})
	NewWithT(t).Expect(err).To(MatchError(os.ErrNotExist))
}

func TestLogIsBounded(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "log")
	log, err := OpenLog(path, 10)
	g.Expect(err).NotTo(HaveOccurred())
	for _, line := range []string{"first\n", "second\n", "third\n", "4\n"} {
		_, err := log.Write([]byte(line))
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(log.Close()).To(Succeed())
	g.Expect(os.ReadFile(path)).To(BeEquivalentTo("third\n4\n"))
	g.Expect(os.ReadFile(Older(path))).To(BeEquivalentTo("second\n"))
}

func TestLogGoesOnWhereItCannotBeRotated(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "log")
	g.Expect(os.Mkdir(Older(path), 0o700)).To(Succeed())
	log, err := OpenLog(path, 10)
	g.Expect(err).NotTo(HaveOccurred())
	for _, line := range []string{"first\n", "second\n", "third\n", "4\n"} {
		_, err := log.Write([]byte(line))
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(log.Close()).To(Succeed())
	g.Expect(os.ReadFile(path)).To(BeEquivalentTo("third\n4\n"))
}

// fickle fails its first write.
type fickle struct {
	failed bool
	text   strings.Builder
}

func (f *fickle) Write(text []byte) (int, error) {
	if !f.failed {
		f.failed = true
		return 0, os.ErrPermission
	}
	return f.text.Write(text)
}

func TestOutputGoesOnAfterAFailedWrite(t *testing.T) {
	g := NewWithT(t)
	output := &fickle{}
	process, err := Start(Command{
		Name: "shell", Path: "/bin/sh", Args: []string{"-c", "echo lost; sleep 0.2; echo kept"},
		Env: []string{"PATH=/usr/bin:/bin"}, Output: output,
	})
	g.Expect(err).NotTo(HaveOccurred())
	process.Exit()
	g.Expect(output.text.String()).To(Equal("kept\n"))
}
