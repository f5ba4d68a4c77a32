// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/realzk"
)

// tick makes sessions of 0.4 s to 4 s, on both servers.
const tick = 200 * time.Millisecond

func TestZooKeeper(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "ZooKeeper")
}

// target is a server under the shared specs, embedded or real.
type target interface {
	Addr() string
	Restart(ctx context.Context) error
	Close() error
	Freeze()
	Thaw()
}

type embeddedTarget struct{ *Server }

func (t embeddedTarget) Freeze() { t.Faults().Freeze() }
func (t embeddedTarget) Thaw()   { t.Faults().Thaw() }

type realTarget struct{ *realzk.Server }

func (t realTarget) Freeze() { Expect(t.Stop()).To(Succeed()) }
func (t realTarget) Thaw()   { Expect(t.Continue()).To(Succeed()) }

// targets live as long as the suite: starting the real one costs a second. Specs stay apart by paths.
var targets = map[string]target{}

var failed atomic.Bool

// before are the goroutines of the test runner.
var before goleak.Option

var _ = ReportAfterEach(func(r SpecReport) {
	if r.Failed() {
		failed.Store(true)
	}
})

var _ = BeforeSuite(func(ctx SpecContext) {
	before = goleak.IgnoreCurrent()
	s, err := Start(ctx, Config{
		TickTime: tick,
		Logger:   slog.New(slog.NewTextHandler(GinkgoWriter, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	Expect(err).NotTo(HaveOccurred())
	targets["embedded"] = embeddedTarget{s}
	if _, ok := realzk.Available(); !ok {
		return
	}
	child, err := realzk.Start(ctx, realzk.Config{TickTime: tick, Keep: failed.Load})
	Expect(err).NotTo(HaveOccurred())
	targets["real"] = realTarget{child}
})

var _ = AfterSuite(func() {
	for _, t := range targets {
		Expect(t.Close()).To(Succeed())
	}
	Eventually(func() error { return goleak.Find(before) }).Should(Succeed())
})

// onBoth runs the same specs on the embedded and on the real server.
func onBoth(text string, specs func(server func() target)) bool {
	for _, name := range []string{"embedded", "real"} {
		Describe(text+" on the "+name+" server", Label(name), func() {
			BeforeEach(func() {
				if reason, ok := realzk.Available(); name == "real" && !ok {
					Skip(reason)
				}
			})
			specs(func() target { return targets[name] })
		})
	}
	return true
}

var paths atomic.Int64

// ownPath is a path no other spec uses.
func ownPath() string { return "/spec-" + strconv.FormatInt(paths.Add(1), 10) }

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// dial connects with go-zookeeper and waits for the session.
func dial(t target, timeout time.Duration) *zk.Conn {
	GinkgoHelper()
	conn, events, err := zk.Connect([]string{t.Addr()}, timeout, zk.WithLogger(quiet{}))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(conn.Close)
	Eventually(events).Should(Receive(HaveField("State", zk.StateHasSession)))
	return conn
}

func open() []zk.ACL { return zk.WorldACL(zk.PermAll) }

func mustCreate(conn *zk.Conn, path string, flags int32) string {
	GinkgoHelper()
	made, err := conn.Create(path, []byte("x"), flags, open())
	Expect(err).NotTo(HaveOccurred())
	return made
}
