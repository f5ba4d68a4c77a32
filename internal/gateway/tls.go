// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/secure"
)

// serverTLS is nil where callers speak plain HTTP. The files are read for every connection.
func (c *Config) serverTLS() (*tls.Config, error) {
	if c.HTTP.TLS == nil {
		return nil, nil //nolint:nilnil // no TLS is a configuration as good as any
	}
	ca := ""
	if c.Auth.Type == AuthMTLS {
		ca = c.Auth.MTLS.CAFile
	}
	config, err := secure.Server(secure.Files(ca, c.HTTP.TLS.CertFile, c.HTTP.TLS.KeyFile), "h2", "http/1.1")
	if err != nil {
		return nil, fmt.Errorf("http.tls: %w", err)
	}
	return config, nil
}

const (
	// dialTimeout is that of a connection to another replica, next door; it counts against the request's own time.
	dialTimeout = 2 * time.Second
	// idlePeers is how many connections to another replica are kept: what 64 callers at a time need.
	idlePeers = 64
)

// transport reaches other replicas. They have no names of their own: what one shows is the certificate that this one
// has too.
func (c *Config) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConnsPerHost: idlePeers, IdleConnTimeout: time.Minute,
	}
	if c.HTTP.TLS == nil {
		return transport
	}
	files := *c.HTTP.TLS
	transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secured := tls.Client(conn, files.peer())
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			// For whoever asks what became of the request: nothing was sent yet.
			return nil, &net.OpError{Op: "dial", Net: network, Addr: conn.RemoteAddr(), Err: err}
		}
		return secured, nil
	}
	return transport
}

// peer is the configuration of a connection to another replica.
func (s ServerTLS) peer() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // see VerifyConnection
		VerifyConnection: func(state tls.ConnectionState) error {
			own, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
			if err != nil {
				return err
			}
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, own.Certificate[0]) {
				return errors.New("the other replica has another certificate than this one")
			}
			return nil
		},
	}
}
