// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/internal/worker"
)

const (
	// readyPoll is how often a worker is asked whether it is ready. Registering takes it some ten milliseconds.
	readyPoll = 50 * time.Millisecond
	// readyWithin is what a worker may take to be ready: ten times what starting one takes on a slow machine.
	readyWithin = 15 * time.Second
	// drainWithin is what a worker may take to leave: its messages are answered in milliseconds, so a second would do.
	drainWithin = 15 * time.Second
)

// workers are the worker processes of the demo, by name. Safe for concurrent use.
type workers struct {
	binary, dir string
	config      worker.Config
	client      *http.Client

	// mu protects what follows.
	mu      sync.Mutex
	running map[string]*process
	runs    int
}

// newWorkers starts nothing yet. The configuration is that of every worker, but for its name.
func newWorkers(binary, dir string, config worker.Config) *workers {
	return &workers{
		binary: binary, dir: dir, config: config, running: map[string]*process{},
		client: &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// start runs workers and waits until all are ready.
func (w *workers) start(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("not ready within %s", readyWithin))
	defer cancel()
	var started []*process
	for _, name := range names {
		p, err := w.launch(name)
		if err != nil {
			return err
		}
		started = append(started, p)
	}
	for _, p := range started {
		if err := w.awaitReady(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (w *workers) launch(name string) (*process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	config := w.config
	config.Member = name
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", name, err)
	}
	file := filepath.Join(w.dir, name+".yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", name, err)
	}
	w.runs++
	log := filepath.Join(w.dir, fmt.Sprintf("%s.%d.log", name, w.runs))
	p, err := startProcess(name, log, w.binary, "worker", "--config", file, "--log-format", "json")
	if err != nil {
		return nil, err
	}
	w.running[name] = p
	return p, nil
}

// awaitReady asks the worker itself, at the address that its log tells.
func (w *workers) awaitReady(ctx context.Context, p *process) error {
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for !w.ready(ctx, p) {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %w (its log: %s)", p.name, p.err, p.log)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w (its log: %s)", p.name, context.Cause(ctx), p.log)
		case <-ticker.C:
		}
	}
	return nil
}

func (w *workers) ready(ctx context.Context, p *process) bool {
	address := p.address()
	if address == "" {
		return false
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// drain ends workers in order, all at once, and waits until they are gone.
func (w *workers) drain(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, drainWithin, fmt.Errorf("not within %s", drainWithin))
	defer cancel()
	failures := make([]error, len(names))
	var ends sync.WaitGroup
	for i, name := range names {
		p, err := w.take(name)
		if err != nil {
			failures[i] = err
			continue
		}
		ends.Go(func() {
			failures[i] = p.end(ctx)
			if p.running() {
				failures[i] = errors.Join(failures[i], p.kill())
			}
		})
	}
	ends.Wait()
	return errors.Join(failures...)
}

func (w *workers) kill(name string) error {
	p, err := w.take(name)
	if err != nil {
		return err
	}
	return p.kill()
}

func (w *workers) freeze(name string) error { return w.signal(name, syscall.SIGSTOP) }
func (w *workers) thaw(name string) error   { return w.signal(name, syscall.SIGCONT) }

func (w *workers) signal(name string, sig syscall.Signal) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.running[name]
	if !ok {
		return fmt.Errorf("%s is not running", name)
	}
	return p.signal(sig)
}

// take removes a worker from those that run.
func (w *workers) take(name string) (*process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.running[name]
	if !ok {
		return nil, fmt.Errorf("%s is not running", name)
	}
	delete(w.running, name)
	return p, nil
}

// names lists the workers that run.
func (w *workers) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.running))
}

// addresses gives where each worker answers.
func (w *workers) addresses() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	addresses := make(map[string]string, len(w.running))
	for name, p := range w.running {
		addresses[name] = p.address()
	}
	return addresses
}

// close kills whatever still runs and waits for it.
func (w *workers) close(logger *slog.Logger) {
	for _, name := range w.names() {
		if err := w.kill(name); err != nil {
			logger.Error("Worker cannot be killed", "worker", name, "error", err)
		}
	}
}

// pid is the number of a worker's process, 0 if it does not run.
func (w *workers) pid(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p, ok := w.running[name]; ok {
		return p.cmd.Process.Pid
	}
	return 0
}
