// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// The group, topic and partitions of the specs.
const (
	group = "billing"
	topic = "orders"
)

func partition(number int) kafka.Partition {
	return kafka.Partition{Topic: topic, ID: strconv.Itoa(number)}
}

// world is a server, and a directory in it that is a spec's own.
type world struct {
	target
	admin  *zk.Conn
	chroot string
}

func (w *world) path(path string) string { return strings.TrimSuffix(w.chroot+path, "/") }

// faults make the embedded server misbehave, until the spec ends.
func (w *world) faults() *zookeeper.Faults {
	faults := w.target.(embeddedTarget).Faults()
	DeferCleanup(faults.Clear)
	return faults
}

// create makes a node and those above it, as somebody else.
func (w *world) create(path, data string) {
	GinkgoHelper()
	full := w.path(path)
	for i, c := range full {
		if c == '/' && i > 0 {
			_, err := w.admin.Create(full[:i], []byte{}, 0, zk.WorldACL(zk.PermAll))
			Expect(err).To(Or(BeNil(), MatchError(zk.ErrNodeExists)))
		}
	}
	_, err := w.admin.Create(full, []byte(data), 0, zk.WorldACL(zk.PermAll))
	Expect(err).NotTo(HaveOccurred())
}

func (w *world) set(path, data string) {
	GinkgoHelper()
	_, err := w.admin.Set(w.path(path), []byte(data), -1)
	Expect(err).NotTo(HaveOccurred())
}

func (w *world) remove(path string) {
	GinkgoHelper()
	Expect(w.admin.Delete(w.path(path), -1)).To(Succeed())
}

// data is what a node holds, and an error text if there is none.
func (w *world) data(path string) string {
	data, _, err := w.admin.Get(w.path(path))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// owner is the session a node belongs to; 0 if there is no node.
func (w *world) owner(path string) int64 {
	_, stat, err := w.admin.Exists(w.path(path))
	if err != nil || stat == nil {
		return 0
	}
	return stat.EphemeralOwner
}

// createTopic registers a topic with as many partitions.
func (w *world) createTopic(partitions int) {
	GinkgoHelper()
	w.create(layout.Topic(topic), topicData(partitions))
}

func topicData(partitions int) string {
	ids := make([]string, partitions)
	for i := range ids {
		ids[i] = `"` + strconv.Itoa(i) + `":[1]`
	}
	return `{"version":1,"partitions":{` + strings.Join(ids, ",") + `}}`
}

// network is between one client and its server.
type network struct {
	mu    sync.Mutex
	down  bool
	conns []net.Conn
	dials []string
}

func (n *network) Dial(ctx context.Context, kind, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, address)
	if n.down {
		return nil, errors.New("the network is down")
	}
	conn, err := new(net.Dialer).DialContext(ctx, kind, address)
	if err == nil {
		n.conns = append(n.conns, conn)
	}
	return conn, err
}

func (n *network) dialed() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}

// drop loses all connections; new ones can be made.
func (n *network) drop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		conn.Close()
	}
	n.conns = nil
}

func (n *network) cut() {
	n.mu.Lock()
	n.down = true
	n.mu.Unlock()
	n.drop()
}

func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = false
}

// peer is a client under test.
type peer struct {
	*registry.Client
	network *network
	stop    func()
}

type option func(*registry.Config)

// start runs a client until the spec ends.
func (w *world) start(options ...option) *peer {
	GinkgoHelper()
	p := &peer{network: &network{}}
	config := registry.Config{
		Connect: w.Addr() + w.chroot, SessionTimeout: sessionTimeout, Dial: p.network.Dial,
		Logger: slog.New(slog.NewTextHandler(GinkgoWriter, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, option := range options {
		option(&config)
	}
	client, err := registry.New(config)
	Expect(err).NotTo(HaveOccurred())
	p.Client = client
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // the spec ends it
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
	})
	DeferCleanup(p.stop)
	return p
}

// session waits until the client is connected.
func (p *peer) session() *registry.Session {
	GinkgoHelper()
	var session *registry.Session
	Eventually(func(g Gomega) {
		state := p.State()
		g.Expect(state).To(SatisfyAll(
			HaveField("Connected", BeTrue()), HaveField("Err", BeNil()), HaveField("Session", Not(BeNil()))))
		session = state.Session
		g.Expect(session.Done()).NotTo(BeClosed(), "a session that is over is withdrawn a moment later")
	}).Should(Succeed())
	return session
}

// member is a registered member of the group.
type member struct {
	*peer
	*registry.Session
	id string
}

var births int64 = 1_700_000_000_000

func (w *world) join(ctx context.Context, pod string, options ...option) *member {
	GinkgoHelper()
	p := w.start(options...) //nolint:contextcheck // the client outlives the call
	births++
	m := &member{peer: p, Session: p.session(), id: layout.MemberID(group, layout.Sticky, pod, births, 7)}
	Expect(m.Register(ctx, group, m.id, layout.EncodeMember([]string{topic}, births))).To(Succeed())
	return m
}

func (m *member) claim(ctx context.Context, p kafka.Partition) (registry.Claimed, error) {
	return m.Claim(ctx, group, m.id, p, layout.Claim(group, m.id, p))
}

// place gives a partition its first position.
func (m *member) place(ctx context.Context, p kafka.Partition, offset int64) error {
	_, err := m.Transact(ctx, layout.Place(group, m.id, layout.Position{Partition: p, Offset: offset}))
	return err
}

func (m *member) commit(ctx context.Context, positions ...layout.Position) ([]int32, error) {
	return m.Transact(ctx, layout.Commit(group, m.id, positions))
}

func (m *member) observe(
	ctx context.Context, hint func(), partitions ...kafka.Partition,
) (layout.View, error) {
	return m.Observe(ctx, registry.ObserveRequest{
		Group: group, Topics: []string{topic}, Partitions: partitions,
	}, hint)
}

// expire ends the member's session behind its back, and leaves its network down.
func (m *member) expire(w *world) {
	GinkgoHelper()
	m.network.cut()
	Eventually(func() int64 { return w.owner(layout.Member(group, m.id)) }).Should(BeZero())
}

// hints counts.
type hints struct{ came chan struct{} }

func newHints() *hints { return &hints{came: make(chan struct{}, 1)} }

func (h *hints) give() {
	select {
	case h.came <- struct{}{}:
	default:
	}
}

func ofKind(kind registry.Kind) types.GomegaMatcher {
	return WithTransform(registry.KindOf, Equal(kind))
}

func within(ctx context.Context, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, d)
	DeferCleanup(cancel)
	return ctx
}
