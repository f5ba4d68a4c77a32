// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/gateway"
	"github.com/samsa-dev/samsa/internal/local/proc"
)

// process is a gateway.
type process struct {
	*proc.Process
	log *said
	// address is for callers, private for probes.
	address, private string
}

// launch starts a gateway. It may not listen yet; see await.
func launch(name, config string, env ...string) *process {
	GinkgoHelper()
	file := filepath.Join(GinkgoT().TempDir(), name+".yaml")
	Expect(os.WriteFile(file, []byte(config), 0o600)).To(Succeed())
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	p := &process{log: newSaid(name)}
	p.Process, err = proc.Start(proc.Command{
		Name: name, Path: self, Dir: filepath.Dir(file), Output: p.log,
		Env: append(env, configEnv+"="+file, "GORACE=halt_on_error=1"),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { p.Kill() })
	return p
}

// await waits until it listens.
func (p *process) await(ctx context.Context) {
	GinkgoHelper()
	listens := func() string { return p.log.address(gateway.ListeningInternalMessage) }
	Eventually(ctx, listens).ShouldNot(BeEmpty(), p.log.text)
	p.address, p.private = p.log.address(gateway.ListeningMessage), p.log.address(gateway.ListeningInternalMessage)
}

// leave tells it to end in order.
func (p *process) leave() {
	GinkgoHelper()
	Expect(p.Signal(syscall.SIGTERM)).To(Succeed())
}

// left waits for the end, which has to be a good one.
func (p *process) left(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, p.Done()).WithTimeout(time.Minute).Should(BeClosed(), p.log.text)
	Expect(p.Exit().Code).To(BeZero(), p.log.text)
}

// said is what a process wrote. Safe for concurrent use.
type said struct {
	name string
	mu   sync.Mutex
	all  bytes.Buffer
}

func newSaid(name string) *said { return &said{name: name} }

// Write implements io.Writer.
func (s *said) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(text)
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name + " wrote:\n" + s.all.String()
}

// line finds the first line of the log with a message; nil if there is none.
func (s *said) line(message string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range bytes.Lines(s.all.Bytes()) {
		var fields map[string]any
		if json.Unmarshal(line, &fields) == nil && fields["msg"] == message {
			return fields
		}
	}
	return nil
}

func (s *said) address(message string) string {
	address, _ := s.line(message)["address"].(string)
	return address
}
