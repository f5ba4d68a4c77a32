// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"os"
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

func TestSecurity(t *testing.T) {
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
	RunSpecs(t, "Connections that have to be trusted")
	goleak.VerifyNone(t, leaks...)
}

// need skips what cannot be run here, or fails it where it has to be.
func need(release string) {
	GinkgoHelper()
	err := realkafka.Available(release)
	if err == nil {
		return
	}
	if os.Getenv("SAMSA_REQUIRE_JAVA") != "" {
		Fail("SAMSA_REQUIRE_JAVA is set, and " + err.Error())
	}
	Skip(err.Error())
}
