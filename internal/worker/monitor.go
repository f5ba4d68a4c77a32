// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// watchEvery is how often the monitor looks by itself, so that reasons get their times and their lines in the log
// even if nobody asks for the status. A look costs some microseconds; a second is finer than anybody reads logs.
const watchEvery = time.Second

// Monitor keeps the status: it computes it anew for whoever asks, and logs each reason once when it comes and once
// when it goes.
type Monitor struct {
	source Source
	logger *slog.Logger

	// mu orders looks, so that a status never replaces a later one.
	mu      sync.Mutex
	current Status
}

// NewMonitor watches a source.
func NewMonitor(source Source, logger *slog.Logger) *Monitor {
	return &Monitor{source: source, logger: logger}
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
	for _, reason := range missingIn(previous.Reasons, m.current.Reasons) {
		m.logger.Warn("Not ready", "code", reason.Code, "reason", reason.Message)
	}
	for _, reason := range missingIn(previous.Warnings, m.current.Warnings) {
		m.logger.Warn("Needs attention", "code", reason.Code, "subject", reason.Subject, "reason", reason.Message)
	}
	m.logHealed(previous.Reasons, m.current.Reasons)
	m.logHealed(previous.Warnings, m.current.Warnings)
	return m.current
}

func (m *Monitor) logHealed(before, now []Reason) {
	for _, reason := range missingIn(now, before) {
		m.logger.Info("Healed", "code", reason.Code, "subject", reason.Subject,
			"after", m.current.Time.Sub(reason.Since).Round(time.Millisecond))
	}
}

// missingIn gives those of the list that do not stand in the other.
func missingIn(other, list []Reason) []Reason {
	present := make(map[[2]string]bool, len(other))
	for _, reason := range other {
		present[reason.key()] = true
	}
	var missing []Reason
	for _, reason := range list {
		if !present[reason.key()] {
			missing = append(missing, reason)
		}
	}
	return missing
}
