// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	// A safety net under the session's events: a node that somebody deleted is back within a second.
	reviewInterval = time.Second
	// One review is four requests to a server on this machine.
	reviewTimeout = 5 * time.Second
)

// member keeps one broker registered: its node is made again whenever it is missing or of an earlier session.
type member struct {
	registry *registry
	id       int32
	addr     string
	born     time.Time
	conn     *session
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// newMember registers a broker and returns when it is.
func newMember(ctx context.Context, r *registry, id int32, addr string) (*member, error) {
	kicked := make(chan struct{}, 1)
	conn, err := r.connect(ctx, kicked)
	if err != nil {
		return nil, err
	}
	m := &member{registry: r, id: id, addr: addr, born: time.Now(), conn: conn}
	if err := m.review(ctx); err != nil {
		conn.close()
		return nil, err
	}
	// The registration outlives the start.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = cancel
	m.running.Go(func() { m.run(running, kicked) })
	return m, nil
}

// run reviews the registration at each event of the session, and now and then.
func (m *member) run(ctx context.Context, kicked <-chan struct{}) {
	ticker := time.NewTicker(reviewInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-kicked:
		case <-ticker.C:
		}
		if !m.conn.connected() {
			continue
		}
		if err := m.review(ctx); err != nil && ctx.Err() == nil {
			m.registry.config.Logger.Warn("Broker is not registered", "broker", m.id, "error", err)
		}
	}
}

// review makes the broker's node, and the controller's if there is none.
func (m *member) review(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	return m.conn.do(ctx, "register broker "+strconv.Itoa(int(m.id)), func(conn *zk.Conn) error {
		data, err := brokerData(m.addr, m.born)
		if err != nil {
			return err
		}
		err = m.own(conn, m.registry.chroot+"/brokers/ids/"+strconv.Itoa(int(m.id)), data)
		if err != nil {
			return err
		}
		data, err = controllerData(m.id, m.born)
		if err != nil {
			return err
		}
		_, err = conn.Create(m.registry.chroot+"/controller", data, zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("become the controller: %w", err)
		}
		return nil
	})
}

// own makes an ephemeral node of this session; one of an earlier session of the same broker makes way, as with Kafka.
func (m *member) own(conn *zk.Conn, node string, data []byte) error {
	_, stat, err := conn.Exists(node)
	if err != nil {
		return fmt.Errorf("look at %s: %w", node, err)
	}
	if stat.EphemeralOwner == conn.SessionID() {
		return nil
	}
	if stat.EphemeralOwner != 0 {
		if err := conn.Delete(node, -1); err != nil && !errors.Is(err, zk.ErrNoNode) {
			return fmt.Errorf("delete %s of an earlier session: %w", node, err)
		}
	}
	if _, err := conn.Create(node, data, zk.FlagEphemeral, zk.WorldACL(zk.PermAll)); err != nil {
		return fmt.Errorf("create %s: %w", node, err)
	}
	return nil
}

// close ends the session, and with it the registration.
func (m *member) close() {
	m.stop()
	m.conn.close()
	m.running.Wait()
}
