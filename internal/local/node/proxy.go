// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

const (
	// proxyIdle is how long a connection to a pod is kept for the next request.
	proxyIdle = 30 * time.Second
	// proxyIdleConns is how many of them are kept for each Service: as many as callers here come at once.
	proxyIdleConns = 256
)

// proxy is how programs come by HTTP to Services, whose names mean nothing to this machine: a forward proxy as
// HTTP_PROXY and HTTPS_PROXY name one. Whatever is no Service it passes on to where it is, as the program could itself.
type proxy struct {
	services *services
	forward  *httputil.ReverseProxy
	pool     *http.Transport
	logger   *slog.Logger
	// open is read-locked by who is being served, and locked for good in the end.
	open sync.RWMutex
}

func newProxy(s *services, logger *slog.Logger) *proxy {
	p := &proxy{
		services: s, logger: logger,
		pool: &http.Transport{
			DialContext: s.dial, MaxIdleConnsPerHost: proxyIdleConns, IdleConnTimeout: proxyIdle, DisableCompression: true,
		},
	}
	p.forward = &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport: p.pool, FlushInterval: -1, ErrorHandler: fail,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	return p
}

// run serves until ctx ends, then cuts off what is left: the pods are gone by then.
func (p *proxy) run(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: p, ReadHeaderTimeout: dialTimeout, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(p.logger.Handler(), slog.LevelDebug),
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	err := server.Serve(listener)
	p.open.Lock() // nobody comes any more
	p.pool.CloseIdleConnections()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("proxy: %w", err)
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.open.TryRLock() {
		panic(http.ErrAbortHandler)
	}
	defer p.open.RUnlock()
	switch {
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	case r.URL.Scheme == "http" && r.URL.Host != "":
		// The answer may begin before the request has ended, and both go on for long.
		_ = http.NewResponseController(w).EnableFullDuplex() // else the server's own protocol cannot do it
		p.forward.ServeHTTP(w, r)
	default:
		refuse(w, http.StatusBadRequest, "this is a proxy for HTTP: name it in HTTP_PROXY and HTTPS_PROXY, and ask for "+
			"http://SERVICE.NAMESPACE.svc:PORT/")
	}
}

// fail answers for a pod that was not reached. One that broke off leaves its caller as it would without a proxy between
// them: not knowing.
func fail(w http.ResponseWriter, _ *http.Request, err error) {
	if _, ok := errors.AsType[unreached](err); !ok {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusServiceUnavailable, err.Error())
}

// refuse answers in the words of gateways: whatever was to be published was not.
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // only the client's going away can make this fail
		"type": "about:blank", "title": http.StatusText(status), "status": status, "outcome": "refused",
		"detail": "samsa-local's node: " + detail,
	})
}

// tunnel passes bytes on, as CONNECT asks for.
func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	far, err := p.services.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	defer far.Close()
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		refuse(w, http.StatusHTTPVersionNotSupported, "CONNECT needs HTTP/1.1")
		return
	}
	defer near.Close()
	defer context.AfterFunc(r.Context(), func() { _, _ = near.Close(), far.Close() })()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { pass(far, buffered) }) // what came right behind the request is in its buffer
	both.Go(func() { pass(near, far) })
	both.Wait()
}

// pass copies until the end, and tells the other side of it.
func pass(to net.Conn, from io.Reader) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	_ = to.Close()
}
