// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/kubetest"
)

var (
	releases = flag.String("kafka", os.Getenv("KAFKA"),
		"the releases to run, as 4,3.9/ZooKeeper,0.8.2; embedded-0.7 where it is empty")
	messages = flag.Int("messages", 2000, "how many messages are published, of each release")
	inSync   = flag.Int("insync", 1, "the topic's min.insync.replicas")
)

func TestPublish(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	RunSpecs(t, "Publishing while brokers and gateways die")
}

// embedded is the name of Kafka 0.7, whose brokers run in this process.
const embedded = "embedded-0.7"

// chosen are the releases that were asked for.
func chosen() []string {
	if *releases == "" {
		return []string{embedded}
	}
	return strings.Split(*releases, ",")
}

// mostTime bounds one run: three minutes for starts and deaths, and a second for each 500 messages.
func mostTime() time.Duration { return 3*time.Minute + time.Duration(*messages)*2*time.Millisecond }

var _ = Describe("200 callers", func() {
	for _, release := range chosen() {
		It("lose nothing that was taken, and find nothing that was refused, with Kafka "+release, func(ctx SpecContext) {
			run(ctx, release)
		}, NodeTimeout(mostTime()))
	}
})

// say prints how it goes and what was found, whether the run fails or not: the numbers are the result.
func say(format string, values ...any) { fmt.Fprintf(os.Stdout, format+"\n", values...) }

func failed() bool { return CurrentSpecReport().Failed() }

// tempDir stays where the spec failed.
func tempDir() string {
	GinkgoHelper()
	directory, err := os.MkdirTemp("", "samsa-publish-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if failed() {
			say("The gateways' logs are kept in %s", directory)
			return
		}
		Expect(os.RemoveAll(directory)).To(Succeed())
	})
	return directory
}

// build builds the product as it is shipped, without the race detector.
func build(ctx context.Context, directory string) string {
	GinkgoHelper()
	binary := filepath.Join(directory, "samsa")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", binary, "./cmd/samsa")
	build.Dir, build.Env = kubetest.Root(), append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", output)
	return binary
}

func run(ctx context.Context, release string) {
	GinkgoHelper()
	s := newStage(ctx, release)
	s.perform(ctx)
	say("Reading the topic ...")
	records, err := s.servers.readAll(ctx)
	Expect(err).NotTo(HaveOccurred())
	v := judge(s.books, records, s.servers.era())
	say("%s", v.table(s))
	Expect(v.violations()).To(BeEmpty())
	if all, is := s.servers.(*machines); is && all.era().once {
		Expect(all.checkHidden(ctx)).To(Succeed())
	}
}
