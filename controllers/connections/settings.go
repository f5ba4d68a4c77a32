// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

// Settings are everything that a connection depends on, by value: two that are equal make the same connection. They
// hold credentials, so they show nothing of themselves in logs.
type Settings struct {
	// ZooKeeper is the connect string.
	ZooKeeper string
	// SessionTimeout is asked of ZooKeeper; 0 for the client's default.
	SessionTimeout time.Duration
	// Digest is user:password, empty for none.
	Digest string
	// TLS encrypts the connections to ZooKeeper; the fields below matter only then.
	TLS bool
	// CA are the certificates (PEM) of those who may sign the server's; empty for those the system trusts.
	CA string
	// Certificate and Key (PEM) are this side's, both empty for none.
	Certificate, Key string
	// ServerName is the name expected in the server's certificate; empty for the host connected to.
	ServerName string
}

// LogValue implements slog.LogValuer.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String names the settings without what is secret of them.
func (s Settings) String() string { return s.ZooKeeper }

// GoString keeps %#v from showing what String hides.
func (s Settings) GoString() string { return s.String() }

// Check says what is wrong with the certificates and the key, which come out of Secrets. It repeats nothing of them.
func (s Settings) Check() error {
	_, err := s.tls()
	return err
}

// connect begins to follow the cluster. The error says what of the settings cannot work.
func (s Settings) connect(logger *slog.Logger) (*client.Cluster, error) {
	secure, err := s.tls()
	if err != nil {
		return nil, err
	}
	return client.Connect(client.Config{
		ZooKeeper: s.ZooKeeper, SessionTimeout: s.SessionTimeout, Digest: s.Digest, ZooKeeperTLS: secure,
		Logger: logger,
	})
}

func (s Settings) tls() (*tls.Config, error) {
	if !s.TLS {
		return nil, nil //nolint:nilnil // no TLS is a configuration as good as any
	}
	config := &tls.Config{ServerName: s.ServerName, MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(s.CA)) {
			return nil, errors.New("the CA holds no certificate; it has to be PEM")
		}
	}
	if s.Certificate != "" || s.Key != "" {
		pair, err := tls.X509KeyPair([]byte(s.Certificate), []byte(s.Key))
		if err != nil {
			return nil, fmt.Errorf("the certificate and its key do not work: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
