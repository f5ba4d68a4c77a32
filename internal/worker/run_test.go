// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// A session of six ticks, twice what a sound lease needs.
const (
	tick    = 200 * time.Millisecond
	session = 6 * tick
)

var _ = Describe("Run", func() {
	var (
		kafka *world.World
		box   *mailbox
	)

	begin := func(ctx SpecContext, config world.Config) {
		GinkgoHelper()
		var err error
		config.Tick = tick
		kafka, err = world.Start(ctx, config)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(kafka.Close()).To(Succeed()) })
		box = newMailbox()
		DeferCleanup(box.server.Close)
	}

	publish := func(ctx context.Context, topic string, values ...string) {
		GinkgoHelper()
		cluster, err := client.Open(ctx, client.Config{ZooKeeper: kafka.Connect()})
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(cluster.Close()).To(Succeed()) }()
		for _, value := range values {
			Expect(cluster.Topic(topic).Publish(ctx, []byte(value))).To(Succeed())
		}
	}

	// plant writes a node that no member of samsa's would write.
	plant := func(path, data string) {
		GinkgoHelper()
		conn, _, err := zk.Connect([]string{kafka.ZooKeeper.Addr()}, 10*time.Second, zk.WithLogger(silent{}))
		Expect(err).NotTo(HaveOccurred())
		defer conn.Close()
		full := ""
		for part := range strings.SplitSeq(strings.TrimPrefix(kafka.Path(path), "/"), "/") {
			full += "/" + part
			_, err = conn.Create(full, nil, 0, zk.WorldACL(zk.PermAll))
			Expect(err).To(Or(BeNil(), MatchError(zk.ErrNodeExists)))
		}
		_, err = conn.Set(full, []byte(data), -1)
		Expect(err).NotTo(HaveOccurred())
	}

	It("delivers, and on its end commits, releases, leaves", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 3}})
		publish(ctx, "orders", "a", "b", "c", "d")
		w := run(kafka, box, nil)
		Eventually(box.values).Should(ConsistOf("a", "b", "c", "d"))
		Eventually(w.status).Should(And(HaveField("Ready", true), HaveField("Totals.Owned", 3)))
		Expect(w.get("/metrics")).To(ContainSubstring("samsa_worker_records_delivered_total 4\n"))

		w.stop()
		Eventually(w.ended).Should(Receive(BeNil()))
		Expect(kafka.ZooKeeper.Children(kafka.Path("/consumers/billing/ids"))).To(BeEmpty())
		Expect(kafka.ZooKeeper.Children(kafka.Path("/consumers/billing/owners/orders"))).To(BeEmpty())
		sum := 0
		for id := range 3 {
			node, ok := kafka.ZooKeeper.Get(kafka.Path(fmt.Sprintf("/consumers/billing/offsets/orders/%d", id)))
			Expect(ok).To(BeTrue())
			position := 0
			_, err := fmt.Sscan(string(node.Data), &position)
			Expect(err).NotTo(HaveOccurred())
			sum += position
		}
		Expect(sum).To(Equal(4), "positions of new partitions are numbers of messages")
	})

	It("drains: what is at the sink is waited for, and the server says so", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 1}})
		release := box.hold()
		w := run(kafka, box, nil)
		publish(ctx, "orders", "slow", "never begun")
		Eventually(box.waiting).Should(Equal(int64(1)))
		w.stop()
		Eventually(func() string { return w.get("/readyz") }).Should(HavePrefix("Leaving: "))
		Consistently(w.ended, 5*tick).ShouldNot(Receive())
		release()
		Eventually(w.ended).Should(Receive(BeNil()))
		Expect(box.values()).To(Equal([]string{"slow"}))
		node, _ := kafka.ZooKeeper.Get(kafka.Path("/consumers/billing/offsets/orders/0"))
		Expect(string(node.Data)).To(Equal("1"))
	})

	It("waits for a ZooKeeper that cannot be reached, says so once, and heals", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 2}})
		publish(ctx, "orders", "a")
		Expect(kafka.ZooKeeper.Stop()).To(Succeed())
		w := run(kafka, box, nil)
		Eventually(func() string { return w.get("/readyz") }).Should(HavePrefix("NotConnected: no session with "))
		Expect(w.get("/healthz")).To(Equal("ok\n"))
		Consistently(w.ended, 2*session).ShouldNot(Receive())
		Expect(strings.Count(string(w.log.Contents()), `"Not ready" code=NotConnected`)).To(Equal(1))

		Expect(kafka.ZooKeeper.Restart(ctx)).To(Succeed())
		Eventually(box.values).Should(ConsistOf("a"))
		Eventually(func() string { return w.get("/readyz") }).Should(Equal("ok\n"))
	})

	It("says that a chroot does not exist", func(ctx SpecContext) {
		begin(ctx, world.Config{})
		w := run(kafka, box, func(c *worker.Config) { c.Cluster.ZooKeeper.Connect += "/nowhere" })
		Eventually(w.status).Should(HaveField("Reasons",
			ConsistOf(And(HaveField("Code", worker.NotConnected), HaveField("Message", ContainSubstring("/nowhere"))))))
	})

	It("is ready without its topic, says so, and consumes it once it exists", func(ctx SpecContext) {
		begin(ctx, world.Config{})
		w := run(kafka, box, nil)
		Eventually(w.status).Should(And(HaveField("Ready", true), HaveField("Warnings",
			ConsistOf(And(HaveField("Code", worker.TopicMissing), HaveField("Subject", "orders"))))))
		Expect(kafka.Kafka.CreateTopic(ctx, "orders", 2)).To(Succeed())
		publish(ctx, "orders", "first")
		Eventually(box.values).Should(ConsistOf("first"))
		Eventually(w.status).Should(HaveField("Warnings", BeEmpty()))
	})

	It("reports nodes that others left malformed, by their path", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 2}})
		plant("/consumers/billing/ids/stranger", "{no json")
		plant("/consumers/billing/offsets/orders/1", "many")
		w := run(kafka, box, nil)
		Eventually(func() []string { return subjects(w.status().Warnings) }).Should(ConsistOf(
			"NodeMalformed "+"/consumers/billing/ids/stranger", "PositionUnclear orders/1"))
		publish(ctx, "orders", strings.Split("abcdefghijklmnopqrstuvwxyz", "")...)
		Eventually(box.partitions).Should(ConsistOf("0"), "only the partition whose position is unclear stands")
		Consistently(box.partitions, 2*tick).Should(ConsistOf("0"))
		plant("/consumers/billing/offsets/orders/1", "0")
		Eventually(box.partitions).Should(ConsistOf("0", "1"))
	})

	It("says that brokers cannot be reached, and heals", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 2}})
		publish(ctx, "orders", "a")
		w := run(kafka, box, nil)
		Eventually(box.values).Should(Equal([]string{"a"}))
		Expect(kafka.Kafka.StopBroker(0)).To(Succeed())
		Eventually(w.status).Should(And(HaveField("Ready", true), HaveField("Warnings", ContainElement(
			HaveField("Code", Or(Equal(worker.FetchFailing), Equal(worker.BrokersUnknown)))))))
		Expect(kafka.Kafka.StartBroker(ctx, 0)).To(Succeed())
		publish(ctx, "orders", "b")
		Eventually(box.values).Should(Equal([]string{"a", "b"}))
		Eventually(w.status).Should(HaveField("Warnings", BeEmpty()))
	})

	It("goes on under a new name once its session has expired, and counts it", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 2}})
		w := run(kafka, box, nil)
		Eventually(w.status).Should(HaveField("Totals.Owned", 2))
		before := w.status().Member.ID
		kafka.ZooKeeper.ExpireAll()
		Eventually(w.status).Should(And(HaveField("Totals.Owned", 2), HaveField("Member.ID", Not(Equal(before))),
			HaveField("Counters.SessionExpirations", BeEquivalentTo(1))))
		publish(ctx, "orders", "a")
		Eventually(box.values).Should(Equal([]string{"a"}))
		Expect(w.get("/metrics")).To(ContainSubstring("samsa_zk_session_expirations_total 1\n"))
	})

	It("says that a server has no transactions", func(ctx SpecContext) {
		begin(ctx, world.Config{WithoutMulti: true, Topics: map[string]int32{"orders": 1}})
		w := run(kafka, box, nil)
		publish(ctx, "orders", "a")
		Eventually(box.values).Should(ConsistOf("a"))
		Eventually(w.status).Should(And(HaveField("Session.Fenced", false),
			HaveField("Warnings", ConsistOf(HaveField("Code", worker.Unfenced)))))
	})

	It("blocks on a sink that fails, says which message and why, and heals by itself", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 1}})
		box.fail(http.StatusInternalServerError)
		w := run(kafka, box, nil)
		publish(ctx, "orders", "a", "b")
		Eventually(w.status).Should(And(HaveField("Ready", true), HaveField("Totals.Blocked", 1)))
		partition := w.status().Partitions[0]
		Expect(partition.State).To(Equal(worker.Blocked))
		Expect(partition.Blocked.Message).To(Equal("orders/0/0"))
		Expect(partition.Blocked.Reason).To(ContainSubstring("500"))
		Expect(w.get("/metrics")).To(ContainSubstring(
			`samsa_group_partition_blocked{group="billing",partition="0",topic="orders"} 1` + "\n"))
		box.fail(0)
		Eventually(box.values).Should(Equal([]string{"a", "b"}))
		Eventually(w.status).Should(HaveField("Totals.Blocked", 0))
	})

	It("says that its sink cannot be reached before there is a message for it, and heals", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 1}})
		address := box.server.Listener.Addr().String()
		box.server.Close()
		w := run(kafka, box, nil)
		Eventually(w.status).Should(And(HaveField("Ready", true), HaveField("Warnings", ConsistOf(And(
			HaveField("Code", worker.SinkUnreachable), HaveField("Subject", "127.0.0.1"),
			HaveField("Message", "the sink cannot be reached: connection refused"))))))
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		Expect(err).NotTo(HaveOccurred())
		again := &http.Server{Handler: box} //nolint:gosec // a test's
		go func() { _ = again.Serve(listener) }()
		DeferCleanup(again.Close)
		Eventually(w.status).WithTimeout(10 * time.Second).Should(HaveField("Warnings", BeEmpty()))
	})

	It("says how much retention took, and where a position went", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 1}})
		plant("/consumers/billing/offsets/orders/0", "7")
		publish(ctx, "orders", "a", "b")
		w := run(kafka, box, func(c *worker.Config) { c.OutOfRange = worker.OutOfRangeEarliest })
		Eventually(box.values).Should(Equal([]string{"a", "b"}))
		Expect(w.status().Partitions).To(ConsistOf(HaveField("Jump", HaveValue(And(
			HaveField("From", int64(7)), HaveField("To", int64(0)))))))
		Expect(kafka.Kafka.Fake().DeleteRecords("orders", 0, 2)).To(Succeed())
		w.stop()
		Eventually(w.ended).Should(Receive(BeNil()))

		plant("/consumers/billing/offsets/orders/0", "0")
		w = run(kafka, box, nil)
		Eventually(w.status).Should(HaveField("Partitions", ConsistOf(And(
			HaveField("LostToRetention", uint64(2)), HaveField("Committed", HaveValue(Equal(int64(2))))))))
		Expect(w.status().Counters.LostToRetention).To(BeEquivalentTo(2))
		Expect(w.get("/metrics")).To(ContainSubstring(
			`samsa_worker_records_lost_to_retention_total{group="billing",partition="0",topic="orders"} 2` + "\n"))
	})

	It("consumes what matches a pattern, also what appears later", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"bills": 1}})
		w := run(kafka, box, func(c *worker.Config) { c.Topics, c.TopicPattern = nil, `orders-\d+` })
		Eventually(w.status).Should(And(HaveField("Ready", true), HaveField("Topics", BeEmpty()),
			HaveField("Warnings", ConsistOf(And(
				HaveField("Code", worker.TopicMissing), HaveField("Subject", `orders-\d+`))))))
		Expect(w.get("/v1/status")).To(Not(ContainSubstring(`"topics": null`)))
		for _, topic := range []string{"orders-2", "orders-1"} {
			Expect(kafka.Kafka.CreateTopic(ctx, topic, 1)).To(Succeed())
			publish(ctx, topic, topic)
		}
		Eventually(box.values).Should(ConsistOf("orders-1", "orders-2"))
		Eventually(w.status).Should(And(HaveField("Topics", Equal([]string{"orders-1", "orders-2"})),
			HaveField("Totals.Owned", 2), HaveField("Warnings", BeEmpty())))
		Expect(kafka.Kafka.DeleteTopic(ctx, "orders-1")).To(Succeed())
		Eventually(w.status).Should(And(HaveField("Topics", Equal([]string{"orders-2"})), HaveField("Totals.Owned", 1)))
	})

	It("works at an address of its own, as a group of its own", func(ctx SpecContext) {
		begin(ctx, world.Config{Topics: map[string]int32{"orders": 1}})
		publish(ctx, "orders", "a")
		at := func(member, address string) *job {
			return run(kafka, box, func(c *worker.Config) {
				c.Member, c.Semantics, c.Listen = member, worker.SemanticsTopic, address+":0"
			})
		}
		first, second := at("billing-0", "127.0.0.2"), at("billing-1", "127.8.9.10")
		Expect(first.address).To(HavePrefix("127.0.0.2:"))
		Expect(second.address).To(HavePrefix("127.8.9.10:"))
		Eventually(box.values).Should(Equal([]string{"a", "a"}))
		Expect(first.status()).To(And(HaveField("Group", "billing-0"), HaveField("Totals.Owned", 1)))
		Expect(second.status()).To(And(HaveField("Group", "billing-1"), HaveField("Totals.Owned", 1)))
	})

	It("ends with an error if its address is taken", func(ctx SpecContext) {
		begin(ctx, world.Config{})
		config := configure(kafka, box)
		config.Listen = box.server.Listener.Addr().String()
		err := worker.Run(ctx, config, slog.New(slog.DiscardHandler))
		Expect(err).To(MatchError(ContainSubstring("address already in use")))
	})
})

// job is a worker that runs in this process.
type job struct {
	stop    context.CancelFunc
	ended   chan error
	log     *gbytes.Buffer
	address string
}

func configure(w *world.World, box *mailbox) worker.Config {
	config := worker.Default()
	config.Group, config.Member, config.Topics = "billing", "billing-0", []string{"orders"}
	config.Cluster.ZooKeeper = &worker.ZooKeeper{Connect: w.Connect(), SessionTimeout: worker.Duration(session)}
	config.Delivery.Retry = worker.Retry{
		InitialBackoff: worker.Duration(time.Millisecond), MaxBackoff: worker.Duration(50 * time.Millisecond),
	}
	config.Sink.HTTP = &worker.HTTPSink{URL: box.server.URL, Format: worker.FormatCloudEventsBinary}
	config.Listen = "127.0.0.1:0"
	return config
}

func run(w *world.World, box *mailbox, edit func(*worker.Config)) *job {
	GinkgoHelper()
	config := configure(w, box)
	if edit != nil {
		edit(&config)
	}
	ctx, stop := context.WithCancel(context.Background()) //nolint:forbidigo // it ends after the spec's own context
	j := &job{stop: stop, ended: make(chan error, 1), log: gbytes.NewBuffer()}
	logger := slog.New(slog.NewTextHandler(io.MultiWriter(j.log, GinkgoWriter), nil))
	var running sync.WaitGroup
	running.Go(func() { j.ended <- worker.Run(ctx, config, logger) })
	DeferCleanup(func() {
		stop()
		running.Wait()
	})
	Eventually(j.log).Should(gbytes.Say("msg=Listening address="))
	Eventually(j.log).Should(gbytes.Say("\n"))
	_, rest, _ := strings.Cut(string(j.log.Contents()), "address=")
	j.address, _, _ = strings.Cut(rest, "\n")
	return j
}

func (j *job) get(path string) string {
	GinkgoHelper()
	asking := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := asking.Get("http://" + j.address + path) //nolint:noctx // the server bounds it
	Expect(err).NotTo(HaveOccurred())
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	Expect(err).NotTo(HaveOccurred())
	return string(body)
}

func (j *job) status() (status worker.Status) {
	GinkgoHelper()
	Expect(json.Unmarshal([]byte(j.get("/v1/status")), &status)).To(Succeed())
	return status
}

func subjects(reasons []worker.Reason) (list []string) {
	for _, reason := range reasons {
		list = append(list, string(reason.Code)+" "+reason.Subject)
	}
	return list
}

// mailbox is a sink that remembers.
type mailbox struct {
	server *httptest.Server
	code   atomic.Int64
	begun  atomic.Int64

	mu       sync.Mutex
	held     chan struct{}
	received []string
	from     map[string]bool
}

func newMailbox() *mailbox {
	m := &mailbox{from: map[string]bool{}}
	m.server = httptest.NewServer(m)
	return m
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if code := m.code.Load(); code != 0 {
		w.WriteHeader(int(code))
		return
	}
	message, _, err := httpsink.Decode(request, 1<<20)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	held := m.held
	m.mu.Unlock()
	if held != nil {
		m.begun.Add(1)
		<-held
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.received = append(m.received, string(message.Value))
	m.from[message.Partition.ID] = true
}

// hold lets no request through until release.
func (m *mailbox) hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = make(chan struct{})
	return sync.OnceFunc(func() { close(m.held) })
}

func (m *mailbox) fail(code int) { m.code.Store(int64(code)) }

func (m *mailbox) waiting() int64 { return m.begun.Load() }

func (m *mailbox) values() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.received...)
}

func (m *mailbox) partitions() (list []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.from {
		list = append(list, id)
	}
	return list
}

type silent struct{}

func (silent) Printf(string, ...any) {}
