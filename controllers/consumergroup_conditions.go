// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/observe"
)

// finding is what a condition says.
type finding struct {
	status          metav1.ConditionStatus
	reason, message string
}

func yes(reason, format string, args ...any) finding {
	return finding{metav1.ConditionTrue, reason, fmt.Sprintf(format, args...)}
}

func no(reason, format string, args ...any) finding {
	return finding{metav1.ConditionFalse, reason, fmt.Sprintf(format, args...)}
}

func unknown(reason, format string, args ...any) finding {
	return finding{metav1.ConditionUnknown, reason, fmt.Sprintf(format, args...)}
}

func (v finding) is(status metav1.ConditionStatus) bool { return v.status == status }

func (v finding) as(kind string) metav1.Condition {
	// A message is a sentence, wherever it was put together.
	return newCondition(kind, v.status, v.reason, "%s", capitalised(v.message))
}

// capitalised begins a message as a sentence, unless it begins with the name of a field.
func capitalised(message string) string {
	if message == "" || strings.HasPrefix(message, "spec.") {
		return message
	}
	return strings.ToUpper(message[:1]) + message[1:]
}

// conditionsOf are all conditions, every time.
func conditionsOf(s *groupScope, f *facts) []metav1.Condition {
	topics, balanced, delivering := topicsResolved(s, f), balancing(s, f), delivery(s, f)
	ready := readiness(s, topics, balanced, delivering)
	stalled := stall(s, f, ready)
	return []metav1.Condition{
		ready.as(v1alpha1.ConditionReady),
		topics.as(v1alpha1.ConditionTopicsResolved),
		balanced.as(v1alpha1.ConditionBalanced),
		delivering.as(v1alpha1.ConditionDelivering),
		feeding(s, f).as(v1alpha1.ConditionFed),
		progress(s, f, ready, stalled).as(v1alpha1.ConditionReconciling),
		stalled.as(v1alpha1.ConditionStalled),
		degradation(s, f).as(v1alpha1.ConditionDegraded),
	}
}

// stopped says why there are no workers and shall be none; false if there shall be.
func stopped(s *groupScope) (finding, bool) {
	switch {
	case !s.group.DeletionTimestamp.IsZero():
		if waits := s.cleaning.waits; waits != "" {
			return no(v1alpha1.ReasonDeleting, "being deleted; waiting for %s", waits), true
		}
		return no(v1alpha1.ReasonDeleting, "being deleted"), true
	case s.barred:
		return no(s.blocker.reason, "%s", s.blocker.message), true
	case s.group.Spec.Suspend != nil && *s.group.Spec.Suspend:
		return no(v1alpha1.ReasonSuspended, "spec.suspend is set: there are no workers, and positions stay"), true
	case s.wanted() == 0:
		return no(v1alpha1.ReasonScaledToZero, "spec.replicas is 0: there are no workers, and positions stay"), true
	}
	return finding{}, false
}

// unread says why nothing is known of the group.
func unread(s *groupScope) finding {
	switch {
	case s.barred:
		return unknown(s.blocker.reason, "not looked at: %s", s.blocker.message)
	case s.cluster == nil:
		return unknown(v1alpha1.ReasonClusterMissing, "%s", s.blocker.message)
	case s.unserved:
		return unknown(s.blocker.reason, "%s", s.blocker.message)
	case !s.usable:
		return unknown(v1alpha1.ReasonClusterNotReady, "%s", notReady(s.cluster).message)
	case s.seen && s.observation.Err != nil && !errors.Is(s.observation.Err, observe.ErrNoConnection):
		return unknown(v1alpha1.ReasonGroupUnreadable, "the group cannot be read: %v", s.observation.Err)
	default:
		return unknown(v1alpha1.ReasonProgressing, "the group is being read")
	}
}

func topicsResolved(s *groupScope, f *facts) finding {
	switch {
	case !f.read:
		return unread(s)
	case len(f.missing) > 0:
		return no(v1alpha1.ReasonTopicMissing,
			"%s not there: %s; create what is missing, and it is consumed from then on, or correct spec.topics",
			plural(len(f.missing), "topic"), names(f.missing))
	case s.group.Spec.TopicPattern != "" && len(f.topics) == 0:
		return no(v1alpha1.ReasonTopicMissing,
			"no topic's name matches spec.topicPattern; one that appears is consumed from then on")
	}
	found := plural(len(f.topics), "topic") + " found"
	bare := f.bare()
	switch {
	case len(bare) == 0:
		return yes(v1alpha1.ReasonTopicsFound, "%s", found)
	case s.group.Spec.TopicPattern != "" && len(bare) < len(f.topics):
		// In Kafka 0.7 a topic outlives the brokers that have it, for ever: a pattern need not mean those.
		return yes(v1alpha1.ReasonTopicsFound, "%s, without partitions: %s", found, names(bare))
	}
	for _, topic := range bare {
		if why := f.garbled[topic]; why != "" {
			return no(v1alpha1.ReasonTopicMissing,
				"what stands in ZooKeeper about topic %s cannot be understood: %s", topic, why)
		}
	}
	return no(v1alpha1.ReasonTopicMissing, "%s on no live broker: %s; start the brokers that have it, or publish to it",
		plural(len(bare), "topic"), names(bare))
}

func balancing(s *groupScope, f *facts) finding {
	if v, ok := stopped(s); ok {
		return v
	}
	if !f.read {
		return unread(s)
	}
	homeless := f.of(func(r *row) bool { return !r.live })
	switch {
	case len(f.rows) == 0:
		return no(v1alpha1.ReasonTopicMissing, "there are no partitions to own")
	case len(f.members) == 0:
		if failing := failingPods(s); len(failing) > 0 {
			return no(v1alpha1.ReasonWorkersFailing, "workers do not run: %s", names(failing))
		}
		if why := notJoined(s); len(why) > 0 {
			return no(v1alpha1.ReasonStarting, "no worker has joined the group yet: %s", names(why))
		}
		return no(v1alpha1.ReasonStarting, "no worker has joined the group yet")
	case len(homeless) > 0:
		return no(v1alpha1.ReasonRebalancing, "partitions are without an owner or about to get another")
	case !f.begun:
		return no(v1alpha1.ReasonStarting, "where the group begins is being decided")
	}
	return yes(v1alpha1.ReasonBalanced, "every partition has an owner")
}

func delivery(s *groupScope, f *facts) finding {
	if v, ok := stopped(s); ok {
		return v
	}
	if !f.read {
		return unread(s)
	}
	switch {
	case s.unready.reason != "":
		return no(s.unready.reason, "%s", s.unready.message)
	case len(f.unreachable) > 0:
		return no(v1alpha1.ReasonSinkUnreachable,
			"workers cannot reach the sink at %s: correct spec.sink, or start what should be there", names(f.unreachable))
	case len(f.with(blocked)) > 0:
		return no(v1alpha1.ReasonBlocked, "a message keeps failing at the sink in %s: mend the sink; "+
			"status.partitions says why, and it is tried on", names(f.with(blocked)))
	case len(f.with(stuck)) > 0:
		return no(v1alpha1.ReasonBlocked, "what comes next in %s cannot be fetched though the brokers answer; "+
			"status.partitions says why, and it is tried on", names(f.with(stuck)))
	case len(f.with(unleased)) > 0:
		return no(v1alpha1.ReasonSessionLost, "workers are not certain of their %s, so they wait: %s",
			s.membership(), names(f.owners(unleased)))
	case len(f.with(unfetched)) > 0:
		return no(v1alpha1.ReasonFetchFailing, "messages cannot be had of %s; status.partitions says why",
			names(f.with(unfetched)))
	case len(f.with(refused)) > 0:
		return no(v1alpha1.ReasonSinkFailing, "the sink %s does not take messages of %s; status.partitions says why, and "+
			"they are tried again", sinkText(&s.group.Spec.Sink), names(f.with(refused)))
	case len(f.with(strange)) > 0:
		return unknown(v1alpha1.ReasonUnmanagedMembers, "members that this ConsumerGroup did not start own partitions, and "+
			"whether they deliver cannot be seen from here: %s; stop them, or leave their partitions to this ConsumerGroup",
			names(f.owners(strange)))
	case len(f.with(silent)) > 0:
		return unknown(v1alpha1.ReasonWorkersUnknown, "workers have not told how their partitions are: %s",
			names(f.owners(silent)))
	case f.owned() == 0:
		return unknown(v1alpha1.ReasonStarting, "no partition has an owner who could deliver")
	}
	return yes(v1alpha1.ReasonDelivering, "the sink takes what it is sent")
}

// membership is what makes a worker certain that its partitions are its own.
func (s *groupScope) membership() string {
	if s.coordination == v1alpha1.CoordinationKafka {
		return "membership with the group's coordinator"
	}
	return "sessions with ZooKeeper"
}

// owners are those of the partitions with a trouble, sorted.
func (f *facts) owners(t trouble) []string {
	var owners []string
	for i := range f.rows {
		if f.rows[i].trouble == t {
			owners = append(owners, f.rows[i].owner)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

func feeding(s *groupScope, f *facts) finding {
	if !f.read {
		return unread(s)
	}
	return f.feed.finding()
}

// notJoined are the reasons that workers give for not being members.
func notJoined(s *groupScope) []string {
	var why []string
	for _, told := range s.observation.Workers {
		if told.Status == nil || s.now.Sub(told.At) > stale {
			continue
		}
		for _, reason := range told.Status.Reasons {
			why = append(why, reason.Message)
		}
	}
	slices.Sort(why)
	return slices.Compact(why)
}

// readiness is whether the group is consuming: the first thing that keeps it from that, if anything does.
func readiness(s *groupScope, topics, balanced, delivering finding) finding {
	if v, ok := stopped(s); ok {
		return v
	}
	for _, v := range []finding{topics, balanced, delivering} {
		if v.is(metav1.ConditionTrue) {
			continue
		}
		if s.blocker.reason != "" {
			v.reason, v.message = s.blocker.reason, s.blocker.message
		}
		if v.is(metav1.ConditionUnknown) && len(s.pods) == 0 {
			v.status = metav1.ConditionFalse // without workers that is certain
		}
		return v
	}
	if s.blocker.reason != "" { // it consumes, and not as the spec says
		return yes(s.blocker.reason, "every partition is owned and delivered, by workers as they were before: %s",
			s.blocker.message)
	}
	return yes(v1alpha1.ReasonBalanced, "every partition is owned and delivered")
}

// stall is whether somebody has to act.
func stall(s *groupScope, f *facts, ready finding) finding {
	none := finding{status: metav1.ConditionFalse}
	switch {
	case !s.group.DeletionTimestamp.IsZero():
		return none
	case s.blocker.reason != "" && !s.blocker.waits:
		return yes(s.blocker.reason, "%s", s.blocker.message)
	case s.wanted() == 0:
		return none
	case !ready.is(metav1.ConditionTrue):
		switch ready.reason {
		case v1alpha1.ReasonTopicMissing, v1alpha1.ReasonBlocked, v1alpha1.ReasonSinkUnreachable:
			return yes(ready.reason, "%s", ready.message)
		case v1alpha1.ReasonBindingNotReady:
			if !s.unready.waits {
				return yes(ready.reason, "%s", ready.message)
			}
		}
	}
	if failing := failingPods(s); len(failing) > 0 && !s.allJoined(f) {
		return yes(v1alpha1.ReasonWorkersFailing, "workers do not run: %s", names(failing))
	}
	return none
}

// progress is whether the operator is on its way.
func progress(s *groupScope, f *facts, ready, stalled finding) finding {
	switch {
	case stalled.is(metav1.ConditionTrue):
		return finding{status: metav1.ConditionFalse}
	case !s.group.DeletionTimestamp.IsZero():
		return yes(v1alpha1.ReasonDeleting, "%s", ready.message)
	case s.err != nil:
		return yes(v1alpha1.ReasonProgressing, "the API server has not taken all that is needed yet")
	case s.blocker.reason != "":
		return yes(s.blocker.reason, "%s", s.blocker.message)
	case s.wanted() == 0 && len(s.pods) > 0:
		return yes(v1alpha1.ReasonProgressing, "workers are ending")
	case s.wanted() == 0:
		return finding{status: metav1.ConditionFalse}
	case !ready.is(metav1.ConditionTrue):
		return yes(ready.reason, "%s", ready.message)
	case !s.rolledOut():
		return yes(v1alpha1.ReasonProgressing, "workers are being started or replaced")
	case !s.allJoined(f):
		return yes(v1alpha1.ReasonProgressing, "not all workers have joined the group yet")
	}
	return finding{status: metav1.ConditionFalse}
}

func (s *groupScope) allJoined(f *facts) bool { return f.joined(s) >= int(s.wanted()) }

func degradation(s *groupScope, f *facts) finding {
	foreign := f.foreign()
	if foreign == 0 {
		return finding{status: metav1.ConditionFalse}
	}
	shared := "partitions are balanced by Range"
	if s.coordination == v1alpha1.CoordinationKafka {
		shared = cmp.Or(f.why, "partitions are shared out by a protocol that all of them know")
	}
	return yes(v1alpha1.ReasonForeignMembers, "the group has %s that %s not samsa's: %s, and whatever those members "+
		"deliver is fenced by nothing", plural(foreign, "member"), isAre(foreign), shared)
}

func isAre(count int) string {
	if count == 1 {
		return "is"
	}
	return "are"
}
