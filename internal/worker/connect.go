// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/discard"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
	"github.com/samsa-dev/samsa/pkg/sink/logsink"
)

// connect begins to follow the cluster. What cannot be reached is a state, not an error.
func (c *Cluster) connect(logger *slog.Logger) (*client.Cluster, error) {
	config := client.Config{
		ZooKeeper: c.ZooKeeper.Connect, SessionTimeout: time.Duration(c.ZooKeeper.SessionTimeout), Logger: logger,
		MaxMessageBytes: c.MaxMessageBytes,
	}
	if file := c.ZooKeeper.DigestFile; file != "" {
		digest, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("cluster.zookeeper.digestFile: %w", err)
		}
		config.Digest = strings.TrimSpace(string(digest))
	}
	if c.ZooKeeper.TLS != nil {
		secure, err := c.ZooKeeper.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("cluster.zookeeper.tls: %w", err)
		}
		config.ZooKeeperTLS = secure
	}
	return client.Connect(config)
}

// config reads the files. The certificate is read again for each connection, so one that is renewed in place is used
// without a restart.
func (t *TLS) config() (*tls.Config, error) {
	config := &tls.Config{ServerName: t.ServerName, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(pem)
	}
	if t.CertFile != "" {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certificate, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			return &certificate, err
		}
	}
	return config, nil
}

// open makes the sink that is chosen.
func (s *Sink) open(delivery Delivery) (sink.Sink, error) {
	switch {
	case s.HTTP != nil:
		return httpsink.New(s.HTTP.config(delivery))
	case s.Log != nil:
		return logsink.New(os.Stdout), nil
	}
	return discard.New(), nil
}

func (s *HTTPSink) config(delivery Delivery) httpsink.Config {
	config := httpsink.Config{URL: s.URL, Headers: s.Headers, Timeout: time.Duration(delivery.Timeout)}
	if s.Format == FormatCloudEventsBinary {
		config.Format = httpsink.CloudEventsBinary
	}
	return config
}
