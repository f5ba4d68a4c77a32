// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/metadata"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

const (
	// directoryTimeout bounds one reading of the brokers: a read each, of about a millisecond.
	directoryTimeout = 5 * time.Second
	// directoryRetry is the wait after a reading that failed; well below the 10 s in which everything is to heal.
	directoryRetry = time.Second
	// directoryResync is the time between readings that no watch asked for; a lost watch costs at most this.
	directoryResync = 30 * time.Second
)

// ErrNoAnswer says that none of the brokers answers that the configuration names, nor any that they told of before; the
// error around it names each and says why.
var ErrNoAnswer = metadata.ErrNobody

// ErrNoBrokers says that no broker is registered, so there is nobody to talk to.
var ErrNoBrokers = errors.New(
	"no broker is registered in ZooKeeper: check the chroot of the connect string, and that brokers run")

// errNotRead is what stands before the first reading.
var errNotRead = errors.New("nobody has told yet which brokers there are")

// ErrClosed says that the cluster has been closed.
var ErrClosed = errors.New("the cluster is closed")

// Broker is a live broker.
type Broker struct {
	ID string
	// Address is host:port of the listener that is used.
	Address string
	// Kafka07 says that it is a broker of Kafka 0.7.
	Kafka07 bool
	// release is how it is spoken to.
	release wire.Release
}

// directory follows the brokers of a cluster.
type directory struct {
	// registry is nil for a cluster without ZooKeeper.
	registry *registry.Client
	// asking asks the brokers, and is told who they are.
	asking *metadata.Reader
	// bootstrap are the brokers to begin with where they themselves tell who they are; otherwise the registry does.
	bootstrap []string
	logger    *slog.Logger
	// secure says that brokers are spoken to in TLS.
	secure bool
	// protocol is that of the listeners to use.
	protocol string
	*directoryState
}

type directoryState struct {
	// closed is closed when the directory is followed no more.
	closed chan struct{}

	// mu protects what follows.
	mu sync.Mutex
	// live is replaced, never changed.
	live     map[string]Broker
	kafka    era
	problems []layout.Problem
	failure  error
	// clusterID is what the brokers call the cluster, if they were asked.
	clusterID string
	// addresses are the last known one of each broker that ever was.
	addresses map[string]string
	// topics are what was last read of each topic asked for.
	topics map[string]*topicRead
	// news count what ZooKeeper told of each of them.
	news map[string]*atomic.Uint64
	// changed is closed and replaced whenever live, kafka, problems or failure changes.
	changed chan struct{}
	// followers are told the live brokers.
	followers map[*brokers]struct{}
}

func newDirectory(client *registry.Client, asking *metadata.Reader, config Config) directory {
	return directory{registry: client, asking: asking, bootstrap: config.Bootstrap,
		logger: config.Logger, secure: config.BrokerTLS != nil, protocol: config.protocol(), directoryState: &directoryState{
			closed:    make(chan struct{}),
			failure:   errNotRead,
			changed:   make(chan struct{}),
			followers: map[*brokers]struct{}{},
			addresses: map[string]string{},
			topics:    map[string]*topicRead{},
			news:      map[string]*atomic.Uint64{},
		}}
}

// run reads the brokers whenever they may have changed, until ctx ends.
func (d directory) run(ctx context.Context) {
	defer close(d.closed)
	if d.byBrokers() {
		d.runAsking(ctx)
		return
	}
	for ctx.Err() == nil {
		changed := d.registry.Changed()
		session := d.registry.State().Session
		if session == nil {
			d.pause(ctx, directoryResync, changed, nil)
			continue
		}
		hint := make(chan struct{}, 1)
		wait := directoryResync
		if err := d.read(ctx, session, hint); err != nil {
			wait = directoryRetry
		}
		d.pause(ctx, wait, session.Done(), hint)
	}
}

func (d directory) pause(ctx context.Context, wait time.Duration, changed, hint <-chan struct{}) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-changed:
	case <-hint:
	}
}

func (d directory) read(ctx context.Context, session *registry.Session, hint chan<- struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	found, problems, err := session.Brokers(ctx, func() {
		select {
		case hint <- struct{}{}:
		default:
		}
	})
	if err != nil {
		d.update(nil, d.kafkaNow(), fmt.Errorf("read brokers: %w", err))
		return err
	}
	live := make(map[string]Broker, len(found))
	for _, registered := range found {
		live[registered.ID] = Broker{
			ID: registered.ID, Address: addressFor(registered, d.protocol), Kafka07: registered.Era07,
			release: releaseOf(registered.Version),
		}
	}
	slices.SortFunc(problems, func(a, b layout.Problem) int { return strings.Compare(a.Path, b.Path) })
	d.note(problems)
	live, kafka, err := d.kafkaNow().judge(live, d.secure)
	if err == nil {
		err = describeBrokers(live, problems)
	}
	d.update(live, kafka, err)
	return nil
}

func describeBrokers(live map[string]Broker, problems []layout.Problem) error {
	if len(live) > 0 {
		return nil
	}
	errs := []error{ErrNoBrokers}
	for _, problem := range problems {
		errs = append(errs, fmt.Errorf("%s: %s", problem.Path, problem.Reason))
	}
	return errors.Join(errs...)
}

func (d directory) note(problems []layout.Problem) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Equal(problems, d.problems) {
		return
	}
	d.problems = problems
	d.announce()
}

// announce says that something changed. The caller holds mu.
func (d directory) announce() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// changes gives a channel that is closed at the next change.
func (d directory) changes() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// malformed are the brokers' nodes that cannot be understood.
func (d directory) malformed() []layout.Problem {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.problems)
}

// update stores what was read. Brokers once known stay known while ZooKeeper cannot be read: they are served by, not
// through, it.
func (d directory) update(live map[string]Broker, kafka era, failure error) {
	followers := d.store(live, kafka, failure)
	d.tellAsking()
	for _, follower := range followers {
		follower.follow()
	}
}

// store returns whom to tell, nobody if nothing changed.
func (d directory) store(live map[string]Broker, kafka era, failure error) []*brokers {
	d.mu.Lock()
	defer d.mu.Unlock()
	if live == nil {
		live = d.live
	}
	if maps.Equal(live, d.live) && kafka == d.kafka && sameText(failure, d.failure) {
		return nil
	}
	d.become(kafka)
	if failure != nil && !sameText(failure, d.failure) {
		d.logger.Warn("Brokers cannot be told", "reason", failure)
	}
	if !maps.Equal(live, d.live) {
		d.logger.Info("Brokers changed", "brokers", addresses(live))
	}
	d.live, d.failure = live, failure
	for id, broker := range live {
		d.addresses[id] = broker.Address
	}
	d.announce()
	if len(live) == 0 {
		return nil
	}
	return slices.Collect(maps.Keys(d.followers))
}

func sameText(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Error() == b.Error()
}

func addresses(live map[string]Broker) []string {
	addresses := make([]string, 0, len(live))
	for _, broker := range live {
		addresses = append(addresses, broker.Address)
	}
	slices.Sort(addresses)
	return addresses
}

func (d directory) brokers() map[string]Broker {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.live)
}

func (d directory) err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failure
}

// wait returns once a broker is known; if ctx ends first, it says why none is.
func (d directory) wait(ctx context.Context) error {
	for {
		d.mu.Lock()
		known, failure, changed := len(d.live) > 0, d.failure, d.changed
		d.mu.Unlock()
		select {
		case <-d.closed:
			return ErrClosed
		default:
		}
		if known {
			return nil
		}
		select {
		case <-changed:
		case <-d.closed:
			return ErrClosed
		case <-ctx.Done():
			if !d.byBrokers() && d.registry.State().Err != nil {
				failure = d.registry.State().Err
			}
			return failure
		}
	}
}

// known says why no broker is known; it waits for the first reading, and no longer.
func (d directory) known(ctx context.Context) error {
	for {
		d.mu.Lock()
		live, failure, changed := len(d.live) > 0, d.failure, d.changed
		d.mu.Unlock()
		if live {
			return nil
		}
		if !errors.Is(failure, errNotRead) {
			return failure
		}
		select {
		case <-changed:
		case <-d.closed:
			return ErrClosed
		case <-ctx.Done():
			return failure
		}
	}
}

// errNoZooKeeper says that only the brokers are known.
var errNoZooKeeper = errors.New("the cluster's configuration names no ZooKeeper")

// session waits for one that is not over, for as long as ctx allows.
func (d directory) session(ctx context.Context) (*registry.Session, error) {
	if d.registry == nil {
		return nil, errNoZooKeeper
	}
	for {
		changed := d.registry.Changed()
		state := d.registry.State()
		if state.Session != nil && !isOver(state.Session) {
			return state.Session, nil
		}
		select {
		case <-changed:
		case <-d.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			if state.Err != nil {
				return nil, state.Err
			}
			return nil, ctx.Err()
		}
	}
}

func isOver(session *registry.Session) bool {
	select {
	case <-session.Done():
		return true
	default:
		return false
	}
}
