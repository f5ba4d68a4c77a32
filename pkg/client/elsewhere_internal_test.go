// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// A group that nobody may ask for is one that nobody knows to be empty.
func TestUntoldPositions(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		start kafka.Place
		says  string
	}{
		"unknown to the broker":       {kerr.UnsupportedVersion, kafka.Latest(), ""},
		"denied, from the earliest":   {kerr.GroupAuthorizationFailed, kafka.Earliest(), ""},
		"denied, from the latest":     {kerr.GroupAuthorizationFailed, kafka.Latest(), "allow Describe on group g"},
		"topics denied, since a time": {kerr.TopicAuthorizationFailed, kafka.Since(time.Unix(1, 0)), "allow Describe"},
		"not now":                     {kerr.CoordinatorNotAvailable, kafka.Earliest(), "cannot be told"},
		"no answer":                   {io.EOF, kafka.Earliest(), "cannot be told"},
	} {
		err := untold("g", fmt.Errorf("wrapped: %w", c.err), c.start)
		if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTakeOver(t *testing.T) {
	p := func(id string) kafka.Partition { return kafka.Partition{Topic: "orders", ID: id} }
	old := []layout.Registration{{ID: "g_old", Foreign: true}}
	ours := []layout.Registration{{ID: layout.MemberID("g", layout.Sticky, "pod-0", 1, 1)}}
	type positions = map[kafka.Partition]int64
	for name, c := range map[string]struct {
		at, here   positions
		members    []layout.Registration
		unreadable []string
		malformed  bool
		want       positions
		says       string
	}{
		"nothing in ZooKeeper":       {at: positions{p("0"): 5, p("1"): 0}, want: positions{p("0"): 5, p("1"): 0}},
		"nothing, and samsa's alone": {at: positions{p("0"): 5}, members: ours, want: positions{p("0"): 5}},
		"some in ZooKeeper": {
			at: positions{p("0"): 5, p("1"): 6}, here: positions{p("0"): 5}, want: positions{p("1"): 6},
		},
		"the same in both": {at: positions{p("0"): 5}, here: positions{p("0"): 5}, members: old},
		"ZooKeeper ahead":  {at: positions{p("0"): 5}, here: positions{p("0"): 9}, members: old},
		"old members, nothing in ZooKeeper": {
			at: positions{p("0"): 5}, members: old, says: "orders/0 is at 5 there, and nowhere in ZooKeeper",
		},
		"old members, ZooKeeper behind": {
			at: positions{p("0"): 5}, here: positions{p("0"): 4}, members: old, says: "dual.commit.enabled=true",
		},
		"members nobody can read": {at: positions{p("0"): 5}, unreadable: []string{"g_what"}, says: "offsets.storage=kafka"},
		"nobody, ZooKeeper behind": {
			at: positions{p("0"): 5}, here: positions{p("0"): 4}, says: "write the right one to /consumers/g/offsets/orders/0",
		},
		"a position to be mended": {at: positions{p("0"): 5}, malformed: true},
	} {
		t.Run(name, func(t *testing.T) {
			found := layout.Inspection{
				Group: "g", View: layout.View{Members: c.members}, Committed: c.here, Unreadable: c.unreadable,
				Malformed: map[kafka.Partition]bool{p("0"): c.malformed},
			}
			got, err := takeOver(found, c.at)
			switch {
			case c.says == "" && (err != nil || !maps.Equal(got, c.want)):
				t.Errorf("takes over %v, %v; want %v", got, err, c.want)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want it to say %q", err, c.says)
			}
		})
	}
}
