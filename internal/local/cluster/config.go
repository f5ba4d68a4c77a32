// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/rest"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/local/controlplane"
)

// What the samples name, so that they work as they are.
const (
	// DefaultZooKeeper is where ZooKeeper listens.
	DefaultZooKeeper = "127.0.0.1:22181"
	// DefaultBootstrap is where the first broker listens of a Kafka without ZooKeeper.
	DefaultBootstrap = "127.0.0.1:29092"
	// DefaultSink is where the samples send to.
	DefaultSink = "127.0.0.1:28080"
	// DefaultTopic is what they deliver, and DefaultPartitions how many it has.
	DefaultTopic      = "lines"
	DefaultPartitions = 12
	// WorkerImage is what the manager gives workers' pods; it stands for Config.Worker.
	WorkerImage = "samsa.local/samsa:worker"
)

// Config says what to run. Directory, Programs, Worker, CRDs and Manager are required.
type Config struct {
	// Directory is the world's own; see the package. What a world before it left there is removed.
	Directory string
	// Programs is the directory with the control plane's programs (make kube).
	Programs string
	// Worker is the samsa binary.
	Worker string
	// CRDs is the directory with samsa's kinds, config/crd/bases.
	CRDs string
	// Manager runs the manager until its context ends. It is called again after StopManager and StartManager.
	Manager func(ctx context.Context, config *rest.Config) error
	// ZooKeeper is where it listens, host:port. Default DefaultZooKeeper; with port 0 any free one.
	ZooKeeper string
	// Bootstrap is where the first broker listens if there is no ZooKeeper, on 127.0.0.1. Default DefaultBootstrap; with
	// port 0 any free one.
	Bootstrap string
	// APIServer is its port on 127.0.0.1. Default: any free one.
	APIServer int
	// Kafka is which Kafka it is. Default world.Modern.
	Kafka world.Era
	// Brokers is the number of brokers. Default 2, so that fetches have more than one to go to.
	Brokers int
	// Topics are created at the start, each with its number of partitions, which brokers of Kafka 0.7 share evenly.
	// Default: what the samples deliver.
	Topics map[string]int32
	// Tick is ZooKeeper's. Default 500 ms.
	Tick time.Duration
	// Progress is told what happens next, in a few words. Default: nobody is.
	Progress func(string)
	// Logger gets what happens. Default: nothing is logged.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Kafka = cmp.Or(c.Kafka, world.Modern)
	c.ZooKeeper = cmp.Or(c.ZooKeeper, DefaultZooKeeper)
	c.Bootstrap = cmp.Or(c.Bootstrap, DefaultBootstrap)
	if c.Brokers <= 0 {
		c.Brokers = 2
	}
	if c.Topics == nil {
		c.Topics = map[string]int32{DefaultTopic: DefaultPartitions}
	}
	c.Topics = maps.Clone(c.Topics)
	// Children have working directories of their own.
	for _, path := range []*string{&c.Directory, &c.Programs, &c.Worker, &c.CRDs} {
		if full, err := filepath.Abs(*path); err == nil && *path != "" {
			*path = full
		}
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Refusal is what is wrong with a configuration or the machine. Nothing has been started.
type Refusal struct{ error }

// Unwrap gives the fault itself.
func (r Refusal) Unwrap() error { return r.error }

// check says all that is wrong at once.
func (c Config) check(ctx context.Context) error {
	var faults []error
	if c.Directory == "" || c.Manager == nil {
		faults = append(faults, errors.New("a directory and a manager are required"))
	}
	if _, err := world.ParseEra(string(c.Kafka)); err != nil {
		faults = append(faults, err)
	} else if err := c.Kafka.Available(); err != nil {
		faults = append(faults, fmt.Errorf("kafka %s: %w", c.Kafka, err))
	}
	faults = append(faults, controlplane.Config{Directory: c.Directory, Programs: c.Programs}.Check())
	if _, err := os.Stat(c.Worker); err != nil {
		faults = append(faults, fmt.Errorf("samsa: %w; build it (make build), or name it with --samsa", err))
	}
	if files, err := filepath.Glob(filepath.Join(c.CRDs, "*.yaml")); err != nil || len(files) == 0 {
		faults = append(faults, fmt.Errorf("no kinds in %s; name config/crd/bases of the sources with --crds", c.CRDs))
	}
	if c.Kafka.ZooKeeper() {
		faults = append(faults, free(ctx, "ZooKeeper", "--zookeeper", c.ZooKeeper))
	} else {
		_, err := c.port()
		faults = append(faults, err, free(ctx, "Kafka", "--bootstrap", c.Bootstrap))
	}
	if c.APIServer != 0 {
		faults = append(faults, free(ctx, "the API server", "--port", fmt.Sprintf("127.0.0.1:%d", c.APIServer)))
	}
	return errors.Join(faults...)
}

// port is that of the first broker, 0 for any.
func (c Config) port() (int, error) {
	if c.Kafka.ZooKeeper() {
		return 0, nil
	}
	host, text, err := net.SplitHostPort(c.Bootstrap)
	port, failure := strconv.ParseUint(text, 10, 16)
	if err != nil || failure != nil || host != "127.0.0.1" {
		return 0, fmt.Errorf("address of Kafka: %q is not 127.0.0.1:port; choose another with --bootstrap", c.Bootstrap)
	}
	return int(port), nil
}

// free says whose address is taken, and what to do.
func free(ctx context.Context, whose, flag, address string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("address of %s: %w; end what uses it (another world?), or choose another with %s",
			whose, err, flag)
	}
	return listener.Close()
}
