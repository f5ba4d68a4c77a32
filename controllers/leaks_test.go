// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

const cachePackage = "sigs.k8s.io/controller-runtime/pkg/cache"

// leftToLibraries are goroutines that the libraries keep for the process: connections stay for whoever comes next.
func leftToLibraries() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("net/http.(*http2ClientConn).readLoop"),
		goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*ClientConn).readLoop"),
		goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*clientConnReadLoop).run"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("github.com/onsi/ginkgo/v2/internal.(*Suite).runNode.func3"),
		// They wait for the first list of a cache, and nothing ends them when the cache is stopped before it came.
		goleak.IgnoreTopFunction(cachePackage + ".newMultiNamespaceInformer.func1"),
		goleak.IgnoreTopFunction(cachePackage + ".newMultiNamespaceInformerHandlerRegistration.func1"),
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
}

// frames is how many functions of a goroutine are told: the library's that it waits in, and whose call that is.
const frames = 4

// leaks are the goroutines that are left, a short line for each kind: the whole of their stacks is so long that the
// output of a failure is cut before it comes to what matters.
func leaks(ignored ...goleak.Option) []string {
	err := goleak.Find(ignored...)
	if err == nil {
		return nil
	}
	found := map[string]int{}
	for stack := range strings.SplitSeq(err.Error(), "Goroutine ") {
		if line := summary(stack); line != "" {
			found[line]++
		}
	}
	lines := make([]string, 0, len(found))
	for line, count := range found {
		lines = append(lines, fmt.Sprintf("%d x %s", count, line))
	}
	slices.Sort(lines)
	return lines
}

var (
	stateOf   = regexp.MustCompile(`in state ([^,]+),`)
	callOf    = regexp.MustCompile(`(?m)^([^\s(]\S*(?:\(\*\w+\))?\S*)\([^()]*\)$`)
	creatorOf = regexp.MustCompile(`(?m)^created by (\S+)`)
)

// summary is the state of a goroutine, its uppermost functions and who made it.
func summary(stack string) string {
	state := stateOf.FindStringSubmatch(stack)
	if state == nil {
		return ""
	}
	var calls []string
	for _, call := range callOf.FindAllStringSubmatch(stack, -1) {
		if !strings.HasPrefix(call[1], "internal/poll.") && len(calls) < frames { // how one waits for a network is known
			calls = append(calls, call[1][strings.LastIndex(call[1], "/")+1:])
		}
	}
	line := state[1] + ": " + strings.Join(calls, " < ")
	if creator := creatorOf.FindStringSubmatch(stack); creator != nil {
		line += ", of " + creator[1][strings.LastIndex(creator[1], "/")+1:]
	}
	return line
}

func TestALeakIsALine(t *testing.T) {
	stay := make(chan struct{})
	defer close(stay)
	known := goleak.IgnoreCurrent()
	for range 2 {
		go func() { <-stay }()
	}
	const want = "2 x chan receive: controllers_test.TestALeakIsALine.func1, of controllers_test.TestALeakIsALine"
	if found := leaks(known); !slices.Equal(found, []string{want}) {
		t.Errorf("got %q, want %q", found, want)
	}
}
