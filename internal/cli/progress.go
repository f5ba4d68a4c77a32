// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

const (
	// A line of a terminal that is written over may change often enough to be seen alive.
	terminalEvery = time.Second
	// Lines that stay, in a file or a job's log, are few: six a minute.
	fileEvery = 10 * time.Second
)

// progress tells on the standard error how a long run goes. A run that is over soon says nothing.
type progress struct {
	out      io.Writer
	now      func() time.Time
	terminal bool
	every    time.Duration
	begin    time.Time
	told     time.Time
	over     bool // a line stands that is to be written over
}

func newProgress(out io.Writer, now func() time.Time) *progress {
	p := &progress{out: out, now: now, every: fileEvery, begin: now()}
	if p.terminal = isTerminal(out); p.terminal {
		p.every = terminalEvery
	}
	p.told = p.begin
	return p
}

// tell writes how far it has come, if the last time was long enough ago.
func (p *progress) tell(s summary) {
	now := p.now()
	if now.Sub(p.told) < p.every {
		return
	}
	p.told = now
	rate := float64(s.Acknowledged) / now.Sub(p.begin).Seconds()
	line := fmt.Sprintf("%s acknowledged, %.0f a second", count(s.Acknowledged, "message"), rate)
	if !p.terminal {
		fmt.Fprintln(p.out, line)
		return
	}
	fmt.Fprintf(p.out, "\r%s\x1b[K", line)
	p.over = true
}

// end makes room for what comes behind.
func (p *progress) end() {
	if p.over {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// count is "1 message" or "2 messages".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
