// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package realzk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

var errDown = errors.New("the zookeeper server is not running")

// process is one run of the server. A goroutine waits for its end; kill waits for that goroutine.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when the process has ended
	err  error         // how it ended; read after done
}

func startProcess(confFile, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of the zookeeper server: %w", err)
	}
	// Not CommandContext: the server outlives the context of the spec that starts it.
	cmd := exec.Command("java", javaArgs(confFile)...) //nolint:noctx // see above
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("java: %w", err), log.Close())
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go p.wait()
	return p, nil
}

func (p *process) wait() {
	defer close(p.done)
	p.err = p.cmd.Wait()
	if p.err == nil {
		p.err = errors.New("exit status 0")
	}
}

// freeze returns once the process stands still.
func (p *process) freeze() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return awaitStop(p.cmd.Process.Pid)
}

func (p *process) thaw() error { return p.signal(syscall.SIGCONT) }

// kill works on a frozen process too.
func (p *process) kill() error {
	err := p.signal(syscall.SIGKILL)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	if err == nil {
		<-p.done
	}
	return errors.Join(err, p.log.Close())
}

func (p *process) signal(sig syscall.Signal) error {
	if p == nil {
		return errDown
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("zookeeper server, signal %s: %w", sig, err)
	}
	return nil
}
