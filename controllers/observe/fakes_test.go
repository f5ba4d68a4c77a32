// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var (
	key       = types.NamespacedName{Namespace: "n", Name: "billing"}
	atCluster = types.NamespacedName{Namespace: "n", Name: "main"}
)

// stage is an observer in a bubble of synctest, and all that it sees.
type stage struct {
	*Observer
	cluster *fakeCluster
	workers *fakeWorkers
	wakes   *wakes
}

// play runs a test in a bubble. When it returns every goroutine of the observer has to have ended, or synctest fails.
func play(t *testing.T, test func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{cluster: newFakeCluster(), workers: &fakeWorkers{said: map[string]*worker.Status{}}, wakes: &wakes{}}
		s.Observer = New(s.cluster.reach, slog.New(slog.DiscardHandler), 0)
		s.ask = s.workers.ask
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		if err := s.Source().Start(ctx, s.wakes); err != nil {
			t.Fatal(err)
		}
		test(t, s)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// after lets time pass, and everything happen that is due then.
func after(wait time.Duration) {
	<-time.After(wait)
	synctest.Wait()
}

// wakes is a queue that takes down when it was woken.
type wakes struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	mu sync.Mutex
	at []time.Time
}

// Add implements workqueue.TypedInterface.
func (w *wakes) Add(reconcile.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = append(w.at, time.Now())
}

func (w *wakes) take() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.at
	w.at = nil
	return at
}

// fakeCluster is a cluster as a test sets it up.
type fakeCluster struct {
	mu       sync.Mutex
	gone     error // there is no connection
	err      error // there is, and it does not work
	failing  map[string]error
	changed  chan struct{}
	topics   []string
	views    map[string]client.GroupView
	tells    map[string]func()
	reads    []time.Time
	asked    [][]string
	hang     chan struct{} // readings wait for it
	now, max int           // readings under way, and the most that ever were
	held     int           // users of the connection
	forgot   []string
	moving   bool // each reading finds other numbers
}

func newFakeCluster() *fakeCluster {
	return &fakeCluster{
		changed: make(chan struct{}), views: map[string]client.GroupView{}, tells: map[string]func(){},
		failing: map[string]error{},
	}
}

func (c *fakeCluster) with(change func(c *fakeCluster)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

// shift is with, and tells of a change of the connection.
func (c *fakeCluster) shift(change func(c *fakeCluster)) {
	c.with(func(c *fakeCluster) {
		change(c)
		close(c.changed)
		c.changed = make(chan struct{})
	})
}

func (c *fakeCluster) reach(types.NamespacedName) (Cluster, func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone != nil {
		return nil, nil, c.gone
	}
	c.held++
	return c, func() { c.with(func(c *fakeCluster) { c.held-- }) }, nil
}

// Err implements Cluster.
func (c *fakeCluster) Err(client.Coordination) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Changed implements Cluster.
func (c *fakeCluster) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Topics implements Cluster.
func (c *fakeCluster) Topics(context.Context) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.topics, nil
}

// Group implements Cluster.
func (c *fakeCluster) Group(_ client.Coordination, name string) Group { return &fakeGroup{c, name} }

func (c *fakeCluster) tell(group string) {
	c.mu.Lock()
	tell := c.tells[group]
	c.mu.Unlock()
	tell()
}

func (c *fakeCluster) readings() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.reads)
}

type fakeGroup struct {
	cluster *fakeCluster
	name    string
}

// Inspect implements Group.
func (g *fakeGroup) Inspect(ctx context.Context, topics []string, tell func()) (client.GroupView, error) {
	c := g.cluster
	c.mu.Lock()
	c.reads, c.asked = append(c.reads, time.Now()), append(c.asked, topics)
	c.now++
	c.max = max(c.max, c.now)
	c.tells[g.name] = tell
	hang := c.hang
	c.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
	if err := errors.Join(c.failing[g.name], ctx.Err()); err != nil {
		return client.GroupView{}, err
	}
	view := c.views[g.name]
	if c.moving {
		view.Partitions = []client.GroupPartition{{Committed: int64(len(c.reads)), End: 1000}}
	}
	return view, nil
}

// Forget implements Group.
func (g *fakeGroup) Forget() {
	g.cluster.with(func(c *fakeCluster) { c.forgot = append(c.forgot, g.name) })
}

// fakeWorkers are workers by their address.
type fakeWorkers struct {
	mu    sync.Mutex
	said  map[string]*worker.Status
	slow  map[string]time.Duration
	asked map[string][]time.Time
}

func (f *fakeWorkers) ask(ctx context.Context, address string) (*worker.Status, error) {
	f.mu.Lock()
	if f.asked == nil {
		f.asked = map[string][]time.Time{}
	}
	f.asked[address] = append(f.asked[address], time.Now())
	said, slow := f.said[address], f.slow[address]
	f.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
		}
	}
	if said == nil {
		return nil, fmt.Errorf("nobody is at %s", address)
	}
	return said, nil
}

func (f *fakeWorkers) times(address string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked[address])
}

// owned is a view of a group in which one member owns one partition.
func owned(by string) client.GroupView {
	return client.GroupView{
		Members: []client.GroupMember{{ID: by}},
		Partitions: []client.GroupPartition{{
			Partition: kafka.Partition{Topic: "orders", ID: "0"}, Owner: by, Committed: 1, End: 2,
		}},
	}
}
