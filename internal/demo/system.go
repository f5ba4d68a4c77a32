// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"syscall"

	"k8s.io/client-go/rest"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// System is the local cluster that the demo runs on.
type System struct {
	Control
	World *world.World
	REST  *rest.Config
	// Kubeconfig is a file for kubectl, Programs the directory where kubectl is.
	Kubeconfig, Programs string
	// Directory is the system's own, by which samsa-local finds it.
	Directory string
	// Proxy is host:port of an HTTP proxy that knows the Services.
	Proxy string
	// Close ends everything, and waits for it.
	Close func() error
}

// Control is what the demo does to the system.
type Control interface {
	// Kubectl runs kubectl and gives its output; the error holds what it complained about.
	Kubectl(ctx context.Context, args ...string) (string, error)
	// Signal sends a signal to the process of a pod's worker.
	Signal(namespace, pod string, signal syscall.Signal) error
	// KillAPIServer and StopManager end them at once; StartAPIServer and StartManager return when they work.
	KillAPIServer() error
	StartAPIServer(ctx context.Context) error
	StopManager() error
	StartManager(ctx context.Context) error
}
