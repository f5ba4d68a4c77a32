// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/samsa-dev/samsa/internal/worker"
)

// address finds in the process's log where it answers; empty until it does. (Workers take any free port: a port
// chosen here could be somebody else's by the time they listen.)
func (p *process) address() string {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(log)) {
		if address := listening(line); address != "" {
			return address
		}
	}
	return ""
}

// listening reads the line of a worker's log that tells its address.
func listening(line string) string {
	var entry struct {
		Message string `json:"msg"`
		Address string `json:"address"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil || entry.Message != worker.ListeningMessage {
		return ""
	}
	return entry.Address
}
