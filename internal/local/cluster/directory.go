// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// State is where everything of a running world is.
type State struct {
	// PID is the process that runs it.
	PID int `json:"pid"`
	// Kubeconfig is a file for kubectl.
	Kubeconfig string `json:"kubeconfig"`
	// Programs is where kubectl is.
	Programs string `json:"programs"`
	// ZooKeeper is the connect string of the Kafka cluster, Bootstrap are its brokers where it has no ZooKeeper.
	ZooKeeper string   `json:"zookeeper,omitempty"`
	Bootstrap []string `json:"bootstrap,omitempty"`
}

// owned are what a world makes in its directory; nothing else is ever removed.
var owned = [...]string{"state.json", "control.sock", "controlplane", "node", "kafka"}

// NodeDirectory is where the node of a world keeps its pods' logs.
func NodeDirectory(directory string) string { return filepath.Join(directory, "node") }

// lock takes a directory for one world, and empties it. The kernel gives the lock back when the process ends.
func lock(directory string) (release func() error, err error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(directory, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if state, failure := Read(directory); failure == nil {
			return nil, fmt.Errorf("a world runs in %s already, as process %d: end it, or choose another directory with --dir",
				directory, state.PID)
		}
		return nil, fmt.Errorf("a world runs in %s already (%w): end it, or choose another directory with --dir",
			directory, err)
	}
	for _, name := range owned {
		err = errors.Join(err, os.RemoveAll(filepath.Join(directory, name)))
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("directory: %w", err)
	}
	return file.Close, nil
}

// Read says where everything is of the world that runs in a directory.
func Read(directory string) (State, error) {
	var state State
	text, err := os.ReadFile(filepath.Join(directory, "state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return state, fmt.Errorf("no system runs in %s: start one with samsa-local up, or name its directory with --dir",
			directory)
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		return state, fmt.Errorf("state of the world: %w", err)
	}
	if !locked(directory) {
		return state, fmt.Errorf("the world in %s is dead (it was process %d): start one with samsa-local up",
			directory, state.PID)
	}
	return state, nil
}

// locked reports whether a world runs in a directory. The process's number would not tell: another may have it by now.
func locked(directory string) bool {
	file, err := os.Open(filepath.Join(directory, "lock"))
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

func (s State) write(directory string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("state of the world: %w", err)
	}
	// Whoever reads it meanwhile sees all of it or nothing.
	fresh := filepath.Join(directory, "state.json.new")
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("state of the world: %w", err)
	}
	if err := os.Rename(fresh, filepath.Join(directory, "state.json")); err != nil {
		return fmt.Errorf("state of the world: %w", err)
	}
	return nil
}
