// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

const (
	// lookEvery is how often the replicas' addresses are asked for: one question to DNS a second.
	lookEvery = time.Second
	// dnsLife is the time to live that clusters' DNS gives addresses, and so how old an answer may be: see
	// docs/operations.md for those who cache longer.
	dnsLife = 5 * time.Second
	// lookPatience is how long there may be no answer: three questions. After that nobody knows who else there is, and
	// keys are nobody's.
	lookPatience = 3 * lookEvery
	// spread is how far apart the servers of DNS may learn of a change: an endpoint is known everywhere within a second.
	spread = time.Second
	// peersLag is how far behind the truth a replica may be at most: it asked just before the change, was given what was
	// as old as can be, and got no answer since.
	peersLag = spread + dnsLife + lookEvery + lookPatience
	// startHold is how long a broker that lives may take to write to its log what lies in its sockets: what a process that
	// has died sent, at this place or another. Healthy ones take milliseconds.
	startHold = 5 * time.Second
	// rebuildAgain is how long after a reading of the topic that failed the next one begins.
	rebuildAgain = 2 * time.Second
)

// peers follow who the replicas are, and settle what this one takes over.
type peers struct {
	names  []string
	self   string
	shares *window.Shares
	lookup func(ctx context.Context, host string) ([]string, error)
	// rebuild reads what others wrote; nil where the topic cannot tell.
	rebuild func(ctx context.Context) error
	// greet asks all leaders for a sign of life; there if rebuild is.
	greet func(ctx context.Context) error
	// giveUp ends the repeating of messages that were begun before, beyond their time.
	giveUp func()
	logger *slog.Logger

	// moved says that the last look found others.
	moved    bool
	answered time.Time
	// met is the generation of members since which all leaders were seen alive, metAt when.
	met   int
	metAt time.Time
}

// hold is how long keys wait after a change: until every replica knows of it, and what it had begun before is done.
// That ends with the producer's timeout (giveUp), and is begun by whoever has the key when the body is there.
func (c *Config) hold() time.Duration { return peersLag + time.Duration(c.Produce.Timeout) }

// run follows until ctx ends.
func (p *peers) run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	p.answered = time.Now()
	var tried time.Time
	for {
		p.look(ctx)
		if generation, due, unsettled := p.shares.Unsettled(); unsettled && p.meet(ctx, generation) &&
			!time.Now().Before(due) && time.Since(tried) >= rebuildAgain {
			p.settle(ctx, generation)
			tried = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// meet says whether all leaders were seen alive since the members are who they are, startHold ago at least. A broker
// that is frozen writes what lies in its sockets when it goes on, whoever has died meanwhile: so the time that this
// takes begins when it is seen alive.
func (p *peers) meet(ctx context.Context, generation int) bool {
	if p.greet == nil {
		return true
	}
	if p.met != generation && p.greet(ctx) == nil {
		p.met, p.metAt = generation, time.Now()
	}
	return p.met == generation && time.Since(p.metAt) >= startHold
}

// look takes the replicas as they are now. A name without addresses is one of replicas that are not ready: as long as
// there are none, those from before stay.
func (p *peers) look(ctx context.Context) {
	if len(p.names) == 0 {
		p.update([]string{p.self})
		return
	}
	members, err := p.members(ctx)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		p.answered = time.Now()
		if p.update(members) {
			p.logger.Info("The replicas are others now", "replicas", strings.Join(members, ","))
		}
	case isAbsent(err):
		p.answered = time.Now()
	case time.Since(p.answered) > lookPatience && len(p.shares.Members()) > 0:
		p.logger.Error("The replicas' addresses cannot be looked up: requests with an Idempotency-Key are refused",
			"error", err)
		p.update(nil)
	}
}

// update takes the members as they are, and reports whether they are others. Whoever takes over a key relies on it
// (hold) that what was begun for it ends with its time: so doubts are not settled beyond that. This is said after the
// change, and with the next look once more, for what was let in just before and was handed over just after.
func (p *peers) update(members []string) (moved bool) {
	moved = !slices.Equal(members, p.shares.Members())
	p.shares.Update(members)
	if (moved || p.moved) && p.giveUp != nil {
		p.giveUp()
	}
	p.moved = moved
	return moved
}

func isAbsent(err error) bool {
	absent, ok := errors.AsType[*net.DNSError](err)
	return ok && absent.IsNotFound
}

// members are the addresses that the names have, sorted; this process's own is self.
func (p *peers) members(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	var members []string
	for _, name := range p.names {
		host, port, err := net.SplitHostPort(name)
		if err != nil {
			return nil, err
		}
		addresses, err := p.lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		for _, address := range addresses {
			members = append(members, net.JoinHostPort(address, port))
		}
	}
	slices.Sort(members)
	return slices.Compact(members), nil
}

// settle reads what was written before, and takes over.
func (p *peers) settle(ctx context.Context, generation int) {
	if p.rebuild != nil {
		begin := time.Now()
		if err := p.rebuild(ctx); err != nil {
			if ctx.Err() == nil {
				p.logger.Error("What was written with Idempotency-Keys cannot be read; they have to wait", "error", err)
			}
			return
		}
		p.logger.Info("What was written with Idempotency-Keys is known", "took", time.Since(begin))
	}
	p.shares.Settle(generation)
}

// selfOf is this process's name among the replicas: the address of the pod, and the port that it listens at.
func selfOf(listening net.Addr) string {
	_, port, err := net.SplitHostPort(listening.String())
	if err != nil {
		return listening.String()
	}
	if ip := os.Getenv("POD_IP"); ip != "" {
		return net.JoinHostPort(ip, port)
	}
	host, _, _ := net.SplitHostPort(listening.String())
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return net.JoinHostPort(host, port)
	}
	return net.JoinHostPort(ownAddress(), port)
}

// ownAddress is the machine's first address that others may reach.
func ownAddress() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			return network.IP.String()
		}
	}
	return "127.0.0.1"
}
