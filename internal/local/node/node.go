// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

const (
	// callTimeout bounds one request to the API server of this machine, which takes milliseconds.
	callTimeout = 10 * time.Second
	// retryAfter is how long a request that failed is put off: the API server is away, or somebody was faster.
	retryAfter = time.Second
	// defaultShutdownGrace is what pods may take in the end. It is less than most ask for: whoever presses Ctrl-C
	// waits, and the world that the pods drain into ends with them.
	defaultShutdownGrace = 10 * time.Second
)

// Config says what node to run. REST and Directory are required.
type Config struct {
	// Name of the node. Default samsa-local.
	Name string
	// REST is how to reach the API server. The node needs an administrator's permissions: it binds pods, and reads all
	// ConfigMaps and Secrets.
	REST *rest.Config
	// Directory is the node's own: what its pods see and log. Readable by its owner alone, for there are Secrets in it.
	Directory string
	// Images gives for the name of an image the program that stands for it.
	Images map[string]string
	// Backoff is the wait before the second restart, and doubles up to MaxBackoff. Default 10 s and 5 min, a kubelet's.
	Backoff, MaxBackoff time.Duration
	// ShutdownGrace bounds how long pods may take to end when the node does. Default 10 s.
	ShutdownGrace time.Duration
	// Logger gets what happens to pods. Default: nothing is logged.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "samsa-local"
	}
	if c.Backoff <= 0 {
		c.Backoff = defaultBackoff
	}
	if c.MaxBackoff <= 0 {
		c.MaxBackoff = defaultMaxBackoff
	}
	if c.ShutdownGrace <= 0 {
		c.ShutdownGrace = defaultShutdownGrace
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Node runs pods. Its methods are safe for concurrent use.
type Node struct {
	config     Config
	transport  *http.Client
	client     kubernetes.Interface
	addresses  *addresses
	registered chan struct{}

	pods     *mirror
	objects  mirrored
	services *services
	names    *names
	events   record.EventRecorder
	// woken says that some pod has changed, touched that some ConfigMap or Secret has.
	woken, touched chan struct{}

	// mu protects what follows.
	mu      sync.Mutex
	runners map[types.UID]*runner
}

// New prepares a node; Run runs it.
func New(config Config) (*Node, error) {
	if config.REST == nil || config.Directory == "" {
		return nil, errors.New("node: REST and Directory are required")
	}
	n := &Node{
		config: config.withDefaults(), runners: map[types.UID]*runner{}, registered: make(chan struct{}),
		woken: make(chan struct{}, 1), touched: make(chan struct{}, 1),
	}
	limitless := rest.CopyConfig(n.config.REST)
	// The API server has its own idea of fairness, and a node that waits in its own client is late with a pod's end.
	limitless.QPS = -1
	var err error
	if n.transport, err = rest.HTTPClientFor(limitless); err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	if n.client, err = kubernetes.NewForConfigAndClient(limitless, n.transport); err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	n.pods = newMirror("pods", &corev1.Pod{}, func() { poke(n.woken) })
	n.objects.configMaps = newMirror("configmaps", &corev1.ConfigMap{}, func() { poke(n.touched) })
	n.objects.secrets = newMirror("secrets", &corev1.Secret{}, func() { poke(n.touched) })
	// Nothing is to be done when a Service changes, but somebody waits for the first look at them.
	n.services = &services{
		services: newMirror("services", &corev1.Service{}, func() { poke(n.woken) }), pods: n.pods,
	}
	return n, nil
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Registered is closed when the node has registered itself and runs pods.
func (n *Node) Registered() <-chan struct{} { return n.registered }

// Proxy is host:port of the HTTP proxy that knows Services. It is there once the node is registered.
func (n *Node) Proxy() string { return n.addresses.claim.Addr().String() }

// Run runs pods until ctx ends, then ends them all and waits for their processes. The API server may be away at any
// time but the first.
func (n *Node) Run(ctx context.Context) error {
	// What an earlier run left lies under names that nobody uses again.
	if err := os.RemoveAll(n.podsDirectory()); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	if err := os.MkdirAll(n.podsDirectory(), 0o700); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	addresses, err := claimAddresses(ctx, n.config.Directory)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	n.addresses = addresses
	defer func() { _ = addresses.close() }()
	if n.names, err = listenNames(ctx, n.services, netip.AddrPortFrom(addresses.node, namesPort)); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	defer n.transport.CloseIdleConnections()

	// Processes end before the mirrors do, so that they end in order even then; reports stop with ctx.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	broadcaster := record.NewBroadcaster(record.WithContext(following))
	n.events = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "samsa-local", Host: n.config.Name})
	watch := broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: n.client.CoreV1().Events("")})

	var mirroring sync.WaitGroup
	mirroring.Go(func() { n.names.run(following) })
	mirroring.Go(func() {
		if err := newProxy(n.services, n.config.Logger).run(following, addresses.claim); err != nil {
			n.config.Logger.Error("Services cannot be reached by HTTP any more", "error", err)
		}
	})
	for _, m := range []*mirror{n.pods, n.objects.configMaps, n.objects.secrets, n.services.services} {
		mirroring.Go(func() { m.run(following, n.client.CoreV1().RESTClient()) })
	}
	err = n.run(ctx)
	stop()
	watch.Stop()
	broadcaster.Shutdown()
	mirroring.Wait()
	return err
}

func (n *Node) podsDirectory() string { return filepath.Join(n.config.Directory, "pods") }

// run looks at all pods whenever one has changed.
func (n *Node) run(ctx context.Context) error {
	if err := n.register(ctx); err != nil {
		return err
	}
	var running sync.WaitGroup
	defer running.Wait()
	review := time.NewTicker(reviewNode)
	defer review.Stop()
	retry := time.NewTimer(0)
	defer retry.Stop()
	announced := false
	for {
		touched := false
		select {
		case <-ctx.Done():
			return nil
		case <-n.woken:
		case <-retry.C:
		case <-n.touched:
			touched = true
		case <-review.C:
			if err := n.register(ctx); err != nil && ctx.Err() == nil {
				n.config.Logger.Warn("Node is not registered", "error", err)
			}
		}
		if !n.synced() {
			continue
		}
		if !announced {
			announced = true
			close(n.registered)
		}
		if !n.converge(ctx, &running, touched) {
			retry.Reset(retryAfter)
		}
	}
}

func (n *Node) synced() bool {
	return n.pods.synced.Load() && n.objects.configMaps.synced.Load() && n.objects.secrets.synced.Load() &&
		n.services.services.synced.Load()
}

// converge gives every pod a runner that knows its newest state, and reports whether all went well.
func (n *Node) converge(ctx context.Context, running *sync.WaitGroup, touched bool) (well bool) {
	well = true
	present := map[types.UID]bool{}
	for _, object := range n.pods.List() {
		pod, ok := object.(*corev1.Pod)
		if !ok {
			continue
		}
		present[pod.UID] = true
		switch pod.Spec.NodeName {
		case "":
			well = n.bind(ctx, pod) && well
		case n.config.Name:
			n.runner(ctx, running, pod).update(pod, touched)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for uid, r := range n.runners {
		if present[uid] {
			continue
		}
		r.vanish()
		if r.ended() {
			delete(n.runners, uid)
		}
	}
	return well
}

// runner finds or starts the runner of a pod.
func (n *Node) runner(ctx context.Context, running *sync.WaitGroup, pod *corev1.Pod) *runner {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.runners[pod.UID]
	if r == nil {
		r = newRunner(n, pod)
		n.runners[pod.UID] = r
		running.Go(func() {
			r.run(ctx)
			poke(n.woken) // it may be forgotten now
		})
	}
	return r
}

// runs reports whether a pod has a runner that has not ended.
func (n *Node) runs(pod types.UID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.runners[pod]
	return r != nil && !r.ended()
}

// Signal sends a signal to the process of a pod's first container, to do it harm; never to another that got its number.
func (n *Node) Signal(pod types.NamespacedName, signal syscall.Signal) error {
	process, err := n.process(pod)
	if err != nil {
		return err
	}
	return process.Signal(signal)
}

func (n *Node) process(pod types.NamespacedName) (*proc.Process, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.runners {
		if r.key != pod || r.ended() {
			continue
		}
		if process := r.first(); process != nil {
			return process, nil
		}
	}
	return nil, fmt.Errorf("pod %s has no process", pod)
}
