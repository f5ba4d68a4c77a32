// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

const (
	configFile = "server.properties"
	logFile    = "server.log"
	// logTail is how many lines of the log an error has: a stack trace and what led to it.
	logTail = 40
)

// Broker is one broker of a cluster, running or not. Its methods are safe for concurrent use.
type Broker struct {
	cluster *Cluster
	id      int
	dir     string
	ports   map[string]int // by listener

	// mu protects what follows, and is held while the process starts or ends.
	mu      sync.Mutex
	process *proc.Process // nil while it is down
	log     *watch
	took    time.Duration
}

// ID is its number in the cluster, from 0 on.
func (b *Broker) ID() int { return b.id }

// Release is which Kafka it is.
func (b *Broker) Release() Release { return b.cluster.release }

// Addr is where its first listener is, host:port; it stays the same over restarts.
func (b *Broker) Addr() string { return b.addr(b.cluster.config.Listeners[0].Name) }

func (b *Broker) addr(listener string) string {
	return net.JoinHostPort(loopback, strconv.Itoa(b.ports[listener]))
}

// LogPath is the file that holds what the broker wrote, all its runs in order.
func (b *Broker) LogPath() string { return b.path(logFile) }

func (b *Broker) path(name string) string { return filepath.Join(b.dir, name) }

// Start runs the broker and returns when it serves; of one that runs already at once.
func (b *Broker) Start(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.alive() {
		return nil
	}
	if err := b.end(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.cluster.config.StartTimeout)
	defer cancel()
	begin := time.Now()
	if err := b.launch(); err != nil {
		return err
	}
	select {
	case <-b.log.seen:
		b.took = time.Since(begin)
		return nil
	case <-b.process.Done():
		return fmt.Errorf("broker %d ended before it served: %s; its log %s ends:\n%s",
			b.id, b.process.Exit(), b.LogPath(), proc.Tail(b.LogPath(), logTail))
	case <-ctx.Done():
		return fmt.Errorf("broker %d does not serve: %w; its log %s ends:\n%s",
			b.id, context.Cause(ctx), b.LogPath(), proc.Tail(b.LogPath(), logTail))
	}
}

func (b *Broker) launch() error {
	command, err := b.cluster.brokerCommand(b)
	if err != nil {
		return err
	}
	log, err := newWatch(b.LogPath())
	if err != nil {
		return err
	}
	command.Output = log
	process, err := proc.Start(command)
	if err != nil {
		_ = log.Close()
		return err
	}
	b.process, b.log = process, log
	return nil
}

// Took is how long its last start lasted, from the process to being ready.
func (b *Broker) Took() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.took
}

// Running tells whether the process is there, frozen or not.
func (b *Broker) Running() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alive()
}

func (b *Broker) alive() bool {
	if b.process == nil {
		return false
	}
	select {
	case <-b.process.Done():
		return false
	default:
		return true
	}
}

// Kill ends the process at once, as a crash does, frozen or not. What it wrote stays for Start.
func (b *Broker) Kill() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.end()
}

// Stop ends the process in order (SIGTERM): it moves its leaders away and leaves. Where it has not within a minute, or
// when ctx ends, it is killed, and that is the error.
func (b *Broker) Stop(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process == nil {
		return nil
	}
	const grace = time.Minute // controlled shutdown tries 3 times, each for at most 15 s
	exit := b.process.Stop(ctx, grace)
	if err := b.end(); err != nil {
		return err
	}
	if exit.Signal == syscall.SIGKILL {
		return fmt.Errorf("broker %d did not end in order and was killed; its log is %s", b.id, b.LogPath())
	}
	return nil
}

// end kills what runs, waits, and closes the log.
func (b *Broker) end() error {
	if b.process == nil {
		return nil
	}
	b.process.Kill()
	err := b.log.Close()
	b.process, b.log = nil, nil
	return err
}

// Freeze stops the process (SIGSTOP) where it stands: its kernel accepts connections, and nobody answers.
func (b *Broker) Freeze() error { return b.signal(syscall.SIGSTOP) }

// Resume wakes what Freeze stopped.
func (b *Broker) Resume() error { return b.signal(syscall.SIGCONT) }

var errDown = errors.New("the broker is not running")

func (b *Broker) signal(signal syscall.Signal) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process == nil {
		return fmt.Errorf("broker %d: %w", b.id, errDown)
	}
	return b.process.Signal(signal)
}
