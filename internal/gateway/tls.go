// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/secure"
)

// serverTLS is nil where callers speak plain HTTP. The files are read for every connection; what cannot be used of
// them is logged, and changes nothing.
func (c *Config) serverTLS(logger *slog.Logger) (*tls.Config, error) {
	if c.HTTP.TLS == nil {
		return nil, nil //nolint:nilnil // no TLS is a configuration as good as any
	}
	ca := ""
	if c.Auth.Type == AuthMTLS {
		ca = c.Auth.MTLS.CAFile
	}
	files := secure.Files(ca, c.HTTP.TLS.CertFile, c.HTTP.TLS.KeyFile)
	config, err := secure.Server(files, secure.Logged(logger, "callers"), "h2", "http/1.1")
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

// transport reaches other replicas, by their addresses and by no proxy. They have no names of their own: what one shows
// is the certificate of them all.
//
// own is what this replica shows, nil where callers speak plain HTTP.
func (c *Config) transport(own *tls.Config, logger *slog.Logger) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConnsPerHost: idlePeers, IdleConnTimeout: time.Minute,
	}
	if own == nil {
		return transport, nil
	}
	config, err := c.HTTP.TLS.peer(own, secure.Logged(logger, "other replicas"))
	if err != nil {
		return nil, fmt.Errorf("http.tls.caFile: %w", err)
	}
	transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			// For whoever asks what became of the request: nothing was sent yet.
			return nil, &net.OpError{Op: "dial", Net: network, Addr: conn.RemoteAddr(), Err: err}
		}
		return secured, nil
	}
	return transport, nil
}

// peer is the configuration of a connection to another replica. While a certificate is being replaced, replicas have
// the one and the other for as long as their kubelets differ, about a minute: so either is good that is for their name
// and from whom they trust, and the same is good whatever it says.
func (s *ServerTLS) peer(own *tls.Config, faulty func(error)) (*tls.Config, error) {
	config, err := secure.Config(s.ServerName, s.authority, faulty)
	if err != nil {
		return nil, err
	}
	verify := config.VerifyConnection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if same(own, state.PeerCertificates) {
			return nil
		}
		if s.ServerName == "" {
			return errors.New("the other replica has another certificate than this one")
		}
		return verify(state)
	}
	return secure.Named(config, s.ServerName), nil
}

// authority is who may have signed.
func (s *ServerTLS) authority() (secure.Material, error) {
	if s.CAFile == "" {
		return secure.Material{}, nil
	}
	data, err := os.ReadFile(s.CAFile)
	if errors.Is(err, os.ErrNotExist) {
		return secure.Material{}, nil
	}
	return secure.Material{CA: data}, err
}

// same tells whether a certificate is the one that this replica shows itself.
func same(own *tls.Config, certificates []*x509.Certificate) bool {
	pair, err := shown(own)
	return err == nil && len(certificates) > 0 && bytes.Equal(certificates[0].Raw, pair.Certificate[0])
}

// shown is what callers are shown now.
func shown(own *tls.Config) (*tls.Certificate, error) {
	config, err := own.GetConfigForClient(nil)
	if err != nil {
		return nil, err
	}
	return &config.Certificates[0], nil
}

// secretOf is the private key of what callers are shown now: not what is in its file, which anybody may know if it is
// no key.
func secretOf(own *tls.Config) ([]byte, error) {
	pair, err := shown(own)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
}
