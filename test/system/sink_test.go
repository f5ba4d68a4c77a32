// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// conduct is how a sink answers.
type conduct int

const (
	// accepts: it takes every message.
	accepts conduct = iota
	// refuses: 500.
	refuses
	// hangs: no answer at all, until it becomes another one: then that one answers.
	hangs
	// resets: the connection is reset.
	resets
)

// maxValue is more than any message of these tests has.
const maxValue = 1 << 16

// sink records what it is sent, as long as it accepts.
type sink struct {
	*books
	address string

	// mu protects what follows.
	mu      sync.Mutex
	conduct conduct
	changed chan struct{} // closed when the conduct changes
	server  *http.Server
	ended   chan error
}

// newSink chooses an address, and is closed.
func newSink(ctx context.Context, into *books) (*sink, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &sink{books: into, address: listener.Addr().String(), changed: make(chan struct{})}
	return s, listener.Close()
}

func (s *sink) url() string { return "http://" + s.address + "/" }

// open listens, on the same address every time.
func (s *sink) open(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server, s.ended = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}, make(chan error, 1)
	go func(server *http.Server, ended chan<- error) { ended <- server.Serve(listener) }(s.server, s.ended)
	return nil
}

// close refuses connections from now on, and breaks those that there are. It may be closed already.
func (s *sink) close() error {
	s.mu.Lock()
	server, ended := s.server, s.ended
	s.server = nil
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// becomes changes how it answers, those included that hang.
func (s *sink) becomes(c conduct) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conduct = c
	close(s.changed)
	s.changed = make(chan struct{})
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	s.mu.Lock()
	conduct, changed := s.conduct, s.changed
	s.mu.Unlock()
	switch conduct {
	case accepts:
		s.take(w, request)
	case refuses:
		http.Error(w, "this sink refuses everything", http.StatusInternalServerError)
	case hangs:
		select {
		case <-changed:
			s.ServeHTTP(w, request)
		case <-request.Context().Done():
			panic(http.ErrAbortHandler)
		}
	case resets:
		reset(w)
	}
}

func (s *sink) take(w http.ResponseWriter, request *http.Request) {
	message, claim, err := httpsink.Decode(request, maxValue)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !s.delivered(claim.Group, message, claim.Token) {
		http.Error(w, "a later owner of the partition has delivered", http.StatusPreconditionFailed)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
