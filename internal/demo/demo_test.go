// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/local/cluster"
)

// begin runs a demo whose system cannot be opened, in a directory for temporary files of its own.
func begin(t *testing.T, edit func(*Config)) (out string, left []os.DirEntry, err error) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	var text bytes.Buffer
	config := Config{
		Input: "demo_test.go", Messages: 10, Samples: "../../config/samples", Out: &text, Sink: "127.0.0.1:0",
		Open: func(context.Context, string, io.Writer, *slog.Logger) (*System, error) {
			return nil, errors.New("no system today")
		},
	}
	edit(&config)
	err = Run(t.Context(), config)
	left, readErr := os.ReadDir(os.TempDir())
	if readErr != nil {
		t.Fatal(readErr)
	}
	return text.String(), left, err
}

func TestRefusalsStartNothing(t *testing.T) {
	long := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(long, bytes.Repeat([]byte("x"), maxLine+1), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for want, edit := range map[string]func(*Config){
		"sink: listen tcp " + taken.Addr().String():             func(c *Config) { c.Sink = taken.Addr().String() },
		"line 1 of " + long + " is longer than 1,000,000 bytes": func(c *Config) { c.Input = long },
		"messages: 0 is not from 1 to 10,000,000":               func(c *Config) { c.Messages = 0 },
		"samples: stat /nowhere/kustomization.yaml":             func(c *Config) { c.Samples = "/nowhere" },
		"control plane: stat /nowhere/etcd": func(c *Config) {
			c.Open = func(ctx context.Context, dir string, _ io.Writer, _ *slog.Logger) (*System, error) {
				_, err := cluster.Start(ctx, cluster.Config{Directory: filepath.Join(dir, "world"), Programs: "/nowhere"})
				return nil, err
			}
		},
	} {
		t.Run(want, func(t *testing.T) {
			out, left, err := begin(t, edit)
			if !errors.As(err, &Refusal{}) || !strings.Contains(err.Error(), want) || out != "" || len(left) != 0 {
				t.Errorf("got %v, printed %q, left %v", err, out, left)
			}
		})
	}
}

func TestAFailureKeepsItsLogs(t *testing.T) {
	out, left, err := begin(t, func(*Config) {})
	if err == nil || errors.As(err, &Refusal{}) || !strings.Contains(out, "logs: "+os.TempDir()) || len(left) != 1 {
		t.Errorf("got %v, printed %q, left %v", err, out, left)
	}
}
