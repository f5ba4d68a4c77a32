// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	// A broker that waits for its id looks this often whether it is free.
	takenInterval = 50 * time.Millisecond
	// What could not be registered is tried again this often; usually an event of the session comes first.
	retryInterval = time.Second
)

// registrar keeps a broker and its topics registered, after kafka.server.KafkaZooKeeper of 0.7.2:
//
//	/brokers/ids/<id>            creator:host:port, where creator is host-milliseconds
//	/brokers/topics/<topic>/<id> the number of the topic's partitions here
//
// Both are ephemeral. Parents are made, persistent and without data.
type registrar struct {
	config Config
	chroot string
	host   string
	port   string
	conn   *session
	wanted chan struct{} // gets a token when there is a new topic
	once   sync.Once     // ends the session in peace, or what is left of it

	// mu guards what follows.
	mu         sync.Mutex
	topics     map[string]bool // whether it is registered in the session
	registered int64           // the session in which the broker is registered
}

// newRegistrar registers the broker with the topics that it has already, and waits while its id is taken.
func newRegistrar(ctx context.Context, config Config, addr string, topics []string) (*registrar, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("kafka07: address %q: %w", addr, err)
	}
	if config.Host != "" {
		host = config.Host
	}
	r := &registrar{
		config: config, host: host, port: port, wanted: make(chan struct{}, 1), topics: make(map[string]bool),
	}
	for _, topic := range topics {
		r.topics[topic] = false
	}
	hosts, chroot := parseConnect(config.ZooKeeper)
	r.chroot = chroot
	if r.conn, err = connect(ctx, hosts, config); err != nil {
		return nil, err
	}
	if err := r.register(ctx); err != nil {
		r.close()
		return nil, fmt.Errorf("kafka07: register broker %d: %w", config.ID, err)
	}
	return r, nil
}

// register is review until it succeeds. The calls to ZooKeeper know no context; the last one goes on behind, until the
// session is closed.
func (r *registrar) register(ctx context.Context) error {
	for {
		done := make(chan error, 1)
		go func() { done <- r.review() }()
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err = <-done:
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(takenInterval):
		}
	}
}

// run registers what comes later, and everything again in each new session.
func (r *registrar) run(over <-chan struct{}) {
	ticker := time.NewTicker(retryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-r.conn.events:
		case <-r.wanted:
		case <-ticker.C:
		}
		if r.conn.conn.State() != zk.StateHasSession {
			continue
		}
		if err := r.review(); err != nil && !r.conn.isAbandoned() {
			r.config.Logger.Warn("Broker is not registered", "broker", r.config.ID, "error", err)
		}
	}
}

// announce asks for a topic to be registered, which happens soon, not at once.
func (r *registrar) announce(topic string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topics[topic] = false
	signal(r.wanted)
}

// has reports whether a topic is registered.
func (r *registrar) has(topic string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.topics[topic]
}

// review registers what is not registered in this session: the broker first.
func (r *registrar) review() error {
	session := r.session()
	r.mu.Lock()
	if r.registered != session {
		for topic := range r.topics {
			r.topics[topic] = false
		}
	}
	known := r.registered == session
	r.mu.Unlock()
	id := strconv.Itoa(int(r.config.ID))
	if !known {
		millis := strconv.FormatInt(r.config.Clock.Now().UnixMilli(), 10)
		broker := r.host + "-" + millis + ":" + r.host + ":" + r.port
		if err := r.createEphemeral("/brokers/ids/"+id, broker); err != nil {
			return err
		}
		r.mu.Lock()
		r.registered = session
		r.mu.Unlock()
	}
	for _, topic := range r.missing() {
		count := strconv.Itoa(int(r.config.partitions(topic)))
		if err := r.createEphemeral("/brokers/topics/"+topic+"/"+id, count); err != nil {
			return err
		}
		r.mu.Lock()
		r.topics[topic] = true
		r.mu.Unlock()
	}
	return nil
}

// missing are the topics that are not registered.
func (r *registrar) missing() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for topic, done := range r.topics {
		if !done {
			list = append(list, topic)
		}
	}
	return list
}

// createEphemeral makes a node of this session, and its parents.
func (r *registrar) createEphemeral(path, data string) error {
	full := r.chroot + path
	for i := 1; i < len(full); i++ {
		if full[i] != '/' {
			continue
		}
		_, err := r.conn.conn.Create(full[:i], nil, 0, zk.WorldACL(zk.PermAll))
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("create %s: %w", full[:i], err)
		}
	}
	_, err := r.conn.conn.Create(full, []byte(data), zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
	if errors.Is(err, zk.ErrNodeExists) {
		_, stat, statErr := r.conn.conn.Exists(full)
		if statErr == nil && stat.EphemeralOwner == r.session() {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", full, err)
	}
	return nil
}

func (r *registrar) session() int64 { return r.conn.conn.SessionID() }

// abandon leaves the registration to expire. It does not wait.
func (r *registrar) abandon() { r.conn.abandon() }

// close ends the session, and with it the registration, unless it is abandoned. It may be called again.
func (r *registrar) close() { r.once.Do(r.conn.close) }
