// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"go.uber.org/goleak"
)

// brief is a script of planned changes only: a session's end takes as long as it takes.
func brief() []phase {
	return []phase{
		{title: "3 -> 4 workers", lasts: time.Second, act: func(ctx context.Context, c crew) error {
			return c.start(ctx, "demo-3")
		}},
		{title: "4 -> 2 workers", lasts: 1500 * time.Millisecond, act: func(ctx context.Context, c crew) error {
			return c.drain(ctx, "demo-0", "demo-3")
		}},
	}
}

// patient limits are for the race detector on a busy machine. What the product is held to is the real demo's matter.
var patient = bounds{planned: 10 * time.Second, unplanned: 10 * time.Second}

// The whole of it, in seconds.
var _ = Describe("the demo", func() {
	var (
		config    Config
		elsewhere string // is not where temporary files go
	)

	BeforeEach(func() {
		elsewhere = GinkgoT().TempDir()
		before := goleak.IgnoreCurrent()
		DeferCleanup(func() { Eventually(func() error { return goleak.Find(before) }).Should(Succeed()) })
		GinkgoT().Setenv(playWorker, genuine)
		GinkgoT().Setenv("TMPDIR", GinkgoT().TempDir())
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		config = Config{Input: "demo_test.go", Messages: 3000, Binary: self, Out: GinkgoWriter}
	})

	It("delivers everything, once, in order, and leaves nothing behind", func(ctx SpecContext) {
		Expect(perform(ctx, config, brief(), patient)).To(Succeed())
		left, err := os.ReadDir(os.TempDir())
		Expect(err).NotTo(HaveOccurred())
		Expect(left).To(BeEmpty())
	})

	It("goes on with KEEP, says what to try, and drains when interrupted", func(specCtx SpecContext) {
		ctx, interrupt := context.WithCancel(specCtx)
		out := gbytes.NewBuffer()
		config.Out, config.Keep = out, true
		ended := make(chan error, 1)
		go func() { ended <- perform(ctx, config, brief(), patient) }()
		Eventually(out, 30*time.Second).Should(gbytes.Say("longest pause, planned changes .* ok"))
		Eventually(out).Should(gbytes.Say(`curl -s http://127.0.0.1:\d+/v1/status +# demo-1, pid \d+`))
		Consistently(ended, 300*time.Millisecond).ShouldNot(Receive())
		interrupt()
		Eventually(ended).Should(Receive(BeNil()))
		Expect(os.ReadDir(os.TempDir())).To(BeEmpty())
	})

	It("ends its workers when it is interrupted in the middle", func(specCtx SpecContext) {
		ctx, interrupt := context.WithCancel(specCtx)
		out := gbytes.NewBuffer()
		config.Out = out
		ended := make(chan error, 1)
		go func() { ended <- perform(ctx, config, brief(), patient) }()
		Eventually(out, 30*time.Second).Should(gbytes.Say("4 -> 2 workers"))
		interrupt()
		Eventually(ended).Should(Receive(MatchError(ContainSubstring("interrupted during"))))
		Expect(out).To(gbytes.Say("logs: " + os.TempDir()))
	})

	It("refuses a line that does not fit into a message before it starts anything", func(ctx SpecContext) {
		file := filepath.Join(elsewhere, "input")
		Expect(os.WriteFile(file, bytes.Repeat([]byte("x"), maxLine+1), 0o600)).To(Succeed())
		out := gbytes.NewBuffer()
		config.Input, config.Out = file, out
		err := perform(ctx, config, brief(), patient)
		Expect(errors.As(err, &Refusal{})).To(BeTrue())
		Expect(err).To(MatchError(ContainSubstring("line 1 of " + file + " is longer than 1,000,000 bytes")))
		Expect(out.Contents()).To(BeEmpty())
		Expect(os.ReadDir(os.TempDir())).To(BeEmpty())
	})
})
