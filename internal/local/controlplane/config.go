// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
)

// Config says how a control plane runs. Directory and Programs are required.
type Config struct {
	// Directory holds everything: certificates, etcd's data, logs. It is made if it is not there. Its owner alone can
	// read it. What an earlier control plane left in it is kept: etcd's data go on.
	Directory string
	// Programs is the directory with etcd, kube-apiserver and kube-controller-manager (make kube).
	Programs string
	// Port is the API server's, on 127.0.0.1. Default: any free one; it stays the same over StartAPIServer.
	Port int
	// Prepare is called when the API server answers, before the controllers begin. Kinds that are declared here are known
	// to the garbage collector from the first; of others it learns only half a minute later, and what belongs to an object
	// deleted meanwhile stays until then and longer. Default: nothing is to be done.
	Prepare func(ctx context.Context, config *rest.Config) error
	// Progress is told what happens next, in a few words. Default: nobody is.
	Progress func(string)
	// Logger gets what has no reader otherwise. Default: nothing is logged.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Prepare == nil {
		c.Prepare = func(context.Context, *rest.Config) error { return nil }
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// The programs, by the names under which they are found.
const (
	etcdProgram       = "etcd"
	apiServerProgram  = "kube-apiserver"
	controllerProgram = "kube-controller-manager"
)

// Check says whether the programs are there, before anything is started.
func (c Config) Check() error {
	if c.Directory == "" {
		return errors.New("control plane: no directory given")
	}
	for _, program := range []string{etcdProgram, apiServerProgram, controllerProgram} {
		if _, err := os.Stat(filepath.Join(c.Programs, program)); err != nil {
			return fmt.Errorf("control plane: %w; build it once with make kube, or name its directory with --kube", err)
		}
	}
	return nil
}
