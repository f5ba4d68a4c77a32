// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Describe computes the whole status from one observation. The previous status gives only since when a reason stands:
// one that was there before keeps its time.
func Describe(o Observation, previous Status) Status {
	s := Status{
		Version:       StatusVersion,
		Time:          o.At,
		Group:         o.Group,
		Member:        Member{ID: o.ID, Name: o.Name},
		Session:       describeSession(o.Session),
		Assignment:    AssignmentStatus{Strategy: o.Strategy, Why: o.Why},
		Members:       describeMembers(o.Members),
		Topics:        sortedTopics(o.Topics),
		MissingTopics: slices.Sorted(slices.Values(o.Missing)),
		Problems:      o.Problems,
		Counters:      o.Counters,
	}
	s.Partitions, s.Totals = describePartitions(o.Partitions, o.At)
	s.Reasons = dated(notReady(o), o, previous.Reasons)
	s.Warnings = dated(warnings(o), o, previous.Warnings)
	s.Ready = len(s.Reasons) == 0
	return s
}

// notReady says why the worker is not ready. Of the steps to being ready the first that is missing is named; the
// later ones follow from it.
func notReady(o Observation) []Reason {
	var reasons []Reason
	add := func(code Code, message string) {
		if err := o.Session.Err; err != nil && code != Leaving {
			message += ": " + err.Error()
		}
		reasons = append(reasons, Reason{Code: code, Message: message})
	}
	if o.Leaving {
		add(Leaving, "draining, then leaving the group")
	}
	lapsed := !o.At.Before(o.Session.LeaseUntil)
	switch {
	case !o.Session.Connected && (lapsed || !o.Registered):
		add(NotConnected, "no session with "+o.Session.coordinator())
	case !o.Registered:
		add(NotRegistered, because("not yet registered in group "+o.Group, cmp.Or(o.RegisterErr, o.TopicsErr)))
	case lapsed:
		add(LeaseLapsed, "the session may have expired; delivering nothing")
	case !o.Read && o.ReadErr != nil:
		add(GroupUnreadable, because("the group cannot be read, so nothing is consumed", o.ReadErr))
	case o.Read && !o.Begun && o.BeginErr != nil:
		add(GroupNotBegun, because("where the group begins cannot be decided, so nothing is consumed", o.BeginErr))
	}
	return reasons
}

// coordinator names who coordinates the group, and where.
func (c Connection) coordinator() string {
	if c.Brokers {
		return "the group's coordinator; the brokers to begin with are " + c.Server
	}
	return "ZooKeeper at " + c.Server
}

func because(what string, err error) string {
	if err == nil {
		return what
	}
	return what + ": " + err.Error()
}

func warnings(o Observation) []Reason {
	var list []Reason
	warn := func(code Code, subject, format string, args ...any) {
		list = append(list, Reason{Code: code, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
	for _, topic := range slices.Sorted(slices.Values(o.Missing)) {
		warn(TopicMissing, topic, "topic %s does not exist; it is consumed as soon as it does", topic)
	}
	if o.Registered && o.TopicsErr == nil && o.Pattern != "" && len(o.Topics) == 0 {
		warn(TopicMissing, o.Pattern, "no topic matches %s; those that do are consumed as soon as they exist", o.Pattern)
	}
	if o.Registered && o.TopicsErr != nil {
		warn(TopicsUnclear, o.Pattern, "%v", o.TopicsErr)
	}
	for _, lane := range sorted(o.Partitions) {
		name := lane.Partition.String()
		if b := lane.Blocked; b != nil {
			warn(PartitionBlocked, name, "%s", blocked(b))
		}
		if lane.Trouble != nil && lane.State == Checking {
			warn(PositionUnclear, name, "claim or position of %s cannot be used: %v", name, lane.Trouble)
		}
	}
	if o.SinkErr != nil {
		warn(SinkUnreachable, o.Sink, "the sink cannot be reached: %v", o.SinkErr)
	}
	for _, failure := range fetchFailures(o.Partitions) {
		warn(FetchFailing, failure.topic, "no messages of %d of %d partitions of %s: %v",
			failure.count, failure.of, failure.topic, failure.err)
	}
	if o.Read && o.ReadErr != nil {
		warn(GroupUnreadable, "", "changes of the group go unseen: %v", o.ReadErr)
	}
	if o.Session.Connected {
		list = append(list, sessionWarnings(o.Session)...)
	}
	for _, problem := range o.Problems {
		warn(NodeMalformed, problem.Path, "%s: %s", problem.Path, problem.Reason)
	}
	return list
}

func sessionWarnings(c Connection) []Reason {
	var list []Reason
	if c.Err != nil {
		list = append(list, Reason{Code: BrokersUnknown, Message: c.Err.Error()})
	}
	if c.Unfenced && !c.Brokers { // they fence by generations
		list = append(list, Reason{
			Code: Unfenced, Message: "ZooKeeper has no transactions: a worker that froze may commit over its successor",
		})
	}
	if c.Unsound != "" {
		list = append(list, Reason{Code: LeaseUnsound, Message: c.Unsound})
	}
	return list
}

func blocked(b *Block) string {
	if b.Message == "" {
		return b.Reason
	}
	return fmt.Sprintf("message %s failed %d times: %s", b.Message, b.Attempts, b.Reason)
}

// fetchFailure is a topic whose partitions cannot all be fetched. A broker that is away fails many of them at once,
// for one reason.
type fetchFailure struct {
	topic     string
	count, of int
	err       error
}

func fetchFailures(lanes []Lane) []fetchFailure {
	var failures []fetchFailure
	for _, lane := range sorted(lanes) {
		if len(failures) == 0 || failures[len(failures)-1].topic != lane.Partition.Topic {
			failures = append(failures, fetchFailure{topic: lane.Partition.Topic})
		}
		f := &failures[len(failures)-1]
		f.of++
		if err := lane.unfetched(); err != nil {
			f.count++
			f.err = cmp.Or(f.err, err)
		}
	}
	return slices.DeleteFunc(failures, func(f fetchFailure) bool { return f.count == 0 })
}

// unfetched is why no messages of the lane come. A lane that is blocked for just that is told of already.
func (l Lane) unfetched() error {
	switch {
	case l.Blocked != nil && l.Blocked.Message == "":
		return nil
	case l.State == Starting: // its first position cannot be had
		return l.Trouble
	default:
		return l.Err
	}
}

// dated gives each reason the time since when it stands.
func dated(reasons []Reason, o Observation, before []Reason) []Reason {
	since := make(map[[2]string]Reason, len(before))
	for _, reason := range before {
		since[reason.key()] = reason
	}
	for i := range reasons {
		if known, ok := since[reasons[i].key()]; ok {
			reasons[i].Since = known.Since
		} else {
			reasons[i].Since = o.At
		}
	}
	return reasons
}

// key tells reasons apart; their messages may change while they stand.
func (r Reason) key() [2]string { return [2]string{string(r.Code), r.Subject} }

func describeSession(c Connection) Session {
	return Session{
		Connected: c.Connected, Epoch: c.Epoch, LeaseValidUntil: c.LeaseUntil, Timeout: Duration(c.Timeout),
		Fenced: !c.Unfenced, Error: text(c.Err),
	}
}

func describeMembers(peers []Peer) []MemberStatus {
	members := make([]MemberStatus, 0, len(peers))
	for _, peer := range peers {
		members = append(members, MemberStatus{
			ID: peer.ID, Foreign: peer.Foreign, Topics: sortedTopics(peer.Topics),
		})
	}
	return members
}

func describePartitions(lanes []Lane, at time.Time) ([]PartitionStatus, Totals) {
	partitions := make([]PartitionStatus, 0, len(lanes))
	var totals Totals
	for _, lane := range sorted(lanes) {
		partitions = append(partitions, describePartition(lane, at))
		totals.LagUnit = UnitOf(lane.Partition.ID)
		if lane.State.owns() {
			totals.Owned++
		}
		if lane.Blocked != nil {
			totals.Blocked++
		}
		if lag, known := lane.Lag(); known {
			totals.Lag += lag
		}
	}
	return partitions, totals
}

func describePartition(lane Lane, at time.Time) PartitionStatus {
	p := PartitionStatus{
		Topic: lane.Partition.Topic, Partition: lane.Partition.ID, State: lane.State, Holder: lane.Holder,
		Position: known(lane.Acknowledged), Committed: known(lane.Committed), End: known(lane.End),
		BufferedMessages: lane.BufferedMessages, BufferedBytes: lane.BufferedBytes, InFlight: lane.InFlight,
		TryingSince: lane.Trying,
		Attempts:    lane.Attempts, LastProgress: lane.Progress, Blocked: lane.Blocked,
		LostToRetention: lane.LostToRetention, Jump: lane.Jump,
		Error: text(cmp.Or(lane.Failure, lane.unanswered(at), lane.Err, lane.Trouble)),
	}
	if lag, ok := lane.Lag(); ok {
		p.Lag = &lag
	}
	if lane.Blocked != nil && lane.State == Owned {
		p.State = Blocked
	}
	return p
}

// answerWithin is how long a sink may take for one message before that is told as an error. The operator looks every 8
// s, so a sink that hangs shows within the 30 s after which a status would be a lie, however long an attempt may last.
const answerWithin = 10 * time.Second

// errUnanswered stands for an attempt that has not come to an end.
var errUnanswered = errors.New("the sink has not answered for a while")

func (l Lane) unanswered(at time.Time) error {
	if l.Trying.IsZero() || at.Sub(l.Trying) <= answerWithin {
		return nil
	}
	return errUnanswered
}

// Lag is how far the committed position is behind the end, see UnitOf; false where one
// of them is not known. The end is as of the last fetch, so it may be the older of the two: then the lag is 0.
func (l Lane) Lag() (int64, bool) {
	if l.Committed < 0 || l.End < 0 {
		return 0, false
	}
	return max(0, l.End-l.Committed), true
}

// owns reports whether the claim is held in this state.
func (s State) owns() bool {
	switch s {
	case Owned, Blocked, Draining, Paused, Starting:
		return true
	case Claiming, Waiting, Checking:
		return false
	}
	return false
}

// sortedTopics is never nil: that there are none is said so.
func sortedTopics(topics []string) []string {
	list := append([]string{}, topics...)
	slices.Sort(list)
	return list
}

func sorted(lanes []Lane) []Lane {
	return slices.SortedFunc(slices.Values(lanes), func(a, b Lane) int {
		return a.Partition.Compare(b.Partition)
	})
}

func known(position int64) *int64 {
	if position < 0 {
		return nil
	}
	return &position
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
