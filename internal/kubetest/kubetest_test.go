// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestStartsAndStops(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	config, stop, err := Start()
	g.Expect(err).NotTo(HaveOccurred())
	t.Log(config.Host)
	g.Expect(stop()).To(Succeed())
	g.Expect(os.ReadDir(os.TempDir())).To(BeEmpty())
}

func TestProgramsEndWithWhoStartedThem(t *testing.T) {
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("no setpriv (util-linux) here")
	}
	g := NewWithT(t)
	assets := t.TempDir()
	program := "#!/bin/sh\necho $$ \"$@\" >'" + filepath.Join(assets, "runs") + "'\nexec sleep 600\n"
	g.Expect(os.WriteFile(filepath.Join(assets, "etcd"), []byte(program), 0o700)).To(Succeed())
	programs, err := mortal(assets)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = os.RemoveAll(programs) })

	// A parent that is killed: it could not end its child.
	parent := exec.CommandContext(t.Context(), "/bin/sh", "-c", filepath.Join(programs, "etcd")+" 'a b' & wait")
	g.Expect(parent.Start()).To(Succeed())
	var child int
	g.Eventually(func() error {
		text, err := os.ReadFile(filepath.Join(assets, "runs"))
		if err == nil {
			_, err = fmt.Sscanf(string(text), "%d a b", &child)
		}
		return err
	}, 5*time.Second).Should(Succeed())
	g.Expect(parent.Process.Kill()).To(Succeed())
	_ = parent.Wait() // killed
	g.Eventually(func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 5*time.Second).Should(BeTrue())
}
