// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// settling is after how long without a change Kafka's consumers have balanced: they wait 2 s before they try again, and
// the log tells whole seconds.
const settling = 4 * time.Second

// neverSettles is the group that was recorded to show what a claim that stays does.
const neverSettles = "gblock"

// replay is the tree as the log comes to it.
type replay struct {
	t     *testing.T
	nodes map[string]string
	// changed is when what a group's balance depends on changed last; the topics are everybody's.
	changed map[string]time.Time
	topics  time.Time
	// settled counts how often a group with members was found balanced, with how many partitions at most.
	settled map[string]int
}

var (
	logLine = regexp.MustCompile(`^(\S+ \S+ \S+) UTC session \S+ cxid \S+ zxid \S+ (create|delete|closeSession) (.*)$`)
	created = regexp.MustCompile(`^([^,]+),(.*),ACL,(?:true|false),\d+$`)
)

// Every assignment of the recording, not only those of the steps that were looked at: whenever Kafka's consumers have
// had the time to balance, Range over their registrations says who owns what.
func TestRangeThroughTheTransactionLog(t *testing.T) {
	data, err := os.ReadFile("testdata/kafka07/txnlog.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := &replay{t: t, nodes: map[string]string{}, changed: map[string]time.Time{}, settled: map[string]int{}}
	for line := range strings.Lines(string(data)) {
		parts := logLine.FindStringSubmatch(strings.TrimSpace(line))
		if parts == nil {
			t.Fatalf("%s is no line of the log", line)
		}
		now, err := time.Parse("01/02/06, 3:04:05 PM", parts[1])
		if err != nil {
			t.Fatal(err)
		}
		r.check(now)
		r.apply(now, parts[2], parts[3])
	}
	for _, group := range []string{"g1", "g12", "gmany", "gw", "gb", "glate"} {
		if r.settled[group] == 0 {
			t.Errorf("group %s is never settled", group)
		}
	}
	if r.settled["g12"] != 15 || r.settled["gmany"] != 20 {
		t.Errorf("%v, want g12 with 15 partitions and gmany with 20", r.settled)
	}
}

func (r *replay) apply(now time.Time, what, rest string) {
	r.t.Helper()
	switch what {
	case "create":
		parts := created.FindStringSubmatch(rest)
		if parts == nil {
			r.t.Fatalf("create %s is not understood", rest)
		}
		r.nodes[parts[1]] = parts[2]
		r.note(now, parts[1])
	case "delete":
		path := strings.TrimPrefix(rest, "'")
		delete(r.nodes, path)
		r.note(now, path)
	case "closeSession":
		for path := range strings.SplitSeq(strings.Trim(rest, "v{}"), ",") {
			path = strings.TrimPrefix(path, "'")
			if _, ok := r.nodes[path]; !ok {
				r.t.Fatalf("%s is to go and is not there", path)
			}
			delete(r.nodes, path)
			r.note(now, path)
		}
	}
}

func (r *replay) note(now time.Time, path string) {
	parts := strings.Split(path, "/")
	switch {
	case strings.HasPrefix(path, layout.Topics+"/"):
		r.topics = now
	case len(parts) > 3 && parts[1] == "consumers" && parts[3] != "offsets":
		r.changed[parts[2]] = now
	}
}

// check compares the groups that nothing has changed for since a while with what Range says.
func (r *replay) check(now time.Time) {
	for group, changed := range r.changed {
		if group == neverSettles || now.Sub(changed) < settling || now.Sub(r.topics) < settling {
			continue
		}
		view := r.view(group)
		owners := map[kafka.Partition]string{}
		for path, thread := range r.below(layout.AllOwners(group), 2) {
			owners[partitionAt(path)] = thread
		}
		if want := threadsByRange(view); !reflect.DeepEqual(owners, want) {
			r.t.Errorf("at %s group %s has the owners %v, and Range says %v", now, group, owners, want)
		}
		if len(view.Members) > 0 {
			r.settled[group] = max(r.settled[group], len(owners))
		}
	}
}

func (r *replay) below(directory string, depth int) map[string]string {
	found := map[string]string{}
	for path, data := range r.nodes {
		rest, ok := strings.CutPrefix(path, directory+"/")
		if ok && strings.Count(rest, "/") == depth-1 {
			found[rest] = data
		}
	}
	return found
}

func (r *replay) view(group string) layout.View {
	r.t.Helper()
	view := layout.View{Partitions: map[string][]kafka.Partition{}}
	topics := slices.Collect(maps.Keys(r.below(layout.Topics, 1)))
	for path, count := range r.below(layout.Topics, 2) {
		topic, broker, _ := strings.Cut(path, "/")
		n, err := layout.DecodeTopic07(broker, []byte(count))
		if err != nil {
			r.t.Fatal(err)
		}
		view.Partitions[topic] = layout.Partitions07(view.Partitions[topic], topic, broker, n)
	}
	for id, data := range r.below(layout.Members(group), 1) {
		member, err := layout.DecodeMember(group, id, []byte(data))
		if err != nil {
			r.t.Fatalf("%s: %v", id, err)
		}
		if member.Pattern != nil {
			member.Topics = map[string]int{}
			for _, topic := range topics {
				if member.Pattern.Matches(topic) {
					member.Topics[topic] = member.Pattern.Threads
				}
			}
		}
		view.Members = append(view.Members, member)
	}
	return view
}
