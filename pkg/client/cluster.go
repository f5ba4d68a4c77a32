// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/metadata"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// defaultSessionTimeout is ZooKeeper's customary 10 s: five of its default ticks, so that the lease is sound (three are
// needed) and a dead member's partitions are taken over within about 13 s.
const defaultSessionTimeout = 10 * time.Second

// maxMessageBytes is the largest request that brokers take unless configured otherwise: 100 MiB.
const maxMessageBytes = 100 << 20

// Config says how a cluster is reached. One of ZooKeeper and Bootstrap is required, and both may be given.
type Config struct {
	// ZooKeeper is the connect string, "host:port,host:port/chroot". Empty for a cluster without.
	ZooKeeper string
	// Bootstrap are brokers, "host:port" each, that tell the others: for a cluster whose brokers are not registered in
	// ZooKeeper, or that is to be found without it. Where it is given, brokers, topics and partitions are found there, and
	// ZooKeeper serves groups alone. Kafka 0.8 and newer.
	Bootstrap []string
	// SessionTimeout is how long a member may be silent before others take its partitions. Default 10 s; the server may
	// change it, and at least three of its ticks are needed.
	SessionTimeout time.Duration
	// Digest is "user:password" for ZooKeeper, empty for none.
	Digest string
	// DigestSource gives the digest in place of Digest where set, so that one that changes is used without a restart. It
	// must not block for long.
	DigestSource func() (string, error)
	// ZooKeeperTLS encrypts connections to ZooKeeper where set.
	ZooKeeperTLS *tls.Config
	// BrokerTLS encrypts connections to brokers where set.
	BrokerTLS *tls.Config
	// SASL authenticates to brokers where set.
	SASL *wire.SASL
	// Dial makes all connections in place of net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger is told of changes of state. Default: nothing is logged.
	Logger *slog.Logger

	// Compression is that of what is published; of one call of Publish, all messages together. Default none.
	Compression kafka.Compression
	// MaxMessageBytes bounds a message that is published, in bytes; in Kafka 0.7 compressed ones together, as compressed.
	// It has to be what the brokers take: those of Kafka 0.7 drop larger ones without a word. Messages that are consumed
	// may be as large. Default: what brokers take unless configured otherwise, 1,000,000.
	MaxMessageBytes int
}

// Cluster is a Kafka cluster as its registry or its brokers show it. Safe for concurrent use.
type Cluster struct {
	config   Config
	registry *registry.Client
	logger   *slog.Logger

	cancel  context.CancelFunc
	running sync.WaitGroup
	runErr  error

	directory directory
	// asking asks the brokers what only they know.
	asking *metadata.Reader
	// admission is shared by all clients to the brokers, so that together they do not storm those that refuse them.
	admission *wire.Admission
	producer  producer
	changes   *changes
	patience  patience
	surveyed  surveyed
	groups    atomic.Uint32
	lookers   lookers
}

// Connect begins to follow a cluster and returns at once: an unreachable one is not an error but a state, see Err. The
// error says everything that is wrong with the configuration.
func Connect(config Config) (*Cluster, error) {
	if config.SessionTimeout == 0 {
		config.SessionTimeout = defaultSessionTimeout
	}
	if config.MaxMessageBytes < 0 || config.MaxMessageBytes > maxMessageBytes {
		return nil, fmt.Errorf("cluster configuration: max message bytes: want 1 to %d, or 0 for what brokers take"+
			" by default, and not %d", maxMessageBytes, config.MaxMessageBytes)
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if err := cmp.Or(checkBootstrap(config), config.SASL.Check()); err != nil {
		return nil, fmt.Errorf("cluster configuration: %w", err)
	}
	var zookeeper *registry.Client
	if config.ZooKeeper != "" {
		known, err := registry.New(registry.Config{
			Connect: config.ZooKeeper, SessionTimeout: config.SessionTimeout, Digest: config.Digest,
			DigestSource: config.DigestSource, TLS: config.ZooKeeperTLS, Dial: config.Dial, Logger: config.Logger,
		})
		if err != nil {
			return nil, fmt.Errorf("cluster configuration: %w", err)
		}
		zookeeper = known
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Cluster{
		config: config, registry: zookeeper, logger: config.Logger, cancel: cancel, changes: newChanges(),
		admission: wire.NewAdmission(),
	}
	c.asking = metadata.NewReader(c.wireConfig(unique(slices.Clone(config.Bootstrap))))
	c.directory = newDirectory(zookeeper, c.asking, config)
	c.producer.open = c.openTransport
	c.run(ctx)
	return c, nil
}

// run starts what follows the cluster.
func (c *Cluster) run(ctx context.Context) {
	// Before anything can change: a change in between would be announced to nobody.
	seen := c.sources()
	if c.registry != nil {
		c.running.Go(func() { c.runErr = c.registry.Run(ctx) })
	}
	c.running.Go(func() { c.directory.run(ctx) })
	c.running.Go(func() { c.survey(ctx) })
	c.running.Go(func() { c.follow(ctx, seen) })
}

// checkBootstrap says what is wrong with how the cluster is to be found.
func checkBootstrap(config Config) error {
	if config.ZooKeeper == "" && len(config.Bootstrap) == 0 {
		return errors.New("neither ZooKeeper nor bootstrap servers are given: one of them says where the cluster is")
	}
	for i, address := range config.Bootstrap {
		host, port, err := net.SplitHostPort(address)
		number, errPort := strconv.ParseUint(port, 10, 16)
		if err != nil || errPort != nil || host == "" || number == 0 {
			return fmt.Errorf("bootstrap[%d]: %q is no address of a broker: want host:port", i, address)
		}
	}
	return nil
}

// place is where the configuration says the cluster is.
func (c Config) place() string {
	if len(c.Bootstrap) > 0 {
		return strings.Join(c.Bootstrap, ",")
	}
	return c.ZooKeeper
}

// Open follows a cluster and waits until its brokers are known. If ctx ends first, the error says what stood in the
// way.
func Open(ctx context.Context, config Config) (*Cluster, error) {
	c, err := Connect(config) //nolint:contextcheck // the cluster outlives ctx, which bounds the wait alone
	if err != nil {
		return nil, err
	}
	if err := c.directory.wait(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open cluster %s: %w", config.place(), err), c.Close())
	}
	return c, nil
}

// Close ends every connection and waits for every goroutine; calls under way fail with ErrClosed. Consumers must have
// ended before.
func (c *Cluster) Close() error {
	c.cancel()
	c.lookers.close()
	c.running.Wait()
	c.producer.close()
	c.asking.Close()
	if errors.Is(c.runErr, context.Canceled) {
		return nil
	}
	return c.runErr
}

// Err says why the cluster cannot be reached right now, nil if it can. The text is stable and says what to do.
func (c *Cluster) Err() error {
	if state := c.zookeeper(); state.Err != nil {
		return state.Err
	}
	return c.brokersErr()
}

// brokersErr says why the brokers cannot be reached. That they refuse this client explains whatever else fails there.
func (c *Cluster) brokersErr() error {
	if err := c.admission.Err(); err != nil {
		return err
	}
	return c.directory.err()
}

// Brokers are the live brokers by id, as of now.
func (c *Cluster) Brokers() map[string]Broker { return c.directory.brokers() }

// Topic names a topic, which need not exist yet.
func (c *Cluster) Topic(name string) *Topic { return &Topic{cluster: c, name: name} }
