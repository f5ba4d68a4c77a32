// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"crypto/tls"
	"errors"
)

// Server is a server's configuration that asks source for each connection. The material must have a certificate; where
// it has a CA, clients are asked for certificates, and those that show one have it verified: whoever must show one is
// for the server to say, in words that a client understands better than a broken handshake. protocols are those of
// ALPN. The error says what is wrong with the material there is now.
//
// Material that cannot be used later on changes nothing: connections go on with what was good last, and faulty, which
// may be nil, is told what is wrong, once for each fault in turn, and nil when that is over. It must not block.
func Server(source Source, faulty func(error), protocols ...string) (*tls.Config, error) {
	config, err := last(source, faulty, func(m Material) (*tls.Config, error) { return m.server(protocols) })
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return config.current(), nil },
	}, nil
}

var errNoCertificate = errors.New("a server needs a certificate and its key")

// server is the configuration of one connection.
func (m Material) server(protocols []string) (*tls.Config, error) {
	pair, err := m.pair()
	switch {
	case err != nil:
		return nil, err
	case pair == nil:
		return nil, errNoCertificate
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols, Certificates: []tls.Certificate{*pair},
		// The keys of tickets are this configuration's own, so no ticket could ever be used.
		SessionTicketsDisabled: true,
	}
	if len(m.CA) == 0 {
		return config, nil
	}
	if config.ClientCAs, err = m.roots(); err != nil {
		return nil, err
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	return config, nil
}
