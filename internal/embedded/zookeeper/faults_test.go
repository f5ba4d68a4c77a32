// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// epoch is what a manual clock shows first.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var _ = Describe("the embedded server", func() {
	var (
		clock  *ManualClock
		cfg    Config
		server *Server
	)
	BeforeEach(func() {
		clock = NewManualClock(epoch)
		cfg = Config{TickTime: tick, Clock: clock}
	})
	start := func(ctx context.Context) target {
		GinkgoHelper()
		s, err := Start(ctx, cfg)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(s.Close)
		server = s
		return embeddedTarget{s}
	}

	Describe("with a clock of its own", func() {
		It("expires a session at the first tick after its timeout, no earlier", func(ctx SpecContext) {
			p := openSession(start(ctx), 5*tick)
			p.must(OpCreate, createBody("/e", nil, openACL(), flagEphemeral))
			q := openSession(embeddedTarget{server}, 20*tick)
			q.must(OpGetData, pathWatch("/e", true))
			Expect(server.Sessions()).To(HaveLen(2))
			Expect(server.Sessions()[0].Expires).To(Equal(epoch.Add(6 * tick)))
			Expect(server.Sessions()[0].Ephemerals).To(Equal([]string{"/e"}))

			clock.Advance(6*tick - 1)
			Consistently(server.Sessions, tick).Should(HaveLen(2))
			clock.Advance(1)
			Expect(q.next().event()).To(Equal(event{eventDeleted, "/e"}))
			Expect(server.Sessions()).To(HaveLen(1))
			p.closed()
			node, ok := server.Get("/")
			Expect(ok).To(BeTrue())
			Expect(node.Stat.Pzxid).To(Equal(server.Zxid()))
		})

		It("takes every request as a sign of life", func(ctx SpecContext) {
			p := openSession(start(ctx), 4*tick)
			for range 10 {
				clock.Advance(3 * tick)
				p.must(OpExists, pathWatch("/", false))
			}
			Expect(server.Sessions()).To(HaveLen(1))
		})

		It("writes its time into stats", func(ctx SpecContext) {
			p := openSession(start(ctx), 20*tick)
			p.must(OpCreate, plainCreate("/n"))
			clock.Advance(time.Millisecond)
			p.must(OpSetData, setDataBody("/n", nil, -1))
			node, _ := server.Get("/n")
			Expect(node.Stat.Ctime).To(Equal(epoch.UnixMilli()))
			Expect(node.Stat.Mtime).To(Equal(epoch.UnixMilli() + 1))
		})

		It("lets no session end while it is down, and then begins anew", func(ctx SpecContext) {
			p := openSession(start(ctx), 4*tick)
			Expect(server.Stop()).To(Succeed())
			p.closed()
			_, err := net.Dial("tcp", server.Addr())
			Expect(err).To(HaveOccurred())
			clock.Advance(time.Hour)
			Expect(server.Restart(ctx)).To(Succeed())
			again := rawDial(embeddedTarget{server})
			again.hello(0, 4*tick, p.session, p.password)
			Expect(again.session).To(Equal(p.session))
		})
	})

	Describe("a session on command", func() {
		It("ends now", func(ctx SpecContext) {
			p := openSession(start(ctx), 4*tick)
			p.must(OpCreate, createBody("/e", nil, openACL(), flagEphemeral))
			Expect(server.ExpireNow(p.session + 1)).To(BeFalse())
			Expect(server.ExpireNow(p.session)).To(BeTrue())
			p.closed()
			Expect(server.Children("/")).To(Equal([]string{"zookeeper"}))
			Expect(server.Sessions()).To(BeEmpty())
		})

		It("ends with all others, and go-zookeeper says so", func(ctx SpecContext) {
			t := start(ctx)
			conn, events, err := zk.Connect([]string{t.Addr()}, 4*time.Second, zk.WithLogger(quiet{}))
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(conn.Close)
			Eventually(events).Should(Receive(HaveField("State", zk.StateHasSession)))
			openSession(t, time.Second)
			Expect(server.ExpireAll()).To(Equal(2))
			Eventually(events).Should(Receive(HaveField("State", zk.StateExpired)))
		})
	})

	Describe("a connection cut on purpose", func() {
		const dropped = "/dropped"
		var t target
		var p *peer
		BeforeEach(func(ctx SpecContext) {
			t = start(ctx)
			p = openSession(t, 20*tick)
		})
		created := func() bool {
			_, ok := server.Get(dropped)
			return ok
		}

		It("ends before the request", func() {
			fault := server.Faults().DropBeforeRequest(1, Match{Op: OpCreate})
			p.must(OpExists, pathWatch("/", false))
			Expect(fault.Fired()).NotTo(BeClosed())
			p.send(OpCreate, plainCreate(dropped))
			p.closed()
			Expect(fault.Fired()).To(BeClosed())
			Expect(created()).To(BeFalse())
			Expect(server.Requests(OpCreate)).To(BeZero())
		})

		It("ends after the request and before its answer", func() {
			server.Faults().DropBeforeAnswer(1, Match{})
			p.send(OpCreate, plainCreate(dropped))
			Expect(p.nc.SetReadDeadline(time.Now().Add(5 * time.Second))).To(Succeed())
			n, _ := p.nc.Read(make([]byte, 1))
			Expect(n).To(BeZero())
			Eventually(created).Should(BeTrue())
			Expect(server.Sessions()).To(HaveLen(1))
		})

		It("ends after the answer, which arrives", func() {
			server.Faults().DropAfterAnswer(1, Match{})
			p.must(OpCreate, plainCreate(dropped))
			p.closed()
		})

		It("delivers the answer before the end also to one who goes on talking", func() {
			server.Faults().DropAfterAnswer(1, Match{})
			xid := p.send(OpCreate, plainCreate(dropped))
			for range 100 {
				p.send(OpExists, pathWatch("/", false))
			}
			Expect(p.next().Xid).To(Equal(xid))
			p.closed()
			Expect(server.Requests(OpExists)).To(BeZero())
		})

		It("counts the requests that match, and no pings", func() {
			match := Match{Path: func(path string) bool { return strings.HasPrefix(path, "/dropped") }, Session: p.session}
			fault := server.Faults().DropBeforeAnswer(3, match)
			other := openSession(t, 20*tick)
			other.must(OpExists, pathWatch("/", false))
			other.call(OpExists, pathWatch(dropped, false))
			p.write(appendInt32(appendInt32(nil, xidPing), int32(OpPing)))
			Expect(p.next().Xid).To(BeEquivalentTo(xidPing))
			p.must(OpMulti, multiBody(op(OpCreate, plainCreate(dropped))))
			p.must(OpExists, pathWatch(dropped, false))
			Expect(fault.Fired()).NotTo(BeClosed())
			p.send(OpSetWatches, setWatchesBody(0, nil, nil, []string{dropped}))
			p.closed()
			Expect(fault.Fired()).To(BeClosed())
		})

		It("is not cut where the fault was cancelled", func() {
			fault := server.Faults().DropBeforeRequest(1, Match{})
			fault.Cancel()
			fault.Cancel()
			p.must(OpCreate, plainCreate(dropped))
		})

		It("can be cut at a ping when asked to", func() {
			server.Faults().DropBeforeAnswer(1, Match{Op: OpPing})
			p.write(appendInt32(appendInt32(nil, xidPing), int32(OpPing)))
			p.closed()
		})
	})

	Describe("an answer that is late", func() {
		It("comes with the clock; pings overtake it, nothing else does", func(ctx SpecContext) {
			p := openSession(start(ctx), 20*tick)
			fault := server.Faults().AnswerLate(tick, Match{Op: OpCreate})
			late := p.send(OpCreate, plainCreate("/late"))
			behind := p.send(OpExists, pathWatch("/", false))
			p.write(appendInt32(appendInt32(nil, xidPing), int32(OpPing)))
			Expect(p.next().Xid).To(BeEquivalentTo(xidPing))
			Expect(fault.Fired()).To(BeClosed())
			_, ok := server.Get("/late")
			Expect(ok).To(BeTrue())
			clock.Advance(tick)
			Expect(p.next().Xid).To(Equal(late))
			Expect(p.next().Xid).To(Equal(behind))
			fault.Cancel()
			p.must(OpCreate, plainCreate("/soon"))
		})

		It("comes when it is let go", func(ctx SpecContext) {
			p := openSession(start(ctx), 20*tick)
			fault := server.Faults().HoldAnswers(Match{Op: OpCreate})
			xid := p.send(OpCreate, plainCreate("/held"))
			Eventually(fault.Fired()).Should(BeClosed())
			fault.Cancel()
			Expect(p.next().Xid).To(Equal(xid))
		})

		It("does not keep the server from closing", func(ctx SpecContext) {
			p := openSession(start(ctx), 20*tick)
			fault := server.Faults().HoldAnswers(Match{})
			p.send(OpCloseSession, nil)
			Eventually(fault.Fired()).Should(BeClosed())
			Expect(server.Close()).To(Succeed())
			p.closed()
		})

		It("holds a client that sends on without reading", func(ctx SpecContext) {
			p := openSession(start(ctx), 20*tick)
			fault := server.Faults().HoldAnswers(Match{})
			for range 2 * maxBacklog {
				p.send(OpExists, pathWatch("/", false))
			}
			Eventually(func() uint64 { return server.Requests(OpExists) }).Should(BeEquivalentTo(maxBacklog))
			Consistently(func() uint64 { return server.Requests(OpExists) }, tick).Should(BeEquivalentTo(maxBacklog))
			fault.Cancel()
			for range 2 * maxBacklog {
				p.next()
			}
		})
	})

	Describe("switches", func() {
		It("lose the watches a client sets again", func(ctx SpecContext) {
			p := openSession(start(ctx), 20*tick)
			server.Faults().LoseSetWatches(true)
			_, events := p.call(OpSetWatches, setWatchesBody(0, []string{"/none"}, nil, []string{"/"}))
			Expect(events).To(BeEmpty())
			Expect(server.Watches()).To(BeZero())
			server.Faults().Clear()
			_, events = p.call(OpSetWatches, setWatchesBody(0, []string{"/none"}, nil, []string{"/"}))
			Expect(events).To(Equal([]event{{eventDeleted, "/none"}}))
			Expect(server.Watches()).To(Equal(1))
		})

		It("lose events", func(ctx SpecContext) {
			p := openSession(start(ctx), 20*tick)
			p.must(OpGetChildren2, pathWatch("/", true))
			server.Faults().LoseWatchEvents(true)
			_, events := p.call(OpCreate, plainCreate("/a"))
			Expect(events).To(BeEmpty())
			Expect(server.Watches()).To(BeZero())
		})

		It("refuse new connections and keep the old", func(ctx SpecContext) {
			t := start(ctx)
			p := openSession(t, 20*tick)
			server.Faults().RefuseConnections(true)
			refused(t)
			p.must(OpExists, pathWatch("/", false))
			server.Faults().RefuseConnections(false)
			openSession(t, 20*tick)
		})

		It("expire what is over when the server thaws, before anything is executed", func(ctx SpecContext) {
			p := openSession(start(ctx), 4*tick)
			server.Faults().Freeze()
			clock.Advance(10 * tick)
			p.send(OpCreate, plainCreate("/late"))
			Consistently(server.Sessions, tick/2).Should(HaveLen(1))
			server.Faults().Thaw()
			p.closed()
			Expect(server.Sessions()).To(BeEmpty())
			Expect(server.Children("/")).To(Equal([]string{"zookeeper"}))
		})

		It("do not survive a restart of a frozen server", func(ctx SpecContext) {
			p := openSession(start(ctx), 4*tick)
			server.Faults().Freeze()
			Expect(server.Restart(ctx)).To(Succeed())
			p.closed()
			openSession(embeddedTarget{server}, 4*tick)
		})

		It("close a frozen server", func(ctx SpecContext) {
			p := openSession(start(ctx), 4*tick)
			server.Faults().Freeze()
			p.send(OpExists, pathWatch("/", false))
			Expect(server.Close()).To(Succeed())
		})
	})

	Describe("without multi", func() {
		It("says so and ends the connection", func(ctx SpecContext) {
			cfg.DisableMulti = true
			p := openSession(start(ctx), 20*tick)
			f, _ := p.call(OpMulti, multiBody(op(OpCreate, plainCreate("/a"))))
			Expect(f.Code).To(Equal(codeUnimplemented))
			p.closed()
			Expect(server.Children("/")).To(Equal([]string{"zookeeper"}))
		})

		It("is silent when it is older", func(ctx SpecContext) {
			cfg.DisableMulti, cfg.SilentMulti = true, true
			p := openSession(start(ctx), 20*tick)
			p.send(OpMulti, multiBody(op(OpCreate, plainCreate("/a"))))
			p.must(OpExists, pathWatch("/", false)) // the next answer is that of the next request
			Expect(server.Children("/")).To(Equal([]string{"zookeeper"}))
		})
	})

	Describe("its bounds", func() {
		It("close one connection too many", func(ctx SpecContext) {
			cfg.MaxConnections = 1
			t := start(ctx)
			p := openSession(t, 20*tick)
			refused(t)
			Expect(p.nc.Close()).To(Succeed())
			Eventually(server.Connections).Should(BeZero())
			openSession(t, 20*tick)
		})

		It("close a frame too long", func(ctx SpecContext) {
			cfg.MaxFrame = 100
			p := openSession(start(ctx), 20*tick)
			p.write(make([]byte, 101))
			p.closed()
		})

		It("are checked", func(ctx SpecContext) {
			_, err := Start(ctx, Config{TickTime: time.Microsecond})
			Expect(err).To(MatchError(ContainSubstring("at least 1ms")))
			_, err = Start(ctx, Config{MaxFrame: -1})
			Expect(err).To(MatchError(ContainSubstring("negative")))
			_, err = Start(ctx, Config{Addr: "256.0.0.1:0"})
			Expect(err).To(HaveOccurred())
		})
	})

	It("serves TLS through its listener, also after a restart", func(ctx SpecContext) {
		cfg.Clock = nil
		config := selfSigned()
		cfg.Listen = func(ctx context.Context, addr string) (net.Listener, error) {
			l, err := listenTCP(ctx, addr)
			if err != nil {
				return nil, err
			}
			return tls.NewListener(l, config), nil
		}
		t := start(ctx)
		dialer := func(network, addr string, timeout time.Duration) (net.Conn, error) {
			d := &net.Dialer{Timeout: timeout}
			return tls.DialWithDialer(d, network, addr, &tls.Config{InsecureSkipVerify: true})
		}
		conn, _, err := zk.Connect([]string{t.Addr()}, 4*time.Second, zk.WithDialer(dialer), zk.WithLogger(quiet{}))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(conn.Close)
		mustCreate(conn, "/tls", zk.FlagEphemeral)
		Expect(server.Restart(ctx)).To(Succeed())
		Eventually(func() error { _, _, err := conn.Get("/tls"); return err }).Should(Succeed())
	})

	It("answers go-zookeeper for the words of four letters", func(ctx SpecContext) {
		t := start(ctx)
		openSession(t, tick)
		Expect(zk.FLWRuok([]string{t.Addr()}, time.Second)).To(Equal([]bool{true}))
		stats, _ := zk.FLWSrvr([]string{t.Addr()}, time.Second)
		Expect(stats[0].Mode).To(Equal(zk.ModeStandalone))
		Expect(stats[0].Error).NotTo(HaveOccurred())
		Expect(stats[0].NodeCount).To(BeEquivalentTo(5))
	})

	It("shows its tree", func(ctx SpecContext) {
		p := openSession(start(ctx), 20*tick)
		p.must(OpCreate, plainCreate("/b"))
		p.must(OpCreate, plainCreate("/a"))
		var paths []string
		for _, n := range server.Dump() {
			paths = append(paths, n.Path)
		}
		Expect(paths).To(Equal([]string{"/", "/a", "/b", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"}))
		Expect(server.Children("/")).To(Equal([]string{"a", "b", "zookeeper"}))
		Expect(server.Children("/none")).To(BeNil())
		node, ok := server.Get("/a")
		Expect(ok).To(BeTrue())
		Expect(node.Data).To(Equal([]byte("x")))
		Expect(server.Requests(AnyOp)).To(BeEquivalentTo(2))
	})

	It("stands many clients, faults and restarts at once", func(ctx SpecContext) {
		cfg.Clock = nil
		t := start(ctx)
		Expect(openSession(t, time.Second).must(OpCreate, plainCreate("/many")).Code).To(Equal(codeOK))
		var clients sync.WaitGroup
		stop := make(chan struct{})
		for range 8 {
			conn := dial(t, 4*time.Second)
			clients.Go(func() { hammer(conn, stop) })
			p := openSession(t, 4*time.Second)
			clients.Go(func() { p.watchOn("/many") })
		}
		for range 10 {
			server.Faults().DropBeforeAnswer(20, Match{})
			server.Faults().DropAfterAnswer(30, Match{})
			before := server.Requests(AnyOp)
			Eventually(func() uint64 { return server.Requests(AnyOp) }).Should(BeNumerically(">", before+100))
		}
		Expect(server.Restart(ctx)).To(Succeed())
		server.ExpireAll()
		close(stop)
		Expect(server.Close()).To(Succeed())
		clients.Wait()
		Expect(server.Connections()).To(BeZero())
	})

	It("stops at once while clients connect", func(ctx SpecContext) {
		t := start(ctx)
		for range 50 {
			nc, err := net.Dial("tcp", t.Addr())
			Expect(err).NotTo(HaveOccurred())
			began := time.Now()
			Expect(server.Stop()).To(Succeed())
			Expect(time.Since(began)).To(BeNumerically("<", greetTimeout/2))
			Expect(nc.Close()).To(Succeed())
			Expect(server.Restart(ctx)).To(Succeed())
		}
	})

	It("may be closed again, and not restarted then", func(ctx SpecContext) {
		start(ctx)
		Expect(server.Close()).To(Succeed())
		Expect(server.Close()).To(Succeed())
		Expect(server.Stop()).To(Succeed())
		Expect(server.Restart(ctx)).To(MatchError(ErrClosed))
	})
})

// hammer creates and deletes; errors are the point.
func hammer(conn *zk.Conn, stop chan struct{}) {
	for {
		select {
		case <-stop:
			conn.Close()
			return
		default:
		}
		path, err := conn.Create("/many/n", nil, zk.FlagEphemeralSequential, open())
		if err == nil {
			_ = conn.Delete(path, -1)
		}
	}
}

// watchOn watches until its connection ends. It is not go-zookeeper, which races with itself when it sets
// watches again after a reconnect.
func (p *peer) watchOn(path string) {
	var reader sync.WaitGroup
	reader.Go(func() { _, _ = io.Copy(io.Discard, p.nc) })
	body := append(appendInt32(appendInt32(nil, 1), int32(OpGetChildren2)), pathWatch(path, true)...)
	frame := append(appendInt32(nil, int32(len(body))), body...)
	for {
		if _, err := p.nc.Write(frame); err != nil {
			break
		}
	}
	reader.Wait()
}

func selfSigned() *tls.Config {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	Expect(err).NotTo(HaveOccurred())
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}
}
