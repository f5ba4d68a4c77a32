// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Config is a client's configuration that asks source for each connection. serverName is the name expected in the
// server's certificate, empty for the host that is connected to; see Client, which fills it in. The error says what is
// wrong with the material there is now. Later on, material that cannot be used changes nothing, and faulty hears of it:
// see Server.
func Config(serverName string, source Source, faulty func(error)) (*tls.Config, error) {
	side, err := last(source, faulty, Material.client)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		ServerName: serverName,
		MinVersion: tls.VersionTLS12,
		// RootCAs cannot be exchanged in a client's configuration. So crypto/tls verifies nothing, and verify does all that
		// it would have done, with the authorities of the moment. It is called for every connection.
		InsecureSkipVerify: true, //nolint:gosec // see VerifyConnection
		VerifyConnection:   func(state tls.ConnectionState) error { return verify(side.current().roots, state) },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return side.current().certificate, nil
		},
	}, nil
}

// client is the clients' side of material.
type client struct {
	roots       *x509.CertPool   // nil for those whom the system trusts
	certificate *tls.Certificate // an empty one for none: the server says whether that will do
}

func (m Material) client() (client, error) {
	roots, err := m.roots()
	if err != nil {
		return client{}, err
	}
	certificate, err := m.pair()
	if err != nil {
		return client{}, err
	}
	if certificate == nil {
		certificate = new(tls.Certificate)
	}
	return client{roots: roots, certificate: certificate}, nil
}

// verify is what crypto/tls does with RootCAs.
func verify(roots *x509.CertPool, state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	if state.ServerName == "" {
		return errNoName
	}
	options := x509.VerifyOptions{Roots: roots, DNSName: state.ServerName, Intermediates: x509.NewCertPool()}
	for _, certificate := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err := state.PeerCertificates[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

// errNoName is not met through Client.
var errNoName = errors.New("no name to look for in the server's certificate: set the server name")
