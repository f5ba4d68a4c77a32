// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// wanted is how many connections are to idle; spare what else this process and the gateway need of descriptors.
	wanted, spare = 10_000, 2_000
	// mostEach is what an idle connection may cost: three times the 20 KiB that gateway.NewServer tells, since what the
	// runtime has taken from the system it gives back late.
	mostEach = 60 << 10
)

// crowd are connections without requests.
func crowd(s *stage) {
	It("has room for 10,000 idle connections, and for a request beside them", func(ctx SpecContext) {
		count := crowdSize()
		p := s.process["main"]
		before := resident(p)
		begin := time.Now()
		conns := idle(ctx, p, count)
		defer func() {
			for _, conn := range conns {
				_ = conn.Close()
			}
		}()
		f := formats()[0]
		Expect(s.publish(ctx, p, f, some(f)).status).To(Equal(http.StatusCreated))
		grown := resident(p) - before
		fmt.Fprintf(os.Stdout, "Kafka %s: %d idle connections in %s, %d KiB each\n",
			s.label, count, time.Since(begin).Round(time.Millisecond), grown/count>>10)
		if raced() {
			return // its shadow is as large again, and more
		}
		Expect(grown/count).To(BeNumerically("<", mostEach), "bytes for each connection")
	})
}

// crowdSize is how many there may be: as many descriptors has each of both processes.
func crowdSize() int {
	GinkgoHelper()
	var limit syscall.Rlimit
	Expect(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)).To(Succeed())
	Expect(limit.Cur).To(BeNumerically(">", spare))
	return int(min(limit.Cur-spare, wanted)) //nolint:gosec // below wanted
}

// idle opens connections that have had a request each.
func idle(ctx context.Context, p *process, count int) []net.Conn {
	GinkgoHelper()
	conns := make([]net.Conn, count)
	const openers = 32
	var opening sync.WaitGroup
	for opener := range openers {
		opening.Go(func() {
			defer GinkgoRecover()
			for i := opener; i < count; i += openers {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
				Expect(err).NotTo(HaveOccurred())
				conns[i] = conn
				_, err = conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
				Expect(err).NotTo(HaveOccurred())
				line, err := bufio.NewReaderSize(conn, 512).ReadString('\n')
				Expect(err).NotTo(HaveOccurred())
				Expect(line).To(ContainSubstring("200 OK"))
			}
		})
	}
	opening.Wait()
	return conns
}

// resident is the memory of a process, in bytes; 0 where the system does not tell it so.
func resident(p *process) int {
	GinkgoHelper()
	if runtime.GOOS != "linux" {
		return 0
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	Expect(err).NotTo(HaveOccurred())
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			Expect(err).NotTo(HaveOccurred())
			return kib << 10
		}
	}
	Fail("no VmRSS")
	return 0
}

// raced says that this binary, which the gateways are too, was built with the race detector.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == "-race" && s.Value == "true"
	})
}
