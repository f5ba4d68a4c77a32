// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"math/rand/v2"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// freshFor is how long it is believed that there is no partition but those that were told of.
const freshFor = time.Second

// route gives an item to a lane.
func (d *Dispatcher) route(item *Item, now time.Time) {
	wanted := item.Message.Partition.ID
	if wanted != "" && d.lanes[wanted] == nil && len(d.order) > 0 && now.Sub(d.learned) < freshFor {
		d.refuse(item, wanted, kafka.ErrNoPartition)
		return
	}
	lane := d.choose(item, now)
	if lane == nil {
		d.homeless = append(d.homeless, item)
		d.ask()
		return
	}
	lane.add(item, now)
	d.offer(lane, now)
}

// choose gives the lane that an item goes to, nil if none is known.
func (d *Dispatcher) choose(item *Item, now time.Time) *lane {
	switch {
	case item.Message.Partition.ID != "":
		return d.lanes[item.Message.Partition.ID]
	case len(d.order) == 0:
		return nil
	case !d.keyed(item):
		return d.any(now)
	}
	lane := d.order[d.key(item.Message.Key, len(d.order))]
	if lane.takes(now) || !d.config.KeyedMoves {
		return lane
	}
	if others := d.able(now); len(others) > 0 {
		return others[d.key(item.Message.Key, len(others))]
	}
	return lane
}

// able are the lanes that take messages.
func (d *Dispatcher) able(now time.Time) (able []*lane) {
	for _, lane := range d.order {
		if lane.takes(now) {
			able = append(able, lane)
		}
	}
	return able
}

// any chooses a lane for what may go anywhere: nil if no partition has a leader.
func (d *Dispatcher) any(now time.Time) *lane {
	if d.config.RoundRobin {
		for range d.order {
			lane := d.order[d.turn%len(d.order)]
			d.turn++
			if lane.takes(now) {
				return lane
			}
		}
		return d.anyLed()
	}
	if s := d.sticky; s != nil && s.takes(now) && s.bytes < d.config.BatchBytes {
		return s
	}
	d.sticky = nil
	able := 0
	for _, lane := range d.order { // one of those that take, each as likely
		if lane.takes(now) {
			if able++; rand.IntN(able) == 0 {
				d.sticky = lane
			}
		}
	}
	if d.sticky != nil {
		return d.sticky
	}
	return d.anyLed()
}

// anyLed chooses among the lanes that have a leader, of which none takes anything at the moment.
func (d *Dispatcher) anyLed() (chosen *lane) {
	led := 0
	for _, lane := range d.order {
		if lane.broker != "" {
			if led++; rand.IntN(led) == 0 {
				chosen = lane
			}
		}
	}
	return chosen
}

// disperse gives what a lane cannot get rid of to others that can: only what is in no batch, and free to go.
func (d *Dispatcher) disperse(l *lane, now time.Time) {
	if l.takes(now) || len(l.queue) == 0 || len(d.able(now)) == 0 {
		return
	}
	var free []*Item
	l.filter(func(item *Item) bool {
		if d.bound(item) {
			return true
		}
		free = append(free, item)
		return false
	})
	for _, item := range free {
		d.route(item, now)
	}
}
