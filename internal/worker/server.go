// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// stuckAfter is how old the last beat of the worker's loop may be before the process counts as dead: the loop goes
	// round every second or so and waits for nobody, so 30 s of silence is a defect that only a restart mends. (A
	// kubelet asks 3 times, 10 s apart, before it restarts: a minute in all.)
	stuckAfter = 30 * time.Second

	// Requests have no bodies and answers come from memory; whoever is slower than this holds a connection, not a
	// conversation.
	headerTimeout = 5 * time.Second
	answerTimeout = 20 * time.Second
	idleTimeout   = time.Minute
	// maxHeaderBytes is many times what curl, a kubelet or Prometheus send.
	maxHeaderBytes = 16 << 10
	// farewell bounds how long answers under way may take once the worker ends: they take milliseconds.
	farewell = 2 * time.Second
)

// Server answers health, readiness, metrics and status.
type Server struct {
	monitor *Monitor
	source  Source
	server  *http.Server
}

// NewServer answers for one worker.
func NewServer(source Source, monitor *Monitor, metrics *Metrics, logger *slog.Logger) *Server {
	s := &Server{monitor: monitor, source: source}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /v1/status", s.status)
	mux.Handle("GET /metrics", metrics.handler())
	s.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	return s
}

// Run serves until ctx ends, then lets answers under way finish. It closes the listener.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("server on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	err := s.server.Shutdown(end)
	if err != nil {
		err = errors.Join(fmt.Errorf("server on %s: answers cut off: %w", listener.Addr(), err), s.server.Close())
	}
	return errors.Join(err, ended(<-served))
}

// ended is nil for the end that was asked for.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	o := s.source.Snapshot()
	if silence := o.At.Sub(o.Beat); silence > stuckAfter {
		plain(w, http.StatusServiceUnavailable, fmt.Sprintf("the worker's loop has not gone round for %s", silence))
		return
	}
	plain(w, http.StatusOK, "ok")
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	status := s.monitor.Look()
	if status.Ready {
		plain(w, http.StatusOK, "ok")
		return
	}
	var lines strings.Builder
	for _, reason := range status.Reasons {
		fmt.Fprintf(&lines, "%s: %s (since %s)\n", reason.Code, reason.Message, reason.Since.UTC().Format(time.RFC3339))
	}
	plain(w, http.StatusServiceUnavailable, strings.TrimSuffix(lines.String(), "\n"))
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	// Only the client's going away can make this fail, and nobody is left to be told.
	_ = encoder.Encode(s.monitor.Look())
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n") // as above
}
