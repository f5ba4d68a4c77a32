// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// seek is an operator who moves a position, mostly back.
func (w *world) seek() {
	log := w.logs[w.rand.IntN(len(w.logs))]
	path := layout.Offset(groupName, log.partition)
	if w.server.nodes[path] == nil || len(log.messages) == 0 {
		return
	}
	// Never to what a member has asked for itself: one that gets no answer cannot tell the two apart, takes the write for
	// its own and goes on from where it is.
	if position := log.messages[w.rand.IntN(len(log.messages))].Offset; !w.asked[place{log.partition, position}] {
		w.seekTo(log, position)
	}
}

func (w *world) seekTo(log *log, position int64) {
	node := w.server.write(layout.Offset(groupName, log.partition), layout.FormatOffset(position))
	w.record(sought{Partition: log.partition, Position: position, Zxid: node.mzxid})
	w.disturbance("an operator moves " + log.partition.String())
}

// garble is an operator who writes nonsense, and mends it after a while.
func (w *world) garble() {
	log := w.logs[w.rand.IntN(len(w.logs))]
	path := layout.Offset(groupName, log.partition)
	if w.server.nodes[path] == nil || len(log.messages) == 0 {
		return
	}
	node := w.server.write(path, []byte("nonsense"))
	w.record(sought{Partition: log.partition, Malformed: true, Zxid: node.mzxid})
	w.after(w.between(0, 2*w.profile.session), func() {
		if _, err := layout.ParseOffset(w.server.nodes[path].data); err != nil {
			w.seekTo(log, log.born)
		}
	})
}

// settle ends all trouble and waits until everything is delivered and committed.
func (w *world) settle() {
	w.recover()
	const limit = 15 * time.Second // a sink may still hang, and then wait
	w.runUntil(w.now+w.profile.recovery(), w.never)
	w.producing = false
	everything := w.runUntil(w.now+limit, func() bool { return w.unsettled() == "" })
	if w.broken == nil {
		w.record(settled{Everything: everything, Why: w.unsettled()})
	}
}

// recover undoes what is wrong with the world, and sees to it that there is a member.
func (w *world) recover() {
	clear(w.sink.ill)
	w.accept()
	for _, p := range w.processes {
		p.ambush = nil
	}
	if w.foreign != nil {
		w.foreign.leave()
	}
	if w.living() == 0 && w.broken == nil {
		w.join()
	}
	end := w.now
	for _, pod := range w.pods {
		if pod.alive() {
			end = max(end, pod.process.client.blocked)
		}
	}
	w.runUntil(end, w.never)
	w.runUntil(w.now+10*w.profile.session, func() bool { return w.healthy() })
	w.disturbance("all is well from now on")
}

func (w *world) healthy() bool {
	living := 0
	for _, pod := range w.pods {
		if !pod.alive() {
			continue
		}
		p := pod.process
		if p.frozen || p.client.conn == nil || p.client.conn.deaf || p.client.conn.slow > 0 {
			return false
		}
		if !p.leaving {
			living++
		}
	}
	if living == 0 {
		w.join()
		return false
	}
	return !w.server.down
}

// unsettled says what is not as it should be in the end, or nothing.
func (w *world) unsettled() string {
	for _, log := range w.logs {
		node := w.server.nodes[layout.Offset(groupName, log.partition)]
		if node == nil {
			return log.partition.String() + " has no position"
		}
		if position, err := layout.ParseOffset(node.data); err != nil || position != log.end() {
			return log.partition.String() + " is committed up to " + string(node.data)
		}
	}
	return ""
}
