// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// Settings are everything that a connection depends on, by value: two that are equal make the same connection. They
// hold credentials, so they show nothing of themselves in logs.
type Settings struct {
	// ZooKeeper is the connect string, empty for a cluster without.
	ZooKeeper string
	// SessionTimeout is asked of ZooKeeper; 0 for the client's default.
	SessionTimeout time.Duration
	// Digest is user:password for ZooKeeper, empty for none.
	Digest string
	// ZooKeeperTLS secures the connections to ZooKeeper.
	ZooKeeperTLS TLS
	// Bootstrap are brokers to begin with, host:port, separated by commas; empty where ZooKeeper tells them.
	Bootstrap string
	// BrokerTLS secures the connections to brokers.
	BrokerTLS TLS
	// SASL proves to brokers who this is.
	SASL SASL
}

// TLS says how connections are secured.
type TLS struct {
	// On encrypts them; what follows matters only then.
	On bool
	// CA are the certificates (PEM) of those who may sign the server's; empty for those the system trusts.
	CA string
	// Certificate and Key (PEM) are this side's, both empty for none.
	Certificate, Key string
	// ServerName is the name expected in the server's certificate; empty for the host connected to.
	ServerName string
}

// SASL is a way to prove who this is, by a Mechanism; none if that is empty.
type SASL struct {
	Mechanism wire.Mechanism
	wire.Credentials
}

// LogValue implements slog.LogValuer.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String names the settings without what is secret of them.
func (s Settings) String() string {
	if s.ZooKeeper == "" {
		return s.Bootstrap
	}
	return s.ZooKeeper
}

// GoString keeps %#v from showing what String hides.
func (s Settings) GoString() string { return s.String() }

// connect begins to follow the cluster. The error says what of the settings cannot work.
func (s Settings) connect(logger *slog.Logger) (*client.Cluster, error) {
	zookeeper, err := s.ZooKeeperTLS.config()
	if err != nil {
		return nil, err
	}
	brokers, err := s.BrokerTLS.config()
	if err != nil {
		return nil, err
	}
	config := client.Config{
		ZooKeeper: s.ZooKeeper, SessionTimeout: s.SessionTimeout, Digest: s.Digest, ZooKeeperTLS: zookeeper,
		BrokerTLS: brokers, SASL: s.SASL.config(), Logger: logger,
	}
	if s.Bootstrap != "" {
		config.Bootstrap = strings.Split(s.Bootstrap, ",")
	}
	return client.Connect(config)
}

// config is nil without a mechanism. Credentials that change are other Settings, and so another connection.
func (s SASL) config() *wire.SASL {
	if s.Mechanism == "" {
		return nil
	}
	return &wire.SASL{Mechanism: s.Mechanism, Credentials: func(context.Context) (wire.Credentials, error) {
		return s.Credentials, nil
	}}
}

// String keeps credentials out of texts.
func (s SASL) String() string { return string(s.Mechanism) }

// GoString keeps %#v from showing what String hides.
func (s SASL) GoString() string { return s.String() }

// Check says what is wrong with the certificates and the key, which come out of Secrets. It repeats nothing of them.
func (t TLS) Check() error {
	_, err := t.config()
	return err
}

func (t TLS) config() (*tls.Config, error) {
	if !t.On {
		return nil, nil //nolint:nilnil // no TLS is a configuration as good as any
	}
	return secure.Config(t.ServerName, secure.Static(secure.Material{
		CA: []byte(t.CA), Certificate: []byte(t.Certificate), Key: []byte(t.Key),
	}), nil)
}

// String keeps keys out of texts.
func (t TLS) String() string { return t.ServerName }

// GoString keeps %#v from showing what String hides.
func (t TLS) GoString() string { return t.String() }
