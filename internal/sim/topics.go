// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// What the real driver of a pattern waits: after news, since topics come in bunches, and after an answer that it did
// not get.
const (
	followPause = 200 * time.Millisecond
	followAgain = time.Second
)

// following is what a process knows of topics, in worlds whose groups consume a pattern.
type following struct {
	// listed are the topics as last read; nil before that.
	listed []string
	// declined are those that this process's pattern does not match.
	declined map[string]bool
	// round counts the readings: one that is overtaken does not count.
	round int
}

// follow reads after a while which topics there are; what was to be read before that is not any more.
func (p *process) follow(wait time.Duration) {
	if !p.profile.pattern {
		return
	}
	p.following.round++
	round := p.following.round
	p.later(wait, func() {
		if p.following.round == round && !p.left && p.client.session != 0 {
			p.readTopics(round)
		}
	})
}

// readTopics reads the topics, leaves a watch, and reads them again after half a session, less up to a fifth of that.
func (p *process) readTopics(round int) {
	answered := func(ok bool, names []string) {
		switch {
		case p.following.round != round:
		case !ok:
			p.follow(followAgain)
		default:
			p.follow(p.profile.session/2 - p.between(0, p.profile.session/10))
			p.following.listed = names
			p.tellTopics()
		}
	}
	var names []string
	p.client.send(&request{
		bound: p.client.session,
		carryOut: func(session int64) {
			p.server.watchOn(layout.Topics, p.server.sessions[session].conn)
			names = p.topicNames()
		},
		answer: func(ok bool) { answered(ok, names) },
	})
	p.later(p.profile.session/answersPerSession, func() { answered(false, nil) })
}

func (p *process) tellTopics() {
	topics := []string{}
	for _, name := range p.following.listed {
		if !p.following.declined[name] {
			topics = append(topics, name)
		}
	}
	p.step(group.SetTopics{Topics: topics})
}

// decline makes a process's pattern match a topic that it did not, or the other way round.
func (p *process) decline(topic string) {
	p.following.declined[topic] = !p.following.declined[topic]
	if p.following.listed != nil {
		p.tellTopics()
	}
}

// mostTopics is how many topics a world has in the end.
const mostTopics = 4

// appear makes a topic.
func (w *world) appear() {
	topic := len(w.profile.topics)
	if topic >= mostTopics {
		return
	}
	partitions := 1 + w.rand.IntN(4)
	w.profile.topics = append(w.profile.topics, partitions)
	for n := range partitions {
		w.addPartition(partitionName(topic, n))
	}
	w.server.fire(layout.Topic(topicName(topic)))
}

// change changes what one process consumes.
func (w *world) change() {
	if pod := w.pick(true); pod != nil {
		p, topic := pod.process, topicName(w.rand.IntN(len(w.profile.topics)))
		p.post(func() { p.decline(topic) })
	}
}

// accept makes every process consume all topics again.
func (w *world) accept() {
	for _, pod := range w.pods {
		if p := pod.process; p != nil && w.profile.pattern {
			p.post(func() {
				clear(p.following.declined)
				if p.following.listed != nil {
					p.tellTopics()
				}
			})
		}
	}
}

// wanted reports whether a process that could is to consume a topic.
func (w *world) wanted(topic string) bool {
	if !w.profile.pattern {
		return true
	}
	for _, pod := range w.pods {
		if p := pod.process; p != nil && p.capable() && !p.following.declined[topic] {
			return true
		}
	}
	return false
}
