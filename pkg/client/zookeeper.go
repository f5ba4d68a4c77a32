// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// zookeeper keeps groups in the classic registry.
type zookeeper struct {
	*driver
	// session is the one the member knows of, nil for none; dialect what it was told of it.
	session *registry.Session
	dialect layout.Dialect
}

// follow tells the member of a session that began or ended. It hears of none before the brokers have said which Kafka
// this is: what it writes depends on it. Should they say something else later, everything begins anew in another
// session.
func (z *zookeeper) follow(ctx context.Context) (changed, found, over <-chan struct{}) {
	client, directory := z.consumer.cluster.registry, z.consumer.cluster.directory
	changed, found = client.Changed(), directory.changes()
	session := client.State().Session
	dialect, known := directory.era()
	if !known {
		session = nil
	}
	if session != nil && session == z.session && dialect != z.dialect {
		session.Abandon()
	}
	if session == z.session {
		return changed, found, z.over()
	}
	if z.session != nil {
		lost := group.SessionLost{Epoch: z.session.Epoch()}
		z.session = nil
		z.step(ctx, lost)
	}
	if session != nil {
		z.session, z.dialect = session, dialect
		z.step(ctx, group.SessionUp{
			Epoch: session.Epoch(), ID: session.ID(), Timeout: session.Timeout(), Dialect: dialect,
		})
	}
	return changed, found, z.over()
}

// over is closed when the session ends.
func (z *zookeeper) over() <-chan struct{} {
	if z.session == nil {
		return nil
	}
	return z.session.Done()
}

// request carries out a command that only ZooKeeper can answer.
func (z *zookeeper) request(ctx context.Context, command group.Command) {
	session := z.session
	if abandon, ok := command.(group.Abandon); ok {
		z.lease.end()
		if session != nil && session.Epoch() == abandon.Epoch {
			session.Abandon()
		}
		return
	}
	if session == nil { // it ended before the command was carried out: SessionLost makes the answer unneeded
		return
	}
	z.running.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, session.Timeout()/answersPerSession)
		defer cancel()
		z.consumer.events.send(z.ask(ctx, session, command))
	})
}

func (z *zookeeper) ask(ctx context.Context, session *registry.Session, command group.Command) group.Event {
	name := z.consumer.config.Group
	switch command := command.(type) {
	case group.Register:
		err := z.admit(ctx, session, command)
		if err == nil {
			err = session.Register(ctx, name, command.ID, command.Data)
		}
		return group.Registered{Epoch: command.Epoch, Answer: answerOf(err)}
	case group.Probe:
		return probe(ctx, session, name, command)
	case group.Observe:
		return z.observe(ctx, session, command)
	case group.Claim:
		return claim(ctx, session, name, command)
	case group.Transact:
		versions, err := session.Transact(ctx, command.Txn)
		return group.Transacted{Epoch: command.Epoch, ID: command.ID, Versions: versions, Answer: answerOf(err)}
	case group.Read:
		return read(ctx, session, name, command)
	case group.Unregister:
		err := session.Unregister(ctx, name, command.ID)
		return group.Unregistered{Epoch: command.Epoch, Answer: answerOf(err)}
	}
	return group.Tick{}
}

// close implements keeper: the session is the cluster's.
func (z *zookeeper) close() {}
