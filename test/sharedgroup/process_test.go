// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// process is a member's process. It reads commands from its standard input, and ends by itself when that ends: so none
// outlives the test.
type process struct {
	name  string
	cmd   *exec.Cmd
	input io.WriteCloser
	said  *words
	done  chan struct{}
}

// launch starts a program; what it writes to its standard error goes to a file.
func launch(name, log string, env []string, program string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer file.Close() // the child has its own descriptor
	// Not CommandContext: how it ends is what is tested.
	cmd := exec.Command(program, args...) //nolint:noctx // see above
	p := &process{name: name, cmd: cmd, said: newWords(), done: make(chan struct{})}
	cmd.Env, cmd.Stdout, cmd.Stderr = env, p.said, file
	if p.input, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended, the books tell
	}()
	return p, nil
}

func (p *process) say(words ...string) error {
	if _, err := io.WriteString(p.input, strings.Join(words, " ")+"\n"); err != nil {
		return fmt.Errorf("tell %s to %s: %w", p.name, words[0], err)
	}
	return nil
}

// leave asks it to go; it goes in its own time, see done.
func (p *process) leave() { _ = p.input.Close() }

// kill ends it at once and waits.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// words are the lines that a process has written. Safe for concurrent use.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func newWords() *words { return &words{} }

// Write implements io.Writer.
func (w *words) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(text)
}

// lines are those that are whole.
func (w *words) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := strings.Split(w.text.String(), "\n")
	return all[:len(all)-1]
}
