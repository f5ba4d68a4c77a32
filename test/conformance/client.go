// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program is the client under test: a command line, and how it is told of the servers.
type program struct {
	command []string
	where   []string
}

// published is what publish answers.
type published struct {
	Acknowledged int `json:"acknowledged"`
	code         int
	said         string
}

func (p program) cmd(ctx context.Context, args ...string) *exec.Cmd {
	line := slices.Concat(p.command, p.where, args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...) //nolint:gosec // it is the client that was asked for
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "SAMSA_ZOOKEEPER=", "SAMSA_BOOTSTRAP=")
	return cmd
}

// publish hands messages to the client and waits for its answer.
func (p program) publish(ctx context.Context, topic string, values [][]byte, flags ...string) (published, error) {
	var in, out, errs bytes.Buffer
	for _, value := range values {
		in.Write(binary.BigEndian.AppendUint32(nil, uint32(len(value)))) //nolint:gosec // some megabytes at most
		in.Write(value)
	}
	cmd := p.cmd(ctx, append([]string{"publish", topic, "--frames", "-o", "json"}, flags...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, &errs
	err := cmd.Run()
	answer := published{code: cmd.ProcessState.ExitCode(), said: strings.TrimSpace(errs.String())}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return answer, err
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if last := lines[len(lines)-1]; len(last) > 0 {
		if err := json.Unmarshal(last, &answer); err != nil {
			return answer, fmt.Errorf("publish answered %q: %w", last, err)
		}
	}
	return answer, nil
}

// position is a line of offsets.
type position struct {
	Partition                     string `json:"partition"`
	Committed, Earliest, End, Lag *int64
}

func (p program) offsets(ctx context.Context, topic, group string) (map[string]position, error) {
	var out, errs bytes.Buffer
	cmd := p.cmd(ctx, "offsets", topic, "--group", group, "-o", "json")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("offsets: %w: %s", err, errs.String())
	}
	all := map[string]position{}
	for line := range bytes.Lines(out.Bytes()) {
		var row position
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("offsets answered %q: %w", line, err)
		}
		all[row.Partition] = row
	}
	return all, nil
}

// text is a field that is a string, or null and in base64 under another name.
func text(value *string, inBase64 string) []byte {
	if value != nil {
		return []byte(*value)
	}
	if inBase64 == "" {
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(inBase64)
	if err != nil {
		return []byte("no base64: " + inBase64)
	}
	return decoded
}

// message is a line of subscribe.
type message struct {
	Topic       string  `json:"topic"`
	Partition   string  `json:"partition"`
	Offset      int64   `json:"offset"`
	Timestamp   *string `json:"timestamp"`
	Key         *string `json:"key"`
	KeyBase64   string  `json:"keyBase64"`
	Value       *string `json:"value"`
	ValueBase64 string  `json:"valueBase64"`
	Headers     []struct {
		Key         string  `json:"key"`
		Value       *string `json:"value"`
		ValueBase64 string  `json:"valueBase64"`
	} `json:"headers"`
}

func (m message) key() []byte   { return text(m.Key, m.KeyBase64) }
func (m message) value() []byte { return text(m.Value, m.ValueBase64) }
func (m message) id() string    { return fmt.Sprintf("%s/%s/%d", m.Topic, m.Partition, m.Offset) }

// member is a running subscribe.
type member struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended, after done

	// mu protects what follows; changed is closed and made anew with each message.
	mu       sync.Mutex
	messages []message
	rest     []byte
	errs     bytes.Buffer
	changed  chan struct{}
}

// subscribe starts a member of a group.
func (p program) subscribe(ctx context.Context, topic, group string) (*member, error) {
	m := &member{done: make(chan struct{}), changed: make(chan struct{})}
	m.cmd = p.cmd(ctx, "subscribe", topic, "--group", group, "-o", "json")
	m.cmd.Stdout, m.cmd.Stderr = m, &locked{m}
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	go func() {
		defer close(m.done)
		m.err = m.cmd.Wait()
	}()
	return m, nil
}

// Write takes the member's standard output.
func (m *member) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rest = append(m.rest, p...)
	for {
		line, rest, found := bytes.Cut(m.rest, []byte("\n"))
		if !found {
			break
		}
		var one message
		if err := json.Unmarshal(line, &one); err != nil {
			fmt.Fprintf(&m.errs, "no message: %q\n", line)
		} else {
			m.messages = append(m.messages, one)
		}
		m.rest = rest
	}
	close(m.changed)
	m.changed = make(chan struct{})
	return len(p), nil
}

// locked is a member's standard error.
type locked struct{ m *member }

func (l *locked) Write(p []byte) (int, error) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	return l.m.errs.Write(p)
}

func (m *member) all() []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.messages)
}

func (m *member) said() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return lastLines(strings.TrimSpace(m.errs.String()))
}

// lastLines keeps the end of what was said: a member may say the same each second.
func lastLines(text string) string {
	const most = 3
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// await waits until what the member has printed is enough.
func (m *member) await(ctx context.Context, what string, enough func([]message) bool) error {
	for {
		m.mu.Lock()
		messages, changed := m.messages, m.changed
		m.mu.Unlock()
		if enough(messages) {
			return nil
		}
		select {
		case <-changed:
		case <-m.done:
			if enough(m.all()) {
				return nil
			}
			return fmt.Errorf("the member ended (%w) before %s: it has %d messages and said: %s",
				m.err, what, len(m.all()), m.said())
		case <-ctx.Done():
			return fmt.Errorf("%s does not come: %w; the member has %d messages and said: %s",
				what, context.Cause(ctx), len(m.all()), m.said())
		}
	}
}

// leaveWithin is how long a member may take to commit and leave.
const leaveWithin = 30 * time.Second

// stop ends the member in order and waits.
func (m *member) stop(ctx context.Context) error {
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-m.done:
	case <-time.After(leaveWithin):
		_ = m.cmd.Process.Kill()
		<-m.done
		return fmt.Errorf("the member did not end within %s when asked: %s", leaveWithin, m.said())
	}
	// Where the scenario's time is over, the member was killed, and the scenario says so itself.
	if ctx.Err() != nil {
		return nil //nolint:nilerr // as said
	}
	if m.err != nil {
		return fmt.Errorf("the member ended with %w: %s", m.err, m.said())
	}
	return nil
}
