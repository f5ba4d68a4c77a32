// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// server is the sink's HTTP server.
type server struct {
	server *http.Server
	ended  chan error
}

// serve makes the recorder reachable where the samples send to.
func serve(ctx context.Context, address string, handler http.Handler) (*server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("sink: %w; end what uses it (another demo, or samsa-local up?)", err)
	}
	s := &server{
		server: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute},
		ended:  make(chan error, 1),
	}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

// close ends the server. Its clients are gone: nothing is worth waiting for.
func (s *server) close() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
