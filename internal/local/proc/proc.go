// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// outputLinger is how long output may still come once all processes of the group are dead: what is in the pipe (64 KiB)
// takes microseconds. Only a grandchild that left the group could write on, and it is not waited for.
const outputLinger = time.Second

// Command says what to run.
type Command struct {
	// Name is what errors call the process.
	Name string
	// Path is the program, Args its arguments without its name.
	Path string
	Args []string
	// Env is the whole environment; nothing is inherited.
	Env []string
	// Dir is the working directory.
	Dir string
	// Output gets what the process writes to both of its outputs, from one goroutine. It is not closed.
	Output io.Writer
}

// Exit says how a process ended.
type Exit struct {
	// Code is its exit code; 128 + the signal's number if a signal ended it, as shells and kubelets count.
	Code int
	// Signal is what ended it, 0 if it ended by itself.
	Signal syscall.Signal
	At     time.Time
}

// String tells it as in "exit code 1" or "killed by SIGKILL".
func (e Exit) String() string {
	if e.Signal != 0 {
		return fmt.Sprintf("ended by signal %d (%s)", int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// Process is a child process and its group. Its methods are safe for concurrent use.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output *os.File // the reading end of the pipe
	done   chan struct{}
	exit   Exit // read after done

	// mu keeps signals away from a process id that has been waited for, which the kernel may have given to another.
	mu     sync.Mutex
	reaped bool
}

// Start runs a command. Its process ends by Stop or Kill, by itself, or with this process; whoever starts it waits for
// Done.
func Start(command Command) (*Process, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	defer func() { _ = write.Close() }() // the child has its own descriptor
	// Not CommandContext: what ends the process, and how gently, is the caller's to say.
	cmd := exec.Command(command.Path, command.Args...) //nolint:noctx // see above
	cmd.Env, cmd.Dir = command.Env, command.Dir
	if cmd.Env == nil {
		cmd.Env = []string{} // nil would mean: inherit
	}
	cmd.Stdout, cmd.Stderr = write, write
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		_ = read.Close()
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	p := &Process{name: command.Name, cmd: cmd, output: read, done: make(chan struct{})}
	output := command.Output
	if output == nil {
		output = io.Discard
	}
	go p.wait(output)
	return p, nil
}

// wait owns the process until it has ended and its output is written.
func (p *Process) wait(output io.Writer) {
	defer close(p.done)
	var copying sync.WaitGroup
	copying.Go(func() { _, _ = io.Copy(indifferent{output}, p.output) }) // it ends with the pipe, as it should
	awaitExit(p.cmd.Process.Pid)
	p.reap()
	_ = p.output.SetReadDeadline(time.Now().Add(outputLinger))
	copying.Wait()
	_ = p.output.Close()
}

// indifferent writes what can be written: a full disk must not stop the process, and its log goes on when there is
// room.
type indifferent struct{ io.Writer }

func (w indifferent) Write(text []byte) (int, error) {
	_, _ = w.Writer.Write(text) // see above
	return len(text), nil
}

// reap kills what is left of the group while the dead leader's id still keeps the group's from being given away, then
// lets go of it.
func (p *Process) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait() // the state says more than the error
	p.reaped = true
	p.exit = exitOf(p.cmd.ProcessState)
}

func exitOf(state *os.ProcessState) Exit {
	exit := Exit{At: time.Now()}
	if state == nil {
		exit.Code = 255
		return exit
	}
	exit.Code = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
		exit.Code = 128 + int(exit.Signal)
	}
	return exit
}

// PID is the process's number, also that of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended, with all of its group and its output written.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit waits for the end and says how it was.
func (p *Process) Exit() Exit {
	<-p.done
	return p.exit
}

// Signal goes to the process alone. os.ErrProcessDone if it has ended.
func (p *Process) Signal(signal syscall.Signal) error { return p.signal(p.cmd.Process.Pid, signal) }

func (p *Process) signal(pid int, signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return fmt.Errorf("send %s to %s: %w", signal, p.name, os.ErrProcessDone)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("send %s to %s: %w", signal, p.name, err)
	}
	return nil
}

// Stop asks the process to end, by SIGTERM, and kills its group if it has not within grace or when ctx ends. It waits
// for the end.
func (p *Process) Stop(ctx context.Context, grace time.Duration) Exit {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := p.Signal(syscall.SIGTERM); err == nil {
		select {
		case <-p.done:
		case <-ctx.Done():
		}
	}
	return p.Kill()
}

// Kill ends the whole group at once, frozen or not, and waits for the end.
func (p *Process) Kill() Exit {
	if err := p.signal(-p.cmd.Process.Pid, syscall.SIGKILL); errors.Is(err, syscall.ESRCH) {
		_ = p.Signal(syscall.SIGKILL) // the child has not come to make its group yet
	}
	return p.Exit()
}
