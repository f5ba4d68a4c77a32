// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Config says what cluster to run. Only Version is needed.
type Config struct {
	// Version is a release, as [Find] takes it: 0.8.2, 3.9, 4.
	Version string
	// Brokers is how many there are. Default 1.
	Brokers int
	// ZooKeeper is where they register, host:port,host:port/chroot. Empty is KRaft.
	ZooKeeper string
	// Controllers are processes of their own that control KRaft's brokers, with the ids after theirs; none of them is
	// among Cluster.Brokers. Default: each broker is a controller too, so that most of them must live.
	Controllers int
	// Properties are those of all brokers, BrokerProperties those of one, by its id; both as in server.properties, and
	// both stronger than what this package sets itself.
	Properties       map[string]string
	BrokerProperties map[int]map[string]string
	// Listeners are where brokers can be reached; between each other they use the first. Default: PLAINTEXT alone. Kafka
	// until 0.10.1 knows no names apart from the protocols, and 0.8 no listener but PLAINTEXT.
	Listeners []Listener
	// Port is that of the first listener of the first broker, for whom nobody tells it. Default: any free one, as all
	// others have.
	Port int
	// JVM are further arguments of the brokers' virtual machines, as -Djava.security.auth.login.config=file.
	JVM []string
	// Dir is where the cluster's own directory is made. Default: that for temporary files.
	Dir string
	// Keep is asked at the end: where it says true, data and logs stay on disk. A suite passes a function that tells
	// whether it failed. Nil keeps nothing; a start that failed keeps everything, and its error says where.
	Keep func() bool
	// StartTimeout bounds how long one broker may take to be ready. Default 3 min: on two idle cores the slowest takes
	// 3 s; with ten others at work on them 42 s were seen.
	StartTimeout time.Duration
}

// Listener is one way to reach the brokers.
type Listener struct {
	// Name is what it is called in the configuration. Default: the protocol.
	Name string
	// Protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
	Protocol string
}

// Plaintext is the name of the listener that there is if none is asked for.
const Plaintext = "PLAINTEXT"

// defaulted is the configuration with everything said.
func (c Config) defaulted() Config {
	if c.Brokers <= 0 {
		c.Brokers = 1
	}
	if c.StartTimeout <= 0 {
		c.StartTimeout = 3 * time.Minute
	}
	if len(c.Listeners) == 0 {
		c.Listeners = []Listener{{Protocol: Plaintext}}
	}
	listeners := make([]Listener, 0, len(c.Listeners))
	for _, listener := range c.Listeners {
		if listener.Name == "" {
			listener.Name = listener.Protocol
		}
		listeners = append(listeners, listener)
	}
	c.Listeners = listeners
	return c
}

// check says what the release cannot do.
func (c Config) check(release Release) error {
	switch {
	case c.ZooKeeper == "" && !release.RunsWithKRaft():
		return fmt.Errorf("kafka %s needs a ZooKeeper", release.Version)
	case c.ZooKeeper != "" && !release.RunsWithZooKeeper():
		return fmt.Errorf("kafka %s knows no ZooKeeper", release.Version)
	case c.ZooKeeper != "" && c.Controllers > 0:
		return errors.New("controllers of their own are KRaft's, and this Kafka has a ZooKeeper")
	}
	for _, listener := range c.Listeners {
		switch {
		case release.Before("0.9") && (listener.Name != Plaintext || listener.Protocol != Plaintext):
			return fmt.Errorf("listener %s: kafka %s has none but %s", listener.Name, release.Version, Plaintext)
		case release.Before("0.10.2") && listener.Name != listener.Protocol:
			return fmt.Errorf("listener %s: kafka %s knows listeners by their protocol alone", listener.Name, release.Version)
		}
	}
	return nil
}

// chroot is the path of a ZooKeeper's address, or nothing.
func chroot(zookeeper string) string {
	if slash := strings.IndexByte(zookeeper, '/'); slash >= 0 {
		return strings.TrimRight(zookeeper[slash:], "/")
	}
	return ""
}
