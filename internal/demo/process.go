// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// process is a child process. A goroutine waits for its end; end and kill wait for that goroutine.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the process has ended
	err  error         // how it ended; read after done
}

// startProcess runs a command with its output in a file.
func startProcess(name, logFile, binary string, args ...string) (*process, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }() // the child has its own descriptor
	// Not CommandContext: what ends a worker, and how, is the script's to say.
	cmd := exec.Command(binary, args...) //nolint:noctx // see above
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownProcess()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, log: logFile, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// signal goes to the child's own pid only, and never to a process that has been waited for.
func (p *process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("send %s to %s: %w", sig, p.name, err)
	}
	return nil
}

// end asks the process to end and waits until it has, with exit code 0.
func (p *process) end(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return p.died(err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s did not end: %w (its log: %s)", p.name, context.Cause(ctx), p.log)
	case <-p.done:
		return p.died(nil)
	}
}

// died says how the process ended, if not well.
func (p *process) died(err error) error {
	if !p.running() && p.err != nil {
		err = p.err
	}
	if err != nil {
		return fmt.Errorf("%s: %w (its log: %s)", p.name, err, p.log)
	}
	return nil
}

// kill ends the process at once, frozen or not, and waits for it.
func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}
