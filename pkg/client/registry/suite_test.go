// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/internal/realzk"
)

// tick lets sessions last from 0.4 s to 4 s.
const tick = 200 * time.Millisecond

// sessionTimeout is five ticks: expiry is waited for in many specs, and a busy machine may not cause it.
const sessionTimeout = 5 * tick

func TestRegistry(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(15 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	SetDefaultConsistentlyDuration(100 * time.Millisecond)
	RunSpecs(t, "Registry")
}

// target is a server under the specs, embedded or real.
type target interface {
	Addr() string
	Restart(ctx context.Context) error
	Close() error
	// Freeze makes the server silent; connections to it still succeed.
	Freeze()
	Thaw()
}

type embeddedTarget struct{ *zookeeper.Server }

func (t embeddedTarget) Freeze() { t.Faults().Freeze() }
func (t embeddedTarget) Thaw()   { t.Faults().Thaw() }

type realTarget struct{ *realzk.Server }

func (t realTarget) Freeze() { Expect(t.Stop()).To(Succeed()) }
func (t realTarget) Thaw()   { Expect(t.Continue()).To(Succeed()) }

const (
	onEmbedded = "embedded"
	onReal     = "real"
)

// targets live as long as the suite: the real one needs a second to start. Each spec has a chroot of its own.
var targets = map[string]target{}

// admins are connections beside those under test, one per server.
var admins = map[string]*zk.Conn{}

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
	embedded, err := zookeeper.Start(ctx, zookeeper.Config{TickTime: tick})
	Expect(err).NotTo(HaveOccurred())
	targets[onEmbedded] = embeddedTarget{embedded}
	if _, ok := realzk.Available(); ok {
		java, err := realzk.Start(ctx, realzk.Config{TickTime: tick, Keep: failed.Load})
		Expect(err).NotTo(HaveOccurred())
		targets[onReal] = realTarget{java}
	}
	for name, server := range targets {
		admins[name] = connect(server.Addr())
	}
})

var _ = AfterSuite(func() {
	for _, admin := range admins {
		admin.Close()
	}
	for _, server := range targets {
		Expect(server.Close()).To(Succeed())
	}
	Eventually(func() error { return goleak.Find(before) }).Should(Succeed())
})

// onBoth runs the same specs on the embedded and on the real server.
func onBoth(text string, specs func(w *world)) bool {
	for _, name := range []string{onEmbedded, onReal} {
		Describe(text+" on the "+name+" server", Label(name), func() { inWorld(name, specs) })
	}
	return true
}

// underFaults runs specs on the embedded server, which can misbehave on purpose.
func underFaults(text string, specs func(w *world)) bool {
	return Describe(text, Label(onEmbedded), func() { inWorld(onEmbedded, specs) })
}

var worlds atomic.Int64

func inWorld(name string, specs func(w *world)) {
	w := &world{}
	BeforeEach(func() {
		if reason, ok := realzk.Available(); name == onReal && !ok {
			Skip(reason)
		}
		*w = world{
			target: targets[name], admin: admins[name],
			chroot: "/spec-" + strconv.FormatInt(worlds.Add(1), 10),
		}
		w.create("/", "")
	})
	specs(w)
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

func connect(addr string) *zk.Conn {
	GinkgoHelper()
	conn, events, err := zk.Connect([]string{addr}, 20*tick, zk.WithLogger(quiet{}))
	Expect(err).NotTo(HaveOccurred())
	Eventually(events).Should(Receive(HaveField("State", zk.StateHasSession)))
	return conn
}
