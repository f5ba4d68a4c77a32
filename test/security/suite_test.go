// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

// The releases that the suite is about: the newest, the last with ZooKeeper, and one from before brokers could say why
// they refuse (KIP-152).
const (
	newest   = "4"
	last     = "3.9"
	taciturn = "0.10.2"
)

// releases are those whose specs run; ZooKeeper's own are 3.9's, which brings the server.
var releases = flag.String("kafka", os.Getenv("KAFKA"), "the releases to run, of 4,3.9,0.10.2; none where it is empty")

func TestSecurity(t *testing.T) {
	if *releases == "" {
		return // it needs Java, and minutes
	}
	// A label that no spec has would let the suite pass without having run anything.
	for release := range strings.SplitSeq(*releases, ",") {
		if !slices.Contains([]string{newest, last, taciturn}, release) {
			t.Fatalf("no specs are about Kafka %q: give -kafka some of %s,%s,%s", release, newest, last, taciturn)
		}
	}
	leaks := []goleak.Option{
		goleak.IgnoreCurrent(),
		// Ginkgo's own, which it leaves behind.
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute) // others may be building
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	suite, reporter := GinkgoConfiguration()
	suite.LabelFilter = strings.ReplaceAll(*releases, ",", " || ")
	RunSpecs(t, "Connections that have to be trusted", suite, reporter)
	goleak.VerifyNone(t, leaks...)
}

// need fails a spec that cannot be run here: it was asked for.
func need(release string) {
	GinkgoHelper()
	Expect(realkafka.Available(release)).To(Succeed())
}
