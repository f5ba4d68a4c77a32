// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package clusterconfig

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// Connect begins to follow the cluster. What cannot be reached is a state, not an error.
func (c *Cluster) Connect(logger *slog.Logger) (*client.Cluster, error) {
	config := client.Config{
		Bootstrap: c.BootstrapServers, SASL: c.SASL.config(), Logger: logger, MaxMessageBytes: c.MaxMessageBytes,
	}
	var err error
	if config.BrokerTLS, err = c.TLS.config(secure.Logged(logger, "brokers")); err != nil {
		return nil, fmt.Errorf("cluster.tls: %w", err)
	}
	if c.ZooKeeper != nil {
		if err := c.ZooKeeper.add(&config); err != nil {
			return nil, fmt.Errorf("cluster.zookeeper.%w", err)
		}
	}
	return client.Connect(config)
}

// add says how ZooKeeper is reached. The digest is read again for each session, and now and then in it.
func (z *ZooKeeper) add(config *client.Config) error {
	config.ZooKeeper, config.SessionTimeout = z.Connect, time.Duration(z.SessionTimeout)
	if z.DigestFile != "" {
		config.DigestSource = func() (string, error) {
			digest, err := line(z.DigestFile)
			return strings.TrimSpace(digest), err
		}
		if _, err := config.DigestSource(); err != nil {
			return fmt.Errorf("digestFile: %w", err)
		}
	}
	var err error
	if config.ZooKeeperTLS, err = z.TLS.config(secure.Logged(config.Logger, "ZooKeeper")); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	return nil
}

// config is nil for no TLS. The files are read again for each connection, so what is renewed in place is used without a
// restart; what cannot be used of it changes nothing, and faulty hears of it.
func (t *TLS) config(faulty func(error)) (*tls.Config, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // no TLS is a configuration as good as any
	}
	return secure.Config(t.ServerName, secure.Files(t.CAFile, t.CertFile, t.KeyFile), faulty)
}

// config is nil for no SASL. The files are read again for each connection.
func (s *SASL) config() *wire.SASL {
	if s == nil {
		return nil
	}
	return &wire.SASL{Mechanism: wire.Mechanism(s.Mechanism), Credentials: s.credentials}
}

func (s *SASL) credentials(context.Context) (wire.Credentials, error) {
	var credentials wire.Credentials
	for _, file := range []struct {
		name   string
		target *string
	}{{s.UsernameFile, &credentials.User}, {s.PasswordFile, &credentials.Password}, {s.TokenFile, &credentials.Token}} {
		if file.name == "" {
			continue
		}
		text, err := line(file.name)
		if err != nil {
			return wire.Credentials{}, err
		}
		*file.target = text
	}
	return credentials, nil
}

// line is what a file holds, without the end of the line that editors add.
func line(file string) (string, error) {
	data, err := os.ReadFile(file)
	return strings.TrimRight(string(data), "\r\n"), err
}
