// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// On a terminal the line changes in place, as fast as an eye follows; elsewhere (a file, a CI's log) a line now and
	// then.
	terminalEvery = 250 * time.Millisecond
	lineEvery     = 5 * time.Second
)

// progress shows how far the demo is.
type progress struct {
	out      io.Writer
	terminal bool
	total    int
	counts   func() (published, delivered int)
	owners   func() string

	// mu protects what follows, and keeps lines whole.
	mu     sync.Mutex
	phase  string
	begin  time.Time
	before sample
}

// sample is what was delivered at a time.
type sample struct {
	at        time.Time
	delivered int
}

// isTerminal reports whether what is written goes to a terminal, where a line can be replaced.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// announce begins a phase.
func (p *progress) announce(title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase = title
	p.erase()
	fmt.Fprintf(p.out, "%5.1fs  %s\n", time.Since(p.begin).Seconds(), title)
}

// run shows a line now and then until ctx ends.
func (p *progress) run(ctx context.Context) {
	every := lineEvery
	if p.terminal {
		every = terminalEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.hide()
			return
		case <-ticker.C:
			p.show(time.Now())
		}
	}
}

func (p *progress) show(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	published, delivered := p.counts()
	lag := max(0, published-delivered) // a delivery may overtake the answer to whoever published
	line := fmt.Sprintf("        %s of %s delivered  %s/s  lag %s  owners: %s", number(delivered), number(p.total),
		number(p.rate(now, delivered)), number(lag), p.owners())
	if !p.terminal {
		fmt.Fprintln(p.out, line)
		return
	}
	p.erase()
	// Without automatic wrapping a line that is too long is cut; wrapped, only its last part could be replaced.
	fmt.Fprint(p.out, "\x1b[?7l"+line+"\x1b[?7h")
}

// rate is the deliveries per second since the last look, which on a terminal is smoothed over a second.
func (p *progress) rate(now time.Time, delivered int) int {
	last := p.before
	if last.at.IsZero() {
		last.at = p.begin
	}
	elapsed := now.Sub(last.at).Seconds()
	if elapsed <= 0 {
		return 0
	}
	if elapsed >= 1 {
		p.before = sample{at: now, delivered: delivered}
	}
	return int(float64(delivered-last.delivered) / elapsed)
}

func (p *progress) hide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

// erase takes the changing line away.
func (p *progress) erase() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// ownersLine says who owns how many partitions: "demo-0 6  demo-1 5  nobody 1". Others are those that are gone and
// whose session is not over yet. The names are sorted; a pod whose worker was killed has its own twice, until the
// session of the one before is over.
func ownersLine(names []string, owned map[string]int, partitions int) string {
	parts := make([]string, 0, len(names)+2)
	others := 0
	for _, count := range owned {
		others += count
	}
	nobody := partitions - others
	for _, name := range slices.Compact(slices.Clone(names)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, owned[name]))
		others -= owned[name]
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("others %d", others))
	}
	if nobody > 0 {
		parts = append(parts, fmt.Sprintf("nobody %d", nobody))
	}
	return strings.Join(parts, "  ")
}
