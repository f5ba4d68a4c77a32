// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realzk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTick = 500 * time.Millisecond
	// dialTimeout bounds one question whether the server serves; a stopped server accepts and is silent.
	dialTimeout = 500 * time.Millisecond
	// pollInterval is a tenth of the shortest start seen (0.5 s).
	pollInterval = 50 * time.Millisecond
	// startTimeout is thirty times the start seen on two idle cores (1 s): others may be building.
	startTimeout = 30 * time.Second
	// maxLogTail keeps the last screens of the log in an error, not all of it.
	maxLogTail = 8 << 10
)

// Config says how a server is run. The zero value is usable.
type Config struct {
	// TickTime is ZooKeeper's tick; sessions last from 2 to 20 of them. Default 500 ms.
	TickTime time.Duration
	// Keep is asked by Close: where it says true, the data and the log stay on disk. A suite passes a
	// function that tells whether it failed. Nil keeps nothing.
	Keep func() bool
}

// Server is a real ZooKeeper server in a child process. Its methods are not safe for concurrent use.
type Server struct {
	cfg  Config
	dir  string
	addr string
	proc *process // nil while the server is down
}

// Start runs a new server with an empty tree and returns when it serves. The process outlives ctx, which
// bounds the start alone; Close ends it.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if reason, ok := Available(); !ok {
		return nil, errors.New(reason)
	}
	if cfg.TickTime <= 0 {
		cfg.TickTime = defaultTick
	}
	dir, err := os.MkdirTemp("", "samsa-realzk-")
	if err != nil {
		return nil, fmt.Errorf("directory of the zookeeper server: %w", err)
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	s := &Server{cfg: cfg, dir: dir, addr: addr}
	err = s.configure()
	if err == nil {
		err = s.launch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Addr is the address clients connect to, host:port; it stays the same over Restart.
func (s *Server) Addr() string { return s.addr }

// LogPath is the file that holds what the server wrote, all its runs in order.
func (s *Server) LogPath() string { return filepath.Join(s.dir, "server.log") }

// Stop freezes the process (SIGSTOP): it accepts connections by its kernel and answers nothing.
func (s *Server) Stop() error { return s.proc.freeze() }

// Continue wakes a process that Stop froze.
func (s *Server) Continue() error { return s.proc.thaw() }

// Kill ends the process at once, as a crash does. The tree and the sessions stay on disk for Restart.
func (s *Server) Kill() error {
	if s.proc == nil {
		return nil
	}
	err := s.proc.kill()
	s.proc = nil
	return err
}

// Restart kills the process where it runs and starts it again on the same address and data: the tree and
// the sessions survive, the connections do not. It returns when the server serves.
//
// A client that connects while ZooKeeper 3.8.0 is still loading its tree is neither answered nor cut off: the
// server fails inside and forgets the connection. Such a client waits for as long as its own handshake may
// last, which for go-zookeeper is 6.7 session timeouts.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Kill(); err != nil {
		return err
	}
	return s.launch(ctx)
}

// Close kills the process, waits for its end and removes its files unless Config.Keep says otherwise.
// It is safe to call again.
func (s *Server) Close() error {
	err := s.Kill()
	if s.cfg.Keep != nil && s.cfg.Keep() {
		return err
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *Server) confFile() string { return filepath.Join(s.dir, "zoo.cfg") }

func (s *Server) configure() error {
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return fmt.Errorf("address of the zookeeper server: %w", err)
	}
	lines := []string{
		"tickTime=" + strconv.FormatInt(s.cfg.TickTime.Milliseconds(), 10),
		"dataDir=" + filepath.Join(s.dir, "data"),
		"clientPort=" + port,
		"clientPortAddress=" + host,
		"maxClientCnxns=0",
		"admin.enableServer=false",
		"4lw.commands.whitelist=ruok,srvr,mntr,cons,dump",
	}
	if err := os.WriteFile(s.confFile(), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("configuration of the zookeeper server: %w", err)
	}
	return nil
}

func (s *Server) launch(ctx context.Context) error {
	p, err := startProcess(s.confFile(), s.LogPath())
	if err != nil {
		return err
	}
	s.proc = p
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !serves(ctx, s.addr) {
		select {
		case <-p.done:
			return fmt.Errorf("the zookeeper server ended before it served (%w); its log ends:\n%s", p.err, s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("the zookeeper server does not serve on %s: %w; its log ends:\n%s",
				s.addr, context.Cause(ctx), s.logTail())
		case <-tick.C:
		}
	}
	return nil
}

func (s *Server) logTail() string {
	b, err := os.ReadFile(s.LogPath())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-maxLogTail):])
}

// serves asks srvr and not ruok, which says imok before the tree is loaded.
func serves(ctx context.Context, addr string) bool {
	d := net.Dialer{Timeout: dialTimeout}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return false
	}
	if _, err := io.WriteString(c, "srvr"); err != nil {
		return false
	}
	answer, _ := io.ReadAll(io.LimitReader(c, maxLogTail)) // the mode may have come before a reset
	return strings.Contains(string(answer), "\nMode: ")
}

// freeAddr picks a port that is free now. Another process may take it before the server does; the start
// then fails and says so in the log.
func freeAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("free port for the zookeeper server: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
