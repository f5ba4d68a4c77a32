// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// Closing a port and listening on it again may race with the kernel for a moment.
	rebindInterval = 20 * time.Millisecond
	rebindTimeout  = 5 * time.Second
	// The real one's scheduler looks for segments to delete a minute after its start for the first time.
	firstClean = time.Minute
)

// Broker is a running broker. Its methods are safe for concurrent use.
type Broker struct {
	config Config
	addr   string // with its port, from the first start on
	logs   *logs
	faults *Faults

	// lifecycle makes starts and stops one at a time.
	lifecycle sync.Mutex
	closed    bool

	// mu guards what follows, which belongs to one life: from a start to the next stop or death.
	mu   sync.Mutex
	life *life // nil while stopped
}

// Start runs a broker and returns when it is registered and listens. ctx bounds the start alone; Close ends the
// broker.
func Start(ctx context.Context, config Config) (*Broker, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Broker{config: config, addr: config.Addr}
	b.faults = &Faults{broker: b}
	b.logs = newLogs(config, b.announce)
	if err := loadLogs(config, b.logs); err != nil {
		b.logs.close()
		return nil, err
	}
	if err := b.Restart(ctx); err != nil {
		b.logs.close()
		return nil, err
	}
	return b, nil
}

// Addr is where the broker listens, host:port. It stays the same over Stop, Kill and Restart.
func (b *Broker) Addr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addr
}

// Faults makes the broker misbehave.
func (b *Broker) Faults() *Faults { return b.faults }

// Running reports whether the broker lives: it does from a start to the next Stop, Kill, Close or fatal fault.
func (b *Broker) Running() bool {
	life := b.current()
	return life != nil && !life.dead()
}

// Session is the id of the broker's ZooKeeper session, 0 if there is none.
func (b *Broker) Session() int64 {
	if life := b.current(); life != nil && life.registrar != nil {
		return life.registrar.session()
	}
	return 0
}

func (b *Broker) current() *life {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.life
}

// Restart starts a broker again that was stopped or has died, on its old address and with what it had stored, all of
// which is then visible. If its id is still taken in ZooKeeper, by the session that died, it waits for that to go. It
// does nothing to a running one.
func (b *Broker) Restart(ctx context.Context) error {
	b.lifecycle.Lock()
	defer b.lifecycle.Unlock()
	switch {
	case b.closed:
		return errors.New("kafka07: the broker is closed")
	case b.Running():
		return nil
	}
	b.end(false)
	for _, l := range b.logs.all() {
		l.flushNow()
	}
	listener, err := b.listen(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.addr = listener.Addr().String()
	b.mu.Unlock()
	life, err := newLife(ctx, b, listener)
	if err != nil {
		_ = listener.Close()
		return err
	}
	b.mu.Lock()
	b.life = life
	b.mu.Unlock()
	life.run()
	return nil
}

// listen opens the port; that of an earlier life may not be free at once.
func (b *Broker) listen(ctx context.Context) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, rebindTimeout)
	defer cancel()
	for {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", b.Addr())
		if err == nil {
			return listener, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("kafka07: listen on %s: %w", b.Addr(), err)
		case <-time.After(rebindInterval):
		}
	}
}

// Stop ends the broker as a clean shutdown does: everything is flushed, and its registration goes at once. It waits.
func (b *Broker) Stop() {
	b.lifecycle.Lock()
	defer b.lifecycle.Unlock()
	b.end(true)
	for _, l := range b.logs.all() {
		l.flushNow()
	}
}

// Kill ends the broker as SIGKILL does: its connections are reset, and its registration stays until its session
// expires. It waits.
func (b *Broker) Kill() {
	b.lifecycle.Lock()
	defer b.lifecycle.Unlock()
	if life := b.current(); life != nil {
		life.die()
	}
	b.end(false)
}

// Close ends the broker for good. It waits, and is safe to call again.
func (b *Broker) Close() {
	b.Stop()
	b.lifecycle.Lock()
	defer b.lifecycle.Unlock()
	if !b.closed {
		b.closed = true
		b.logs.close()
	}
}

// end takes leave of the current life, if there is one.
func (b *Broker) end(clean bool) {
	b.mu.Lock()
	life := b.life
	b.life = nil
	b.mu.Unlock()
	if life != nil {
		life.end(clean)
	}
}

// announce registers a topic that was just made.
func (b *Broker) announce(topic string) {
	if life := b.current(); life != nil && life.registrar != nil {
		life.registrar.announce(topic)
	}
}

// Flush makes visible whatever was produced, as the flusher does in time.
func (b *Broker) Flush() {
	for _, l := range b.logs.all() {
		l.flushNow()
	}
}

// Clean deletes what retention does not keep, as the cleaner does in time.
func (b *Broker) Clean() error {
	for _, l := range b.logs.all() {
		if err := l.clean(); err != nil {
			return err
		}
	}
	return nil
}
