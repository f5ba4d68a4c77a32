// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Cluster is a running Kafka. Its methods are safe for concurrent use, as those of different brokers are.
type Cluster struct {
	config  Config
	release Release
	dir     string
	brokers []*Broker
	// controllers are processes of their own, if there are any.
	controllers []*Broker
	claims      []io.Closer // of the brokers' ports
}

// Start runs a new cluster without topics and returns when all of its brokers serve. The processes outlive ctx, which
// bounds the start alone; Stop ends them.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	release, err := Find(config.Version)
	if err != nil {
		return nil, err
	}
	if err := Available(config.Version); err != nil {
		return nil, err
	}
	config = config.defaulted()
	if err := config.check(release); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(config.Dir, "samsa-kafka-"+release.Version+"-")
	if err != nil {
		return nil, fmt.Errorf("directory of the brokers: %w", err)
	}
	c := &Cluster{config: config, release: release, dir: dir}
	if err := c.start(ctx); err != nil {
		c.kill()
		return nil, fmt.Errorf("start kafka %s: %w; everything it wrote is in %s", release.Version, err, dir)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	if err := c.place(ctx); err != nil {
		return err
	}
	if err := c.configure(ctx); err != nil {
		return err
	}
	// All at once: with KRaft none is ready before most are there.
	group, ctx := errgroup.WithContext(ctx)
	for _, broker := range c.processes() {
		group.Go(func() error { return broker.Start(ctx) })
	}
	return group.Wait()
}

// place gives each broker its ports.
func (c *Cluster) place(ctx context.Context) error {
	for id := range c.config.Brokers + c.config.Controllers {
		dir := filepath.Join(c.dir, fmt.Sprintf("broker-%d", id))
		broker := &Broker{cluster: c, id: id, dir: dir, ports: map[string]int{}}
		for _, listener := range append(slices.Clip(c.config.Listeners), Listener{Name: controller}) {
			port, claim, err := freePort(ctx, c.config.Port)
			if claim != nil {
				c.claims = append(c.claims, claim)
			}
			if err != nil {
				return err
			}
			broker.ports[listener.Name] = port
		}
		if id == 0 && c.config.Port != 0 {
			broker.ports[c.config.Listeners[0].Name] = c.config.Port
		}
		if id < c.config.Brokers {
			c.brokers = append(c.brokers, broker)
		} else {
			c.controllers = append(c.controllers, broker)
		}
	}
	return nil
}

// processes are brokers and controllers.
func (c *Cluster) processes() []*Broker { return slices.Concat(c.brokers, c.controllers) }

func (c *Cluster) configure(ctx context.Context) error {
	if err := writeLogging(c.dir); err != nil {
		return err
	}
	for _, broker := range c.processes() {
		if err := os.MkdirAll(broker.path("data"), 0o700); err != nil {
			return fmt.Errorf("directory of broker %d: %w", broker.id, err)
		}
		if err := os.WriteFile(broker.path(configFile), []byte(render(c.properties(broker))), 0o600); err != nil {
			return fmt.Errorf("configuration of broker %d: %w", broker.id, err)
		}
	}
	if c.config.ZooKeeper == "" {
		return c.format(ctx)
	}
	if c.release.Before("0.8.2") {
		return makeChroot(ctx, c.config.ZooKeeper)
	}
	return nil
}

// clusterID is what KRaft's brokers know each other by: any 16 bytes in base64.
const clusterID = "c2Ftc2EgcmVhbCBrYWZrYQ"

// format makes the directories of KRaft's brokers.
func (c *Cluster) format(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, broker := range c.processes() {
		group.Go(func() error {
			_, err := c.run(ctx, "", "kafka.tools.StorageTool", "format", "--ignore-formatted",
				"--cluster-id", clusterID, "--config", broker.path(configFile))
			return err
		})
	}
	return group.Wait()
}

// Release is which Kafka it is.
func (c *Cluster) Release() Release { return c.release }

// Dir is where everything lies that the cluster wrote.
func (c *Cluster) Dir() string { return c.dir }

// Brokers are all of them, running or not; Broker(i) has the id i.
func (c *Cluster) Brokers() []*Broker { return c.brokers }

// Broker is the one with an id, from 0 on.
func (c *Cluster) Broker(id int) *Broker { return c.brokers[id] }

// Bootstrap are the addresses of the first listener of all brokers, as clients take them: host:port,host:port.
func (c *Cluster) Bootstrap() string { return c.Addresses(c.config.Listeners[0].Name) }

// Addresses are those of a listener of all brokers.
func (c *Cluster) Addresses(listener string) string {
	addresses := make([]string, 0, len(c.brokers))
	for _, broker := range c.brokers {
		addresses = append(addresses, broker.addr(listener))
	}
	return strings.Join(addresses, ",")
}

// Stop kills all brokers, waits for their end, and removes what they wrote unless Config.Keep says otherwise. It is
// safe to call again. A broker that is to end in order is stopped by itself before.
func (c *Cluster) Stop() error {
	c.keepArchive()
	c.kill()
	if c.config.Keep != nil && c.config.Keep() {
		return nil
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("directory of the brokers: %w", err)
	}
	return nil
}

func (c *Cluster) kill() {
	for _, broker := range c.processes() {
		_ = broker.Kill() // one that is down is as it should be
	}
	for _, claim := range c.claims {
		_ = claim.Close() // it may have been closed before
	}
}
