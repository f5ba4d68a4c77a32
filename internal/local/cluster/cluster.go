// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/local/controlplane"
	"github.com/samsa-dev/samsa/internal/local/node"
)

// Cluster is a running world. Its methods are safe for concurrent use.
type Cluster struct {
	config Config
	world  *world.World
	plane  *controlplane.ControlPlane
	node   *node.Node
	failed chan error

	// closers end what was started, each before those in front of it.
	closers []func() error

	// mu protects what follows.
	mu      sync.Mutex
	manager *task
	closed  bool
}

// Start runs a world and returns when it takes objects and runs pods. The error is a Refusal if it cannot begin. ctx
// bounds the start alone; Close ends the world.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	c := &Cluster{config: config.withDefaults(), failed: make(chan error, 1)}
	release, err := lock(c.config.Directory)
	if err != nil {
		return nil, Refusal{err}
	}
	c.closers = append(c.closers, release)
	if err := c.config.check(ctx); err != nil {
		return nil, Refusal{errors.Join(err, c.Close())}
	}
	for _, step := range []func(context.Context) error{
		c.startWorld, c.startControlPlane, c.startNode, c.StartManager, c.startControl, c.announce,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

func (c *Cluster) startWorld(ctx context.Context) error {
	c.config.Progress(parts(c.config.Kafka))
	port, err := c.config.port()
	if err != nil {
		return err
	}
	w, err := world.Start(ctx, world.Config{
		Era: c.config.Kafka, ZooKeeperAddr: c.config.ZooKeeper, Tick: c.config.Tick, Brokers: c.config.Brokers,
		Directory: filepath.Join(c.config.Directory, "kafka"), Port: port,
		Topics: c.config.Topics, Broker07: kafka07.Config{Partitions: undeclared(c.config.Brokers)},
		Logger: c.config.Logger.With("part", "kafka"),
	})
	if err != nil {
		return err
	}
	c.world = w
	c.closers = append(c.closers, w.Close)
	return nil
}

// parts are what a world of an era consists of, in words.
func parts(era world.Era) string {
	kafka := "Kafka"
	if era != world.Modern {
		kafka += " " + string(era)
	}
	if era.Real() {
		kafka += " (real brokers)"
	}
	if era.ZooKeeper() {
		return "ZooKeeper and " + kafka
	}
	return kafka
}

// undeclared is how many partitions a broker of Kafka 0.7 gives a topic that comes into being by being written to: so
// many that all brokers together have what a declared one has by default.
func undeclared(brokers int) int32 {
	return int32((DefaultPartitions + brokers - 1) / brokers) //nolint:gosec // at most DefaultPartitions
}

func (c *Cluster) startControlPlane(ctx context.Context) error {
	plane, err := controlplane.Start(ctx, controlplane.Config{
		Directory: filepath.Join(c.config.Directory, "controlplane"), Programs: c.config.Programs, Port: c.config.APIServer,
		Prepare: func(ctx context.Context, config *rest.Config) error {
			return errors.Join(installKinds(ctx, config, c.config.CRDs), allowGateways(ctx, config))
		},
		Progress: c.config.Progress, Logger: c.config.Logger.With("part", "controlplane"),
	})
	if err != nil {
		return err
	}
	c.plane = plane
	c.closers = append(c.closers, plane.Close)
	//nolint:contextcheck // the world outlives its start
	watching := start(func(ctx context.Context) error {
		select {
		case err := <-plane.Failed():
			return err
		case <-ctx.Done():
			return nil
		}
	}, c.fail)
	c.closers = append(c.closers, watching.stop)
	return nil
}

func (c *Cluster) startNode(ctx context.Context) error {
	c.config.Progress("the node")
	n, err := node.New(node.Config{
		REST: c.plane.REST(), Directory: NodeDirectory(c.config.Directory),
		Images: map[string]string{WorkerImage: c.config.Worker}, Logger: c.config.Logger.With("part", "node"),
	})
	if err != nil {
		return err
	}
	c.node = n
	ended := make(chan error, 1)
	//nolint:contextcheck // the world outlives its start
	running := start(n.Run, func(err error) {
		ended <- err
		c.fail(fmt.Errorf("the node ended: %w", err))
	})
	c.closers = append(c.closers, running.stop)
	select {
	case <-n.Registered():
		return nil
	case err := <-ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// StartManager starts the manager, after StopManager or for the first time. It does not wait for it to work.
func (c *Cluster) StartManager(context.Context) error {
	c.config.Progress("the manager")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.manager != nil {
		return errors.New("the manager runs, or the world is closed")
	}
	//nolint:contextcheck // the manager outlives the start
	c.manager = start(func(ctx context.Context) error { return c.config.Manager(ctx, c.plane.REST()) }, func(err error) {
		c.fail(fmt.Errorf("the manager ended: %w", err))
	})
	return nil
}

// StopManager ends the manager and waits for it.
func (c *Cluster) StopManager() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	manager := c.manager
	c.manager = nil
	return manager.stop()
}

// announce lets other processes find the world.
func (c *Cluster) announce(context.Context) error {
	c.closers = append(c.closers, func() error {
		err := os.Remove(filepath.Join(c.config.Directory, "state.json"))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	return State{
		PID: os.Getpid(), Kubeconfig: c.plane.Kubeconfig(), Programs: c.config.Programs, ZooKeeper: c.world.Connect(),
		Bootstrap: c.world.Bootstrap(),
	}.write(c.config.Directory)
}

// fail keeps the first failure; others follow from it.
func (c *Cluster) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// Failed tells of a part that ended though nobody asked it to. The rest goes on until Close.
func (c *Cluster) Failed() <-chan error { return c.failed }

// World is Kafka, and the ZooKeeper that it is registered in.
func (c *Cluster) World() *world.World { return c.world }

// REST is how to reach the API server as its administrator.
func (c *Cluster) REST() *rest.Config { return c.plane.REST() }

// Proxy is host:port of an HTTP proxy that knows the Services of this world.
func (c *Cluster) Proxy() string { return c.node.Proxy() }

// Kubeconfig is a file for kubectl.
func (c *Cluster) Kubeconfig() string { return c.plane.Kubeconfig() }

// KillAPIServer kills the API server outright.
func (c *Cluster) KillAPIServer() error { return c.plane.KillAPIServer() }

// StartAPIServer brings the API server back, on its port and with its data, and returns when it answers.
func (c *Cluster) StartAPIServer(ctx context.Context) error { return c.plane.StartAPIServer(ctx) }

// Signal sends a signal to the process of a pod.
func (c *Cluster) Signal(namespace, pod string, signal syscall.Signal) error {
	return c.node.Signal(types.NamespacedName{Namespace: namespace, Name: pod}, signal)
}

// Kubectl runs kubectl as the administrator and gives its output; the error holds what it complained about.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(c.config.Programs, "kubectl"), args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig())
	var complaint strings.Builder
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return string(output), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, complaint.String())
	}
	return string(output), nil
}

// Close ends everything, those first that use the others: the manager, the pods and their node, the control plane,
// Kafka and ZooKeeper. It waits, and is safe to call again.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	err := c.manager.stop()
	for _, end := range slices.Backward(c.closers) {
		err = errors.Join(err, end())
	}
	return err
}
