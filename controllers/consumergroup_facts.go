// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/observe"
	"github.com/samsa-dev/samsa/controllers/workload"
	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// stale is how old a reading may be before it counts as none: two and a half of the 10 s between readings, so that one
// that is late or lost changes nothing, and within the 30 s after which silence would be a lie.
const stale = 25 * time.Second

// facts are what a scope comes to: what is known of the group, in a form that conditions can be told from. What is not
// known is not in it.
type facts struct {
	// read says that registry and brokers have been read lately, for all groups and as the spec is now.
	read            bool
	topics, missing []string
	members         []member
	rows            []row
	// begun says that it is decided where the group begins, for all groups.
	begun bool
	// assignment is empty if it is not known.
	assignment v1alpha1.Assignment
	// why says why it is not Sticky, as the members conclude.
	why string
	// unreachable are the sinks' hosts that workers cannot reach.
	unreachable []string
	// feed is how members and partitions fit.
	feed feed
	// garbled are topics of which ZooKeeper holds what cannot be understood, each with where and why.
	garbled map[string]string
}

// member is a live member.
type member struct {
	client.GroupMember
	group string
	owned int
}

// row is a partition in a group.
type row struct {
	client.GroupPartition
	group string
	state v1alpha1.PartitionState
	// owner is the pod or the foreign member that owns it, and ours says that it is one of samsa's workers.
	owner string
	ours  bool
	// live says that the owner is a live member, and not on its way out.
	live bool
	// trouble says what is wrong with it, by kind.
	trouble trouble
	// worker is what the owner says; nil if it does not.
	worker *worker.PartitionStatus
	reason string
}

// trouble is what is wrong with a partition that has an owner.
type trouble uint8

const (
	// silent: its owner does not tell of it. No trouble at all is 0.
	silent trouble = iota + 1
	// blocked: its next message keeps failing.
	blocked
	// refused: its last attempts at the sink failed, or the one under way has no answer, and not for long.
	refused
	// stuck: its broker answers, and what comes next cannot be fetched all the same.
	stuck
	// unfetched: brokers do not give its messages, or its position is not clear.
	unfetched
	// unleased: its owner's session is not certain to live.
	unleased
	// strange: its owner is a worker of samsa's that is no pod of this ConsumerGroup, so nobody here can ask it.
	strange
)

// gather computes the facts of a scope.
func gather(s *groupScope) facts {
	var f facts
	if !s.readable() {
		return f
	}
	f.read, f.begun = true, true
	f.topics = existing(&s.observation)
	f.missing = slices.Sorted(slices.Values(s.observation.Missing))
	f.assignment = v1alpha1.AssignmentSticky
	for _, name := range s.groups() {
		f.add(s, name, s.observation.Groups[name])
	}
	f.unreachable = unreachable(s)
	return f
}

func existing(o *observe.Observation) []string {
	topics := slices.Sorted(slices.Values(o.Topics))
	return slices.DeleteFunc(topics, func(topic string) bool { return slices.Contains(o.Missing, topic) })
}

// readable tells that what was observed is fresh, and an answer to what the spec asks now.
func (s *groupScope) readable() bool {
	o := &s.observation
	if !s.seen || o.At.IsZero() || s.now.Sub(o.At) > stale {
		return false
	}
	for _, group := range s.groups() {
		if _, ok := o.Groups[group]; !ok {
			return false
		}
	}
	for _, topic := range s.group.Spec.Topics {
		if !slices.Contains(o.Topics, string(topic)) && !slices.Contains(o.Missing, string(topic)) {
			return false
		}
	}
	return true
}

func (f *facts) add(s *groupScope, group string, view client.GroupView) {
	f.begun, f.why = f.begun && view.Begun, cmp.Or(f.why, view.Why)
	if view.Strategy == layout.Range {
		f.assignment = v1alpha1.AssignmentRange
	}
	members := make(map[string]int, len(view.Members))
	for _, m := range view.Members {
		members[m.ID] = len(f.members)
		f.members = append(f.members, member{GroupMember: m, group: group})
	}
	for _, p := range view.Partitions {
		r := row{GroupPartition: p, group: group, state: v1alpha1.PartitionUnowned}
		if i, ok := members[p.Owner]; ok && p.Owner != "" && !p.Stray {
			f.members[i].owned++
			r.ownedBy(s, &f.members[i])
		} else if p.Owner != "" {
			r.state, r.owner, r.trouble = v1alpha1.PartitionUnknown, cut(p.Owner, maxOwner), silent
			r.reason = "who claims it is no live member; the claim goes when that session ends"
		}
		if p.Malformed {
			r.state, r.trouble = v1alpha1.PartitionFailing, unfetched
			r.reason = "its committed position cannot be read as a number: correct it in the registry"
		}
		f.rows = append(f.rows, r)
	}
	f.feed.add(&view)
	f.garble(view.Problems)
}

// garble notes the topics that problems are about, each with the first.
func (f *facts) garble(problems []layout.Problem) {
	for _, problem := range problems {
		below, ok := strings.CutPrefix(problem.Path, layout.Topics+"/")
		topic, _, _ := strings.Cut(below, "/")
		if !ok || f.garbled[topic] != "" {
			continue
		}
		if f.garbled == nil {
			f.garbled = map[string]string{}
		}
		f.garbled[topic] = problem.Path + ": " + problem.Reason
	}
}

// ownedBy fills in a row that a live member owns.
func (r *row) ownedBy(s *groupScope, m *member) {
	r.live = !m.Leaving
	if m.Foreign {
		r.owner, r.state = cut(m.ID, maxOwner), v1alpha1.PartitionOwned
		return
	}
	r.owner, r.ours = m.Pod, true
	if !s.mine(m.Pod) {
		r.state, r.trouble = v1alpha1.PartitionUnknown, strange
		r.reason = "its owner is a worker of samsa's that this ConsumerGroup did not start"
		return
	}
	told, ok := s.observation.Workers[m.Pod]
	if !ok || told.Status == nil || s.now.Sub(told.At) > stale || told.Status.Member.ID != m.ID {
		r.state, r.trouble, r.reason = v1alpha1.PartitionUnknown, silent, "its worker does not answer"
		if m.Leaving {
			r.state = v1alpha1.PartitionDraining
		}
		return
	}
	at := slices.IndexFunc(told.Status.Partitions, func(p worker.PartitionStatus) bool {
		return p.Topic == r.Partition.Topic && p.Partition == r.Partition.ID
	})
	if at < 0 {
		r.state, r.trouble, r.reason = v1alpha1.PartitionUnknown, silent, "its worker has not taken it up yet"
		return
	}
	r.worker = &told.Status.Partitions[at]
	r.told(told.Status.Time)
}

// mine tells that a worker of this name is a pod of this ConsumerGroup, or was a moment ago.
func (s *groupScope) mine(name string) bool {
	base, ok := ordinalOf(name)
	return ok && base == s.group.Name
}

// told is how a partition stands by what its worker says.
func (r *row) told(asOf time.Time) {
	p := r.worker
	r.reason = p.Error
	switch p.State {
	case worker.Blocked:
		r.state, r.trouble = v1alpha1.PartitionBlocked, blocked
		if p.Blocked != nil {
			r.reason = p.Blocked.Reason
			if p.Blocked.Message == "" { // there is none that the sink could have refused
				r.trouble = stuck
			}
		}
	case worker.Draining:
		r.state, r.live = v1alpha1.PartitionDraining, false
	case worker.Paused:
		r.state, r.trouble = v1alpha1.PartitionFailing, unleased
		r.reason = cmp.Or(r.reason, "its worker is not certain to be a member still")
	case worker.Checking:
		r.state, r.trouble = v1alpha1.PartitionFailing, unfetched
		r.reason = cmp.Or(r.reason, "its claim and its position are being read again")
	case worker.Owned, worker.Starting:
		r.working(asOf)
	case worker.Claiming, worker.Waiting:
		r.state, r.trouble = v1alpha1.PartitionUnknown, silent
		r.reason = cmp.Or(r.reason, "its worker has not taken it up yet")
	}
}

// patience is how many failures of one message in a row are worth a condition: with the default backoff they take a
// second. A sink that refuses one message in a hundred is not one that fails.
const patience = 3

func (r *row) working(asOf time.Time) {
	p := r.worker
	switch {
	case p.Error == "" && p.State == worker.Starting:
		r.state, r.trouble, r.reason = v1alpha1.PartitionUnknown, silent, "where it begins is being decided"
	case p.Error == "":
		r.state = v1alpha1.PartitionOwned
	case unanswered(p, asOf):
		r.state, r.trouble = v1alpha1.PartitionFailing, refused
	case p.Attempts == 0:
		r.state, r.trouble = v1alpha1.PartitionFailing, unfetched
	default:
		// A sink that refuses one message in a hundred would have states come and go with every look.
		r.state = v1alpha1.PartitionOwned
		if p.Attempts >= patience {
			r.state, r.trouble = v1alpha1.PartitionFailing, refused
		}
	}
}

// answerWithin is how long a sink may take for one message, all tries together, before its group is not said to be
// consuming. The worker tells of it as an error after the same time.
const answerWithin = 10 * time.Second

func unanswered(p *worker.PartitionStatus, asOf time.Time) bool {
	return !p.TryingSince.IsZero() && asOf.Sub(p.TryingSince) > answerWithin
}

// unreachable are the hosts of sinks that workers say they cannot reach.
func unreachable(s *groupScope) []string {
	var hosts []string
	for _, told := range s.observation.Workers {
		if told.Status == nil || s.now.Sub(told.At) > stale {
			continue
		}
		for _, warning := range told.Status.Warnings {
			if warning.Code == sinkUnreachable {
				hosts = append(hosts, cmp.Or(warning.Subject, "of the sink"))
			}
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// sinkUnreachable is the worker's warning that its sink cannot be reached.
const sinkUnreachable worker.Code = "SinkUnreachable"

// name is what a partition is called in a message.
func (r *row) name() string {
	return r.Partition.String()
}

// of are the names of the rows for which a predicate holds, sorted as the rows are.
func (f *facts) of(is func(*row) bool) []string {
	var names []string
	for i := range f.rows {
		if is(&f.rows[i]) {
			names = append(names, f.rows[i].name())
		}
	}
	return slices.Compact(names)
}

func (f *facts) with(t trouble) []string { return f.of(func(r *row) bool { return r.trouble == t }) }

// owned counts the partitions that a live member owns.
func (f *facts) owned() (count int) {
	for i := range f.rows {
		if r := &f.rows[i]; r.ours || r.live {
			count++
		}
	}
	return count
}

// bare are the topics that exist and have no partitions, as far as a group was read, which says so.
func (f *facts) bare() []string {
	if f.feed.groups == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.topics), func(topic string) bool {
		return slices.ContainsFunc(f.feed.sizes, func(s size) bool { return s.topic == topic })
	})
}

// foreign counts the members that are not samsa's.
func (f *facts) foreign() (count int) {
	for i := range f.members {
		if f.members[i].Foreign {
			count++
		}
	}
	return count
}

// joined counts the pods that are members, and stay.
func (f *facts) joined(s *groupScope) (count int) {
	for i := range s.pods {
		if slices.ContainsFunc(f.members, func(m member) bool {
			return !m.Foreign && !m.Leaving && m.Pod == s.pods[i].Name
		}) {
			count++
		}
	}
	return count
}

// wanted is how many workers the spec wants, if nothing bars them.
func (s *groupScope) wanted() int32 {
	if s.barred {
		return 0
	}
	return workload.Replicas(s.group)
}
