// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

const (
	// etcdGrace and apiServerGrace are what a program may take to end in order: each needs a second; the API server, with
	// watches open, waits for them as long.
	etcdGrace      = 5 * time.Second
	apiServerGrace = 5 * time.Second
	// controllerGrace is shorter: nothing is lost with the controllers, they begin anew from what the API server holds.
	controllerGrace = 2 * time.Second
)

// ControlPlane is a running control plane. Its methods are safe for concurrent use.
type ControlPlane struct {
	config    Config
	files     files
	addresses addresses
	rest      *rest.Config
	failed    chan error

	// mu protects the children and makes starting and ending them one at a time.
	mu                       sync.Mutex
	etcd, server, controller *child
	closed                   bool

	// expected protects itself: the runs that may end.
	expected sync.Map // of *proc.Process
}

// Start runs a control plane and returns when it answers and its controllers work. ctx bounds the start alone; Close
// ends it.
func Start(ctx context.Context, config Config) (*ControlPlane, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	c := &ControlPlane{config: config.withDefaults(), failed: make(chan error, 1)}
	c.config.Progress("certificates")
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	for _, step := range []struct {
		progress string
		run      func(context.Context) error
	}{
		{"etcd", c.startEtcd}, {"the API server", c.StartAPIServer}, {"kinds", c.prepareObjects},
		{"the controllers", c.startControllers},
	} {
		c.config.Progress(step.progress)
		if err := c.unlessFailed(ctx, step.run); err != nil {
			return nil, errors.Join(err, c.Close()) //nolint:contextcheck // ctx may have ended
		}
	}
	return c, nil
}

// unlessFailed cuts a step short when a program has died: what it waits for will not come.
func (c *ControlPlane) unlessFailed(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case err := <-c.failed:
			cancel(err)
		case <-done:
		}
	})
	err := step(ctx)
	close(done)
	watching.Wait()
	return err
}

func (c *ControlPlane) prepare(ctx context.Context) error {
	var err error
	if c.files, err = prepare(c.config.Directory); err != nil {
		return err
	}
	if c.addresses, err = choosePorts(ctx, c.config.Port); err != nil {
		return err
	}
	if err := c.files.writeKubeconfig(c.addresses.apiServerURL()); err != nil {
		return err
	}
	if c.rest, err = clientcmd.BuildConfigFromFlags("", c.files.kubeconfig()); err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	programs := c.config.Programs
	c.etcd = &child{program: etcdProgram, path: programs, log: c.files.log(etcdProgram), grace: etcdGrace}
	c.server = &child{program: apiServerProgram, path: programs, log: c.files.log(apiServerProgram), grace: apiServerGrace}
	c.controller = &child{
		program: controllerProgram, path: programs, log: c.files.log(controllerProgram), grace: controllerGrace,
	}
	return nil
}

func (c *ControlPlane) startEtcd(context.Context) error {
	// The API server waits for it.
	return c.start(c.etcd, etcdArguments(c.files, c.addresses))
}

// StartAPIServer starts the API server, on its old port and data if it was killed, and returns when it answers.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error {
	if err := c.start(c.server, apiServerArguments(c.files, c.addresses)); err != nil {
		return err
	}
	return c.awaitAPIServer(ctx)
}

func (c *ControlPlane) prepareObjects(ctx context.Context) error {
	return c.config.Prepare(ctx, c.REST())
}

func (c *ControlPlane) startControllers(ctx context.Context) error {
	if err := c.start(c.controller, controllerArguments(c.files)); err != nil {
		return err
	}
	return c.awaitControllers(ctx)
}

func (c *ControlPlane) start(child *child, arguments []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errors.New("control plane: it is closed")
	}
	if child.process != nil {
		return fmt.Errorf("control plane: %s runs", child.program)
	}
	return child.start(arguments, c.died)
}

// died reports an end that nobody asked for; the first is enough, since others follow from it.
func (c *ControlPlane) died(process *proc.Process, report error) {
	if _, asked := c.expected.Load(process); asked {
		return
	}
	select {
	case c.failed <- report:
	default:
		c.config.Logger.Error("Program of the control plane ended", "error", report)
	}
}

// KillAPIServer kills the API server outright. Everything else goes on; StartAPIServer brings it back.
func (c *ControlPlane) KillAPIServer() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server.process == nil {
		return errors.New("control plane: the API server does not run")
	}
	c.end(c.server, func(p *proc.Process) { p.Kill() })
	return nil
}

// end must be called with mu held.
func (c *ControlPlane) end(child *child, how func(*proc.Process)) {
	if child == nil || child.process == nil {
		return
	}
	c.expected.Store(child.process, true)
	how(child.process)
	<-child.ended
	c.expected.Delete(child.process)
	child.process = nil
}

// Failed tells of a program that ended though nobody asked it to, with the end of its log. What is left goes on until
// Close.
func (c *ControlPlane) Failed() <-chan error { return c.failed }

// REST is how to reach the API server as its administrator. The caller may change what is returned.
func (c *ControlPlane) REST() *rest.Config { return rest.CopyConfig(c.rest) }

// Kubeconfig is the file for kubectl.
func (c *ControlPlane) Kubeconfig() string { return c.files.kubeconfig() }

// PIDs are the numbers of the processes that run, by program.
func (c *ControlPlane) PIDs() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	pids := map[string]int{}
	for _, child := range []*child{c.etcd, c.server, c.controller} {
		if child != nil && child.process != nil {
			pids[child.program] = child.process.PID()
		}
	}
	return pids
}

// Close ends everything, those first that use the others, and waits. It is safe to call again.
func (c *ControlPlane) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	for _, child := range []*child{c.controller, c.server, c.etcd} {
		if child != nil {
			c.end(child, func(p *proc.Process) { c.stop(child, p) })
		}
	}
	// The kubeconfig leads nowhere now, and its key is of no use; kubectl shall not wait for an answer.
	if err := os.Remove(c.files.kubeconfig()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return nil
}

func (c *ControlPlane) stop(child *child, p *proc.Process) {
	if exit := p.Stop(context.Background(), child.grace); exit.Signal != 0 {
		c.config.Logger.Debug("Program of the control plane did not end in order", "program", child.program, "exit", exit)
	}
}
