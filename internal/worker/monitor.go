// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// watchEvery is how often the monitor looks by itself, so that reasons get their times and their lines in the log
// even if nobody asks for the status. A look costs some microseconds; a second is finer than anybody reads logs.
const watchEvery = time.Second

// steadyAfter is how long a reason has to stand before it is worth a line: connecting and registering at the start
// take some milliseconds, and what flickers faster than this would fill the log. The status shows everything at once.
const steadyAfter = time.Second

// Monitor keeps the status: it computes it anew for whoever asks, and logs each reason once when it stands and once
// when it goes.
type Monitor struct {
	source Source
	logger *slog.Logger

	// mu orders looks, so that a status never replaces a later one.
	mu      sync.Mutex
	current Status
	logged  map[[2]string]Reason
}

// NewMonitor watches a source.
func NewMonitor(source Source, logger *slog.Logger) *Monitor {
	return &Monitor{source: source, logger: logger, logged: map[[2]string]Reason{}}
}

// Run looks every second until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		m.Look()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Look computes the status of now.
func (m *Monitor) Look() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	previous := m.current
	m.current = Describe(m.source.Snapshot(), previous)
	if m.current.Ready && !previous.Ready {
		m.logger.Info("Ready", "group", m.current.Group, "member", m.current.Member.ID)
	}
	for _, reason := range m.steady(m.current.Reasons) {
		m.logger.Warn("Not ready", "code", reason.Code, "reason", reason.Message)
	}
	for _, reason := range m.steady(m.current.Warnings) {
		m.logger.Warn("Needs attention", "code", reason.Code, "subject", reason.Subject, "reason", reason.Message)
	}
	m.logHealed()
	return m.current
}

// steady gives the reasons that have stood for a while and were not logged yet, and marks them as logged.
func (m *Monitor) steady(reasons []Reason) (fresh []Reason) {
	for _, reason := range reasons {
		if _, known := m.logged[reason.key()]; known || m.current.Time.Sub(reason.Since) < steadyAfter {
			continue
		}
		m.logged[reason.key()] = reason
		fresh = append(fresh, reason)
	}
	return fresh
}

// logHealed logs those of the logged that do not stand any more.
func (m *Monitor) logHealed() {
	standing := make(map[[2]string]bool)
	for _, reason := range slices.Concat(m.current.Reasons, m.current.Warnings) {
		standing[reason.key()] = true
	}
	for key, reason := range m.logged {
		if standing[key] {
			continue
		}
		delete(m.logged, key)
		m.logger.Info("Healed", "code", reason.Code, "subject", reason.Subject,
			"after", m.current.Time.Sub(reason.Since).Round(time.Millisecond))
	}
}
