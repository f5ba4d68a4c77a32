// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

func TestCommandsRefuse(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir := "--dir=" + t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"kubeconfig", dir}, "start one with samsa-local up"},
		{[]string{"kubeconfig", "now"}, `"now"`},
		{[]string{"topics", "create"}, "name one topic"},
		{[]string{"topics", "create", "orders", dir}, "start one with samsa-local up"},
		{[]string{"topics", "create", "orders", "--partitions=many"}, "--partitions"},
		{[]string{"topics", "delete"}, `"delete"`},
		{[]string{"publish"}, "name one topic"},
		{[]string{"publish", "lines", dir}, "start one with samsa-local up"},
		{[]string{"logs"}, "name one pod"},
		{[]string{"logs", "demo-0", dir}, "no pod demo-0 has run in namespace default"},
		{[]string{"logs", "demo-0", "-f", dir}, "no pod demo-0 has run in namespace default"},
		{[]string{"up", "now"}, `"now"`},
		{[]string{"up", "--port=many"}, "--port"},
		{[]string{"up", dir, "--kafka=0.8"}, "give modern, 0.7, 3.9 or 4"},
		{[]string{"up", dir, "--sink=" + taken.Addr().String()}, "choose another with --sink"},
		{[]string{"up", dir, "--sink=", "--kube=/nowhere"}, "make kube"},
		{[]string{"up", dir, "--sink=", "--kube=/nowhere", "--samsa=/nowhere/samsa"}, "/nowhere/samsa"},
		{[]string{"up", dir, "--sink=", "--zookeeper=" + taken.Addr().String()}, "choose another with --zookeeper"},
		{[]string{"up", dir, "--sink=", "--kafka=4", "--bootstrap=localhost:1"}, "not 127.0.0.1:port"},
		{[]string{"up", dir, "--sink=", "--kafka=4", "--bootstrap=" + taken.Addr().String()}, "choose another with --bootstrap"},
		{[]string{"up", dir, "--sink=", "--port=99999"}, "address of the API server"},
		{[]string{"up", dir + "/samsa-local.log/no/directory"}, "directory:"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			err := refusal(t, c.args)
			if err == nil || !strings.Contains(err.Error(), c.want) || exitCode(err) != exitUsage {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// read reads all lines of a text as publish does.
func read(t *testing.T, text string) (lines []string, err error) {
	t.Helper()
	read := make(chan []byte)
	var reading sync.WaitGroup
	reading.Go(func() { err = readLines(t.Context(), strings.NewReader(text), read) })
	for line := range read {
		lines = append(lines, string(line))
	}
	reading.Wait()
	return lines, err
}

func TestReadLines(t *testing.T) {
	g := NewWithT(t)
	g.Expect(read(t, "a\n\nb")).To(Equal([]string{"a", "", "b"}))
	longest := strings.Repeat("x", longestLine)
	g.Expect(read(t, longest+"\r\n"+longest+"\n"+longest)).To(Equal([]string{longest, longest, longest}))
	lines, err := read(t, "a\n"+longest+"x\nb\n")
	g.Expect(err).To(MatchError(ContainSubstring("line 2 is longer than 1000000 bytes")))
	g.Expect(lines).To(Equal([]string{"a"}))
}

func TestSinkCounts(t *testing.T) {
	g := NewWithT(t)
	out := gbytes.NewBuffer()
	s, err := openSink(t.Context(), "127.0.0.1:0", out)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(post(t, s.address, "hello", "lines")).To(Equal(http.StatusNoContent))
	g.Expect(post(t, s.address, "hello", "")).To(Equal(http.StatusBadRequest))
	g.Eventually(out, 5*time.Second).Should(gbytes.Say(`sink: 1 messages \(1 new\), last lines/3 at 7: "hello"`))
	g.Expect(s.close()).To(Succeed())
}

// post sends a message as a worker with format Raw does.
func post(t *testing.T, address, value, topic string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, strings.NewReader(value))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Topic": topic, "Partition": "3", "Offset": "7", "Group": "demo", "Claim": "1",
	} {
		if value != "" {
			request.Header.Set("Samsa-"+name, value)
		}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestLogIsFollowedOverRotationAndRestart(t *testing.T) {
	g := NewWithT(t)
	directory := t.TempDir()
	run := filepath.Join(directory, "0.log")
	write := func(path, text string) {
		g.Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	}
	var mu sync.Mutex // guards newest
	newest := run
	find := func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return newest, nil
	}
	write(run, "first\n")
	out := gbytes.NewBuffer()
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { _ = showLog(ctx, find, true, out) })
	g.Eventually(out, 5*time.Second).Should(gbytes.Say("first\n"))

	g.Expect(os.Rename(run, proc.Older(run))).To(Succeed())
	write(run, "second\n")
	g.Eventually(out, 5*time.Second).Should(gbytes.Say("second\n"))

	mu.Lock()
	newest = filepath.Join(directory, "1.log")
	write(newest, "third\n")
	mu.Unlock()
	g.Eventually(out, 5*time.Second).Should(gbytes.Say("third\n"))
	cancel()
	following.Wait()

	var whole bytes.Buffer
	find = func() (string, error) { return run, nil }
	g.Expect(showLog(t.Context(), find, false, io.Writer(&whole))).To(Succeed())
	g.Expect(whole.String()).To(Equal("first\nsecond\n"))
}
