// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// committedWithin is what the last commits may take: five commit intervals of a second.
const committedWithin = 5 * time.Second

// publishAgain is the wait after publishing failed, with KEEP: once a second is often enough for eyes, and 86,400 lines
// of log a day at most.
const publishAgain = time.Second

// owners says who owns how many partitions, as ZooKeeper has it.
func (d *demo) owners() string {
	owned := map[string]int{}
	for _, id := range d.world.ZooKeeper.Children(d.world.Path(layout.Owners(group, lines))) {
		owner := layout.Owner(group, kafka.Partition{Topic: lines, ID: id})
		if node, ok := d.world.ZooKeeper.Get(d.world.Path(owner)); ok {
			owned[pod(string(node.Data))]++
		}
	}
	return ownersLine(d.workers.names(), owned, partitions)
}

// pod finds the worker's name in the id of a thread: <group>_samsa1s.<pod>-<ms>-<hex>-<thread>.
func pod(thread string) string {
	_, name, _ := strings.Cut(thread, ".")
	parts := strings.Split(name, "-")
	return strings.Join(parts[:max(0, len(parts)-3)], "-")
}

// uncommitted counts messages that stand behind no committed position, once the commits have had their time.
func (d *demo) uncommitted(ctx context.Context) int {
	deadline := time.Now().Add(committedWithin)
	for {
		missing := d.config.Messages - d.committed()
		if missing <= 0 || ctx.Err() != nil || time.Now().After(deadline) {
			return missing
		}
		pause(ctx, beat)
	}
}

// committed sums the positions in ZooKeeper. The topic is new, so a position is a number of messages.
func (d *demo) committed() int {
	sum := 0
	for id := range partitions {
		offset := layout.Offset(group, kafka.Partition{Topic: lines, ID: strconv.Itoa(id)})
		node, _ := d.world.ZooKeeper.Get(d.world.Path(offset))
		position, _ := strconv.Atoi(string(node.Data)) // what cannot be read is not committed
		sum += position
	}
	return sum
}

// keep lets messages trickle until ctx ends. Whoever tries things out makes publishing fail now and then, so a failure
// is told, and publishing goes on as soon as it can.
func (d *demo) keep(ctx context.Context, p *publisher) {
	var failing bool
	for {
		err := p.run(ctx, trickle, time.Second)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != failing {
			failing = err != nil
			d.tellPublishing(err)
		}
		if err != nil {
			d.logger.Warn("Publishing failed", "error", err)
			pause(ctx, publishAgain)
		}
	}
}

func (d *demo) tellPublishing(err error) {
	if err != nil {
		fmt.Fprintln(d.config.Out, "publishing fails and is tried again every second:", err)
		return
	}
	fmt.Fprintln(d.config.Out, "publishing goes on")
}

func (d *demo) advise() {
	say := func(format string, args ...any) { fmt.Fprintf(d.config.Out, format+"\n", args...) }
	addresses := d.workers.addresses()
	names := slices.Sorted(maps.Keys(addresses))
	say("\nEverything goes on, with %d messages a second, until Ctrl-C. Try:", trickle)
	for _, name := range names {
		say("  curl -s http://%s/v1/status    # %s, pid %d", addresses[name], name, d.workers.pid(name))
	}
	if len(names) > 0 {
		say("  curl -s http://%s/metrics | grep ^samsa_", addresses[names[0]])
		say("  kill -STOP %d; sleep 10; kill -CONT %d    # freeze %s past its session",
			d.workers.pid(names[0]), d.workers.pid(names[0]), names[0])
	}
	say("  %s worker --config %s/%s.yaml    # the newest of a name counts", d.config.Binary, d.dir, opening[0])
	say("  tail -F %s/*.log    # the workers' logs; gone in the end", d.dir)
	say("  zkCli.sh -server %s ls -R %s", d.world.ZooKeeper.Addr(), d.world.Path(layout.Group(group)))
}
