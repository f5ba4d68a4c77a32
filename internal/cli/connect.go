// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Where the cluster is, unless the command line says it.
const (
	envZooKeeper = "SAMSA_ZOOKEEPER"
	envBootstrap = "SAMSA_BOOTSTRAP"
	envDigest    = "SAMSA_ZOOKEEPER_DIGEST" //nolint:gosec // the name of a variable, not what it holds
)

// defaultTimeout is twice what a session at a slow ZooKeeper and an answer from each broker behind it take (a dial of 3
// s each at most, where one of them is dead).
const defaultTimeout = 10 * time.Second

// connection says how the cluster is reached.
type connection struct {
	zookeeper, bootstrap string
	timeout              time.Duration
	digestFile           string
	zookeeperTLS         string
	brokerTLS            string
	mechanism            string
	credentials          string

	// compression and maxMessage concern what is published.
	compression kafka.Compression
	maxMessage  int
}

func (c *connection) register(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&c.zookeeper, "zookeeper", "",
		"the `address` of the ZooKeeper that Kafka registers in: HOST:PORT,HOST:PORT/CHROOT (default $"+envZooKeeper+")")
	flags.StringVar(&c.bootstrap, "bootstrap", "",
		"the `addresses` of brokers, in place of --zookeeper, or beside it, which then is for groups alone: "+
			"HOST:PORT,HOST:PORT; not of Kafka 0.7 (default $"+envBootstrap+")")
	flags.DurationVar(&c.timeout, "timeout", defaultTimeout, "how long ZooKeeper and brokers may take to answer")
	flags.StringVar(&c.digestFile, "digest-file", "",
		"a `file` with USER:PASSWORD for ZooKeeper (default $"+envDigest+", which holds it itself)")
	flags.StringVar(&c.zookeeperTLS, "zookeeper-tls", "",
		"encrypt connections to ZooKeeper: a `directory` with ca.crt, tls.crt and tls.key, each if needed; or \"system\"")
	flags.StringVar(&c.brokerTLS, "broker-tls", "",
		"encrypt connections to brokers: a `directory`, as with --zookeeper-tls")
	flags.StringVar(&c.mechanism, "sasl", "",
		"prove to brokers who this is, by a `mechanism`: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
	flags.StringVar(&c.credentials, "sasl-credentials", "",
		"a `directory` with username and password for --sasl, or with token for OAUTHBEARER")
}

// resolve finds out where the cluster is: what the command line says, else the environment.
func (c *connection) resolve() error {
	if c.zookeeper == "" && c.bootstrap == "" {
		c.zookeeper, c.bootstrap = os.Getenv(envZooKeeper), os.Getenv(envBootstrap)
	}
	switch {
	case c.zookeeper == "" && c.bootstrap == "":
		return usage("no cluster is named: give --zookeeper HOST:PORT/CHROOT, or --bootstrap HOST:PORT for brokers "+
			"without ZooKeeper, or set $%s or $%s", envZooKeeper, envBootstrap)
	case c.timeout <= 0:
		return usage("--timeout: %v is no time to wait; give more than 0, as in 10s", c.timeout)
	}
	return nil
}

// open reaches the cluster; ctx bounds the attempt, and timeout does.
func (c *connection) open(ctx context.Context) (cluster, error) {
	if err := c.resolve(); err != nil {
		return nil, err
	}
	brokerTLS, err := tlsConfig(c.brokerTLS)
	if err != nil {
		return nil, usage("--broker-tls: %w", err)
	}
	sasl, err := saslConfig(ctx, c.mechanism, c.credentials)
	if err != nil {
		return nil, usage("--sasl: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	addresses, err := c.bootstrapAddresses()
	if err != nil {
		return nil, err
	}
	zookeeperTLS, err := tlsConfig(c.zookeeperTLS)
	if err != nil {
		return nil, usage("--zookeeper-tls: %w", err)
	}
	digest, err := c.digest()
	if err != nil {
		return nil, err
	}
	return openCluster(ctx, client.Config{
		ZooKeeper: c.zookeeper, Bootstrap: addresses, Digest: digest, ZooKeeperTLS: zookeeperTLS, BrokerTLS: brokerTLS,
		SASL: sasl, Compression: c.compression, MaxMessageBytes: c.maxMessage,
	})
}

// digest reads the credentials from where no other user of the machine sees them.
func (c *connection) digest() (string, error) {
	if c.digestFile == "" {
		return os.Getenv(envDigest), nil
	}
	digest, err := os.ReadFile(c.digestFile)
	if err != nil {
		return "", usage("--digest-file: %w", err)
	}
	return strings.TrimSpace(string(digest)), nil
}

// bootstrapAddresses are those of --bootstrap; none where that is not given.
func (c *connection) bootstrapAddresses() ([]string, error) {
	var addresses []string
	for address := range strings.SplitSeq(c.bootstrap, ",") {
		if address = strings.TrimSpace(address); address != "" {
			addresses = append(addresses, address)
		}
	}
	if len(addresses) == 0 && c.bootstrap != "" {
		return nil, usage("--bootstrap: %q names no broker; give HOST:PORT,HOST:PORT", c.bootstrap)
	}
	return addresses, nil
}

// with runs a lookup: it reaches the cluster, and all of it together may take as long as the timeout says.
func (c *connection) with(ctx context.Context, look func(context.Context, cluster) error) (err error) {
	known, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = both(err, known.close()) }()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err = look(ctx, known)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w (--timeout is %v)", err, c.timeout)
	}
	return err
}
