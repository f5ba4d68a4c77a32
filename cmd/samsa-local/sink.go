// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

const (
	// tellEvery is how often the sink says what it has got since: one line a second does not scroll away what matters.
	tellEvery = time.Second
	// mostBody is what a message may have in the samples' world: Kafka's own default is 1 MiB.
	mostBody = 16 << 20
	// mostShown of a message is shown, in bytes: a line of a terminal.
	mostShown = 60
)

// sink takes every message and tells how many.
type sink struct {
	address string
	server  *http.Server
	stop    context.CancelFunc
	running sync.WaitGroup
	ended   chan error

	count atomic.Int64
	last  atomic.Pointer[string]
}

// openSink listens where the samples send to.
func openSink(ctx context.Context, address string, out io.Writer) (*sink, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("address of the sink: %w; end what uses it, or choose another with --sink", err)
	}
	s := &sink{address: listener.Addr().String(), ended: make(chan error, 1)}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { s.ended <- s.server.Serve(listener) }()
	telling, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.running.Go(func() { s.tell(telling, out) })
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	message, _, err := httpsink.Decode(request, mostBody)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	shown := fmt.Sprintf("%s/%s at %d: %.*q",
		message.Partition.Topic, message.Partition.ID, message.Offset, mostShown, message.Value)
	s.last.Store(&shown)
	s.count.Add(1)
	w.WriteHeader(http.StatusNoContent)
}

// tell writes a line while messages come.
func (s *sink) tell(ctx context.Context, out io.Writer) {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	told := int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if n := s.count.Load(); n != told {
			fmt.Fprintf(out, "sink: %d messages (%d new), last %s\n", n, n-told, *s.last.Load())
			told = n
		}
	}
}

// close ends the server. Its clients are gone by now.
func (s *sink) close() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	s.stop()
	s.running.Wait()
	return err
}
