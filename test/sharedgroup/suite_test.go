// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

var (
	releases = flag.String("kafka", os.Getenv("KAFKA"), "the releases to run, as 0.8.2,1.1; none where it is empty")
	changes  = flag.Int("changes", 10, "how many members join, leave or are killed, of each release")
	seed     = flag.Uint64("seed", uint64(time.Now().UnixNano()), "what the changes are drawn from") //nolint:gosec // any
)

// TestMain makes this binary a member of samsa's where that is what it was started for.
func TestMain(m *testing.M) {
	text := os.Getenv(memberEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var order memberOrder
	err := json.Unmarshal([]byte(text), &order)
	if err == nil {
		err = beMember(order)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestSharedGroup(t *testing.T) {
	if *releases == "" {
		return // it needs Java, and minutes
	}
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	RunSpecs(t, "Shared groups")
}

// chosen are the releases that were asked for.
func chosen() []string {
	if *releases == "" {
		return nil
	}
	return strings.Split(*releases, ",")
}

// say prints what a spec found, whether it fails or not: the numbers are the result.
func say(format string, values ...any) { fmt.Fprintf(os.Stdout, format, values...) }

func manualPartitions() kgo.Opt { return kgo.RecordPartitioner(kgo.ManualPartitioner()) }
