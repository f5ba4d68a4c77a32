// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/truth"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// committedWithin is what the last commits may take: five commit intervals of a second.
const committedWithin = 5 * time.Second

// toldWithin is what the status may take to tell the end: fast numbers are written every 15 s, from a reading that is
// up to 10 s old.
const toldWithin = truth.Grace

// publishAgain is the wait after publishing failed, with KEEP: once a second is often enough for eyes, and 86,400 lines
// of log a day at most.
const publishAgain = time.Second

// owners says who owns how many partitions, as the truth has it.
func (d *demo) owners() string {
	sample := d.statuses.newest()
	owned := map[string]int{}
	for _, partition := range sample.Partitions {
		if partition.Owner != "" {
			owned[partition.Owner]++
		}
	}
	return ownersLine(sample.Members, owned, len(d.partitions))
}

// awaitStatus reports whether the status comes to tell what is true now that nothing moves any more.
func (d *demo) awaitStatus(ctx context.Context) bool {
	deadline := time.Now().Add(toldWithin)
	for !d.statuses.caughtUp() {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return false
		}
		pause(ctx, sampleEvery)
	}
	return true
}

// uncommitted counts messages that stand behind no committed position, once the commits have had their time; below 0
// are positions beyond the end.
func (d *demo) uncommitted(ctx context.Context) int {
	deadline := time.Now().Add(committedWithin)
	for {
		committed := d.committed(ctx)
		missing := d.recorder.uncommitted(committed)
		if missing == 0 {
			return -d.beyond(committed)
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return missing
		}
		pause(ctx, beat)
	}
}

// committed gives the partitions' positions as they are now; what cannot be read is not committed.
func (d *demo) committed(ctx context.Context) func(kafka.Partition) int64 {
	sample, err := d.statuses.reader.Read(ctx, func(string) bool { return false })
	if err != nil {
		d.logger.Warn("Positions cannot be read", "error", err)
	}
	return func(partition kafka.Partition) int64 {
		return sample.Partitions[truth.PartitionName("", partition.Topic, partition.ID)].Committed
	}
}

// beyond counts the partitions whose position is behind their end.
func (d *demo) beyond(committed func(kafka.Partition) int64) (count int) {
	for _, partition := range d.partitions {
		if committed(partition) > d.system.World.Brokers().End(partition) {
			count++
		}
	}
	return count
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
	say("\nEverything goes on, with %d messages a second, until Ctrl-C. Try:", trickle)
	say("  export KUBECONFIG=%s PATH=%s:$PATH http_proxy=http://%s",
		d.system.Kubeconfig, d.system.Programs, d.system.Proxy)
	say("  kubectl get consumergroups -o wide --watch")
	say("  kubectl describe consumergroup %s; kubectl describe producerbinding %s", group, binding)
	say("  kubectl scale consumergroup %s --replicas=4", group)
	say("  kubectl delete pod %s-0", group)
	say("  kubectl get pods -o wide    # curl -s http://<IP>:8080/v1/status")
	say("  bin/samsa-local logs %s-0 --dir %s    # kubectl logs has nobody to ask here", group, d.system.Directory)
	if w := d.system.World; w.ZooKeeper != nil {
		say("  zkCli.sh -server %s ls -R %s    # of Debian's zookeeper, in /usr/share/zookeeper/bin",
			w.ZooKeeper.Addr(), w.Path(layout.Group(group)))
	} else {
		say("  samsa groups %s --bootstrap %s", group, strings.Join(w.Bootstrap(), ","))
	}
}
