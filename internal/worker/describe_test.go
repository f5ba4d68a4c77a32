// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/worker"
)

func TestDescribeReadiness(t *testing.T) {
	refused := errors.New("connection refused")
	for _, c := range []struct {
		name string
		edit func(*worker.Observation)
		want string // codes; empty is ready
	}{
		{"all well", func(*worker.Observation) {}, ""},
		{"no partitions", func(o *worker.Observation) { o.Partitions = nil }, ""},
		{"a blocked partition", func(o *worker.Observation) { o.Partitions[0].Blocked = &worker.Block{} }, ""},
		{"a short disconnection", func(o *worker.Observation) { o.Session.Connected = false }, ""},
		{"a long disconnection", func(o *worker.Observation) {
			o.Session.Connected, o.Session.LeaseUntil, o.Session.Err = false, o.At, refused
		}, "NotConnected"},
		{"never connected", func(o *worker.Observation) {
			o.Session, o.Registered = worker.Connection{Server: "zk:2181"}, false
		}, "NotConnected"},
		{"not registered", func(o *worker.Observation) { o.Registered = false }, "NotRegistered"},
		{"a group that cannot be read", func(o *worker.Observation) { o.ReadErr = errors.New("no auth") }, "GroupUnreadable"},
		{"a group that cannot begin", func(o *worker.Observation) {
			o.Read, o.BeginErr = true, errors.New("no broker answers")
		}, "GroupNotBegun"},
		{"a lapsed lease", func(o *worker.Observation) { o.Session.LeaseUntil = o.At }, "LeaseLapsed"},
		{"leaving", func(o *worker.Observation) { o.Leaving = true }, "Leaving"},
		{"leaving without a session", func(o *worker.Observation) {
			o.Leaving, o.Session = true, worker.Connection{}
		}, "Leaving NotConnected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := consuming()
			c.edit(&o)
			status := worker.Describe(o, worker.Status{})
			if got := codes(status.Reasons); got != c.want || status.Ready != (c.want == "") {
				t.Errorf("got ready %t, %q; want %q", status.Ready, got, c.want)
			}
			for _, reason := range status.Reasons {
				if o.Session.Err != nil && !strings.Contains(reason.Message, o.Session.Err.Error()) {
					t.Errorf("%q does not say why", reason.Message)
				}
			}
		})
	}
}

func TestDescribeWarns(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		edit func(*worker.Observation)
		want string
	}{
		{func(*worker.Observation) {}, ""},
		{func(o *worker.Observation) { o.Missing = []string{"b", "a"} }, "TopicMissing/a TopicMissing/b"},
		{func(o *worker.Observation) { o.Pattern = "o.*" }, "TopicMissing/o.*"},
		{func(o *worker.Observation) { o.Pattern, o.Topics = "o.*", []string{"orders"} }, ""},
		{func(o *worker.Observation) {
			o.Pattern, o.Topics, o.TopicsErr = "o.*", []string{"orders"}, broken
		}, "TopicsUnclear/o.*"},
		{func(o *worker.Observation) { o.Partitions[1].Blocked = &worker.Block{} }, "PartitionBlocked/orders/2"},
		{func(o *worker.Observation) { o.Partitions[1].Err = broken }, "FetchFailing/orders"},
		{func(o *worker.Observation) { o.Sink, o.SinkErr = "billing", broken }, "SinkUnreachable/billing"},
		{func(o *worker.Observation) {
			o.Partitions[1].State, o.Partitions[1].Trouble = worker.Starting, broken
		}, "FetchFailing/orders"},
		{func(o *worker.Observation) { // said once, not twice
			o.Partitions[1].Err, o.Partitions[1].Blocked = broken, &worker.Block{Reason: "outside the log"}
		}, "PartitionBlocked/orders/2"},
		{func(o *worker.Observation) { o.Partitions[1].Failure = broken }, ""}, // retries are for that; see its error
		{func(o *worker.Observation) { o.Read, o.Begun, o.ReadErr = true, true, broken }, "GroupUnreadable"},
		{func(o *worker.Observation) {
			o.Partitions[1].State, o.Partitions[1].Trouble = worker.Checking, broken
		}, "PositionUnclear/orders/2"},
		{func(o *worker.Observation) { o.Partitions[1].Trouble = broken }, ""},
		{func(o *worker.Observation) { o.Session.Err = broken }, "BrokersUnknown"},
		{func(o *worker.Observation) { o.Session.Unsound = "tick too long" }, "LeaseUnsound"},
		{func(o *worker.Observation) { o.Session.Unfenced = true }, "Unfenced"},
		{func(o *worker.Observation) {
			o.Problems = []worker.Problem{{Path: "/consumers/billing/ids/x", Reason: "no JSON"}}
		}, "NodeMalformed//consumers/billing/ids/x"},
	} {
		o := consuming()
		c.edit(&o)
		status := worker.Describe(o, worker.Status{})
		if got := codes(status.Warnings); got != c.want || !status.Ready {
			t.Errorf("got ready %t, %q; want %q", status.Ready, got, c.want)
		}
	}
}

func TestDescribeKeepsSinceWhen(t *testing.T) {
	first := consuming()
	first.Missing, first.Registered = []string{"orders"}, false
	before := worker.Describe(first, worker.Status{})
	later := first
	later.At = noon.Add(time.Minute)
	later.Missing = []string{"orders", "returns"}
	later.Session.LeaseUntil = later.At.Add(time.Second)
	after := worker.Describe(later, before)
	if !after.Reasons[0].Since.Equal(first.At) || !after.Warnings[0].Since.Equal(first.At) {
		t.Errorf("a reason that stood lost its time: %+v", after)
	}
	if !after.Warnings[1].Since.Equal(later.At) {
		t.Errorf("a new reason got another time: %+v", after.Warnings[1])
	}
}

func TestDescribeSaysWhyFromTheFirstFailureOn(t *testing.T) {
	o := consuming()
	o.Partitions[0].Attempts, o.Partitions[0].Failure = 1, errors.New("message orders/10/15: 503")
	status := worker.Describe(o, worker.Status{})
	if got := status.Partitions[1].Error; got != "message orders/10/15: 503" {
		t.Errorf("error %q", got)
	}
}

func TestDescribeTellsOfASinkThatHangs(t *testing.T) {
	o := consuming()
	for tried, want := range map[time.Duration]string{
		10 * time.Second: "", 11 * time.Second: "the sink has not answered for a while",
	} {
		o.Partitions[0].Trying = o.At.Add(-tried)
		if got := worker.Describe(o, worker.Status{}).Partitions[1].Error; got != want {
			t.Errorf("tried for %s: error %q, want %q", tried, got, want)
		}
	}
}

func TestDescribePartitions(t *testing.T) {
	o := consuming()
	o.Partitions[0].Blocked = &worker.Block{Message: "orders/10/15", Attempts: 11}
	waiting := lane("3")
	waiting.State, waiting.Holder = worker.Waiting, "someone-0"
	waiting.Acknowledged, waiting.Committed, waiting.End = -1, -1, -1
	ahead := lane("4")
	ahead.State, ahead.End = worker.Draining, 9
	o.Partitions = append(o.Partitions, waiting, ahead)

	status := worker.Describe(o, worker.Status{})
	if want := (worker.Totals{Owned: 3, Blocked: 1, Lag: 40, LagUnit: worker.Messages}); status.Totals != want {
		t.Errorf("got %+v, want %+v", status.Totals, want)
	}
	order, states := []string{}, []string{}
	for _, p := range status.Partitions {
		order, states = append(order, p.Partition), append(states, string(p.State))
	}
	got := strings.Join(order, " ") + " " + strings.Join(states, " ")
	if got != "2 3 4 10 Owned Waiting Draining Blocked" {
		t.Errorf("got %s", got)
	}
	if p := status.Partitions[1]; p.Position != nil || p.Committed != nil || p.End != nil || p.Lag != nil {
		t.Errorf("what is not known has a number: %+v", p)
	}
	if p := status.Partitions[2]; p.Lag == nil || *p.Lag != 0 {
		t.Errorf("an end older than the commit makes lag %v", p.Lag)
	}
}

func TestLagOfKafka07IsInBytes(t *testing.T) {
	o := consuming()
	for i := range o.Partitions {
		o.Partitions[i].Partition.ID = "1-" + o.Partitions[i].Partition.ID
	}
	if totals := worker.Describe(o, worker.Status{}).Totals; totals.LagUnit != worker.Bytes || totals.Lag != 40 {
		t.Errorf("%+v", totals)
	}
	o.Partitions = nil
	if totals := worker.Describe(o, worker.Status{}).Totals; totals.LagUnit != "" {
		t.Errorf("%+v: nothing is known", totals)
	}
}

// What a transport gives up is told as a blocked partition, and not as a fetch that may succeed the next time.
func TestDescribeTellsOfWhatCannotBeFetched(t *testing.T) {
	o := consuming()
	o.Partitions[0].Err = errors.New("too large")
	o.Partitions[0].Blocked = &worker.Block{Since: o.At, Reason: "too large"}
	status := worker.Describe(o, worker.Status{})
	if p := status.Partitions[1]; p.State != worker.Blocked || p.Blocked.Reason != "too large" || p.Error != "too large" {
		t.Errorf("%+v", p)
	}
	if status.Totals.Blocked != 1 || codes(status.Warnings) != "PartitionBlocked/orders/10" ||
		status.Warnings[0].Message != "too large" {
		t.Errorf("%+v", status.Warnings)
	}
}

// The names of the fields are a contract with whoever reads them.
func TestStatusJSON(t *testing.T) {
	o := consuming()
	o.Partitions = o.Partitions[:1]
	o.Topics = []string{"orders"}
	o.Partitions[0].LostToRetention = 5
	o.Partitions[0].Jump = &worker.Jump{At: o.At, From: 5, To: 10}
	data, err := json.Marshal(worker.Describe(o, worker.Status{}))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":1,"time":"2026-09-24T12:00:00Z","group":"billing",` +
		`"member":{"id":"billing_samsa1s.billing-0-1-ab","name":"billing-0"},"ready":true,` +
		`"session":{"connected":true,"epoch":1,"leaseValidUntil":"2026-09-24T12:00:04Z","timeout":"6s","fenced":true},` +
		`"assignment":{"strategy":"Sticky"},` +
		`"members":[{"id":"billing_samsa1s.billing-0-1-ab","topics":["orders"]}],` +
		`"topics":["orders"],"totals":{"owned":1,"blocked":0,"lag":20,"lagUnit":"Messages"},` +
		`"partitions":[{"topic":"orders","partition":"10","state":"Owned","position":15,"committed":10,"end":30,"lag":20,` +
		`"bufferedMessages":3,"bufferedBytes":0,"inFlight":2,"attempts":0,` +
		`"lostToRetention":5,"jump":{"at":"2026-09-24T12:00:00Z","from":5,"to":10},` +
		`"lastProgress":"2026-09-24T12:00:00Z"}],` +
		`"counters":{"recordsFetched":0,"recordsDelivered":0,"redeliveries":0,"lostToRetention":0,"sessionExpirations":0}}`
	if string(data) != want {
		t.Errorf("got\n%s\nwant\n%s", data, want)
	}
}

func codes(reasons []worker.Reason) string {
	var list []string
	for _, reason := range reasons {
		if reason.Subject == "" {
			list = append(list, string(reason.Code))
			continue
		}
		list = append(list, string(reason.Code)+"/"+reason.Subject)
	}
	return strings.Join(list, " ")
}
