// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/gateway"
)

var chosen = flag.String("kafka", os.Getenv("KAFKA"),
	"the Kafka to run against, of 4,3.9,embedded,0.7; the embedded ones where it is empty")

var long = flag.Bool("long", false, "run what takes long as well")

// configEnv makes this binary a gateway, with the configuration that it names.
const configEnv = "SAMSA_TEST_GATEWAY"

// TestMain makes this binary a gateway where that is what it was started for.
func TestMain(m *testing.M) {
	file := os.Getenv(configEnv)
	if file == "" {
		os.Exit(m.Run())
	}
	if err := beGateway(file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// beGateway does what samsa gateway does.
func beGateway(file string) error {
	config, err := gateway.Load(file)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM) //nolint:forbidigo // there is no test here
	defer stop()
	return gateway.Run(ctx, config, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
}

func TestGateway(t *testing.T) {
	var labels []string
	for name := range strings.SplitSeq(*chosen, ",") {
		name, _, _ = strings.Cut(name, "/") // 3.9/ZooKeeper: there is no other
		if name == "" {
			labels = append(labels, embedded, oldest)
			continue
		}
		if _, ok := eras[name]; !ok {
			// A label that no spec has would let the suite pass without having run anything.
			t.Fatalf("no specs are about Kafka %q: give -kafka some of 4,3.9,embedded,0.7", name)
		}
		labels = append(labels, name)
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
	suite.LabelFilter = strings.Join(labels, " || ")
	RunSpecs(t, "What a gateway answers", suite, reporter)
	goleak.VerifyNone(t, leaks...)
}
