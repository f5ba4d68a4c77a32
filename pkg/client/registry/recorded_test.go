// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/balance"
	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// recording is a tree of ZooKeeper as Kafka 0.7.2 left it.
type recording struct {
	Name string         `json:"name"`
	Tree []recordedNode `json:"tree"`
}

type recordedNode struct {
	Path      string  `json:"path"`
	Data      *string `json:"data"`
	Ephemeral bool    `json:"ephemeral"`
	Session   string  `json:"owner_session"`
}

func recordings() (all []recording) {
	files, err := filepath.Glob("testdata/kafka07/*.json")
	if err != nil || len(files) == 0 {
		panic("no recordings")
	}
	for _, file := range files {
		all = append(all, readRecording(file))
	}
	return all
}

func readRecording(file string) (r recording) {
	data, err := os.ReadFile(file) //nolint:gosec // of testdata
	var into any = &r
	if bytes.HasPrefix(data, []byte("[")) { // a tree alone
		r.Name, into = filepath.Base(file), &r.Tree
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		panic(err)
	}
	return r
}

// load makes the recorded nodes, each by its own session, and gives the sessions by their recorded names.
func (w *world) load(r recording) map[string]int64 {
	GinkgoHelper()
	sessions := map[string]*zk.Conn{}
	ids := map[string]int64{}
	for _, node := range r.Tree {
		conn, flags := w.admin, int32(0)
		if node.Ephemeral {
			if sessions[node.Session] == nil {
				sessions[node.Session] = connect(w.Addr())
				DeferCleanup(sessions[node.Session].Close)
				ids[node.Session] = sessions[node.Session].SessionID()
			}
			conn, flags = sessions[node.Session], zk.FlagEphemeral
		}
		var data []byte // null where nothing is recorded
		if node.Data != nil {
			data = []byte(*node.Data)
		}
		_, err := conn.Create(w.path(node.Path), data, flags, zk.WorldACL(zk.PermAll))
		Expect(err).NotTo(HaveOccurred())
	}
	return ids
}

// below gives the recorded nodes below a directory, by the rest of their paths.
func (r recording) below(directory string, depth int) map[string]recordedNode {
	found := map[string]recordedNode{}
	for _, node := range r.Tree {
		rest, ok := strings.CutPrefix(node.Path, directory+"/")
		if ok && strings.Count(rest, "/") == depth-1 {
			found[rest] = node
		}
	}
	return found
}

func (r recording) partitions() map[string][]kafka.Partition {
	topics := map[string][]kafka.Partition{}
	for topic := range r.below(layout.Topics, 1) {
		topics[topic] = []kafka.Partition{}
	}
	for path, node := range r.below(layout.Topics, 2) {
		topic, broker, _ := strings.Cut(path, "/")
		count, err := strconv.Atoi(*node.Data)
		Expect(err).NotTo(HaveOccurred())
		topics[topic] = layout.Partitions07(topics[topic], topic, broker, count)
	}
	for _, partitions := range topics {
		slices.SortFunc(partitions, kafka.Partition.Compare)
	}
	return topics
}

func partitionAt(path string) kafka.Partition {
	topic, id, _ := strings.Cut(path, "/")
	return kafka.Partition{Topic: topic, ID: id}
}

// The members of the recorded groups, by the step: what they consume, as Kafka 0.7 understood their registrations.
var recordedMembers = map[string]map[string]map[string]int{
	"02_one_consumer": {"g1_vm-1795355283498-f963fd31": {"events": 1}},
	"03_two_consumers": {
		"g1_vm-1795355283498-f963fd31": {"events": 1}, "g1_vm-1795355290368-a6449557": {"events": 1},
	},
	"04_two_consumers_after_messages": {
		"g1_vm-1795355283498-f963fd31": {"events": 1}, "g1_vm-1795355290368-a6449557": {"events": 1},
	},
	"05_second_left_cleanly": {"g1_vm-1795355283498-f963fd31": {"events": 1}},
	"06_one_plus_two_streams": {
		"g1_vm-1795355283498-f963fd31": {"events": 1}, "g1_vm-1795355316132-b456925c": {"events": 2},
	},
	"07_halted_before_expiry": {
		"g1_vm-1795355283498-f963fd31": {"events": 1}, "g1_vm-1795355316132-b456925c": {"events": 2},
	},
	"08_halted_after_expiry":         {"g1_vm-1795355283498-f963fd31": {"events": 1}},
	"12_whitelist":                   {"gw_vm-1795355352903-3ba28f54": {"events": 1}},
	"13_whitelist_new_topic":         {"gw_vm-1795355352903-3ba28f54": {"events": 1, "zzz": 1}},
	"15_blacklist":                   {"gb_vm-1795355378412-50115b3c": {"events": 1, "zzz": 1}},
	"16_consumer_before_topic":       {"glate_vm-1795355385617-3e5202da": {"latetopic": 1}},
	"17_consumer_before_topic_after": {"glate_vm-1795355385617-3e5202da": {"latetopic": 1}},
	"19_owner_conflict":              {"gblock_blk": {"events": 1}},
}

var _ = onBoth("What Kafka 0.7.2 left in ZooKeeper", func(w *world) {
	for _, r := range recordings() {
		Context(r.Name, func() { readsRecording(w, r) })
	}
})

func readsRecording(w *world, r recording) {
	var s *registry.Session
	var ids map[string]int64
	BeforeEach(func() {
		ids = w.load(r)
		s = w.start().session()
	})

	It("has its brokers", func(ctx SpecContext) {
		brokers, problems, err := s.Brokers(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(problems).To(BeEmpty())
		Expect(brokers).To(HaveLen(len(r.below(layout.Brokers, 1))))
		for _, broker := range brokers {
			port, address := strconv.Itoa(broker.Port), r.below(layout.Brokers, 1)[broker.ID].Data
			Expect(broker).To(SatisfyAll(HaveField("Host", "127.0.0.1"), HaveField("Era07", BeTrue())))
			Expect(*address).To(HaveSuffix(":127.0.0.1:" + port))
		}
	})

	It("has its topics", func(ctx SpecContext) {
		want := r.partitions()
		if len(want) == 0 {
			want = nil
		}
		Expect(s.Topics(ctx, nil)).To(HaveLen(len(want)))
		for topic, partitions := range want {
			Expect(s.Partitions(ctx, topic, nil)).To(Equal(partitions))
		}
		_, err := s.Partitions(ctx, "nowhere", nil)
		Expect(err).To(ofKind(registry.NoNode))
	})

	It("has its groups, whose owners are who Range says", func(ctx SpecContext) {
		groups := 0
		for group := range r.below("/consumers", 1) {
			groups += readsRecordedGroup(ctx, s, r, group, ids)
		}
		Expect(groups).To(Equal(min(len(recordedMembers[r.Name]), 1)), "groups with members")
	})

	It("has groups that are removed when nobody is in them", func(ctx SpecContext) {
		removesRecordedGroups(ctx, w, s, r)
	})
}

// removesRecordedGroups looks at all that Kafka left of groups, too.
func removesRecordedGroups(ctx context.Context, w *world, s *registry.Session, r recording) {
	GinkgoHelper()
	for group := range r.below("/consumers", 1) {
		members, err := s.RemoveGroup(ctx, group)
		Expect(err).NotTo(HaveOccurred())
		live := slices.Sorted(maps.Keys(r.below(layout.Members(group), 1)))
		Expect(members).To(Equal(live))
		exists, _, err := w.admin.Exists(w.path(layout.Group(group)))
		Expect(err).NotTo(HaveOccurred())
		Expect(exists).To(Equal(len(live) > 0), group)
	}
	Expect(s.Topics(ctx, nil)).To(HaveLen(len(r.partitions())))
}

// readsRecordedGroup gives 1 if the group has members.
func readsRecordedGroup(ctx context.Context, s *registry.Session, r recording, group string, ids map[string]int64) int {
	GinkgoHelper()
	partitions := r.partitions()
	topics := append(slices.Sorted(maps.Keys(partitions)), "latetopic")
	slices.Sort(topics)
	found, err := s.Inspect(ctx, registry.InspectRequest{Group: group, Topics: slices.Compact(topics)}, nil)
	Expect(err).NotTo(HaveOccurred())
	Expect(found.Partitions).To(Equal(partitions))
	Expect(found.Begun).To(BeFalse())
	Expect(found.Unreadable).To(BeEmpty())

	members := map[string]map[string]int{}
	for _, member := range found.Members {
		Expect(member).To(SatisfyAll(HaveField("Foreign", BeTrue()), HaveField("Strategy", layout.Range)))
		members[member.ID] = member.Topics
	}
	live := r.below(layout.Members(group), 1)
	Expect(members).To(HaveLen(len(live)))
	for id := range live {
		Expect(members).To(HaveKeyWithValue(id, recordedMembers[r.Name][id]))
	}

	owners := map[kafka.Partition]layout.Ownership{}
	for path, node := range r.below(layout.AllOwners(group), 2) {
		owners[partitionAt(path)] = layout.Ownership{Thread: *node.Data, Session: ids[node.Session]}
	}
	Expect(withoutTokens(found.Owners)).To(Equal(owners))

	committed := map[kafka.Partition]int64{}
	for path, node := range r.below(layout.AllOffsets(group), 2) {
		offset, err := layout.ParseOffset([]byte(*node.Data))
		Expect(err).NotTo(HaveOccurred())
		committed[partitionAt(path)] = offset
	}
	Expect(found.Committed).To(Equal(committed))
	if group == "gblock" { // its member gives up, for the claim that somebody left
		Expect(found.Problems).To(ConsistOf(HaveField("Path", "/consumers/gblock/owners/events/0-0")))
		return 1
	}
	Expect(found.Problems).To(BeEmpty())
	Expect(threadsByRange(found.View)).To(Equal(threadsOf(owners)))

	// The consumer's own view is the same.
	view, err := s.Observe(ctx, registry.ObserveRequest{
		Group: group, Topics: topics, Partitions: slices.Collect(maps.Keys(owners)),
	}, nil)
	Expect(err).NotTo(HaveOccurred())
	Expect(view.Partitions).To(Equal(found.Partitions))
	Expect(view.Owners).To(Equal(found.Owners))
	Expect(threadsByRange(view)).To(Equal(threadsOf(owners)))
	return min(len(members), 1)
}

func withoutTokens(owners map[kafka.Partition]layout.Ownership) map[kafka.Partition]layout.Ownership {
	all := map[kafka.Partition]layout.Ownership{}
	for p, owner := range owners {
		owner.Token = 0
		all[p] = owner
	}
	return all
}

func threadsOf(owners map[kafka.Partition]layout.Ownership) map[kafka.Partition]string {
	threads := map[kafka.Partition]string{}
	for p, owner := range owners {
		threads[p] = owner.Thread
	}
	return threads
}

// threadsByRange computes who owns what, as a member of samsa's would.
func threadsByRange(view layout.View) map[kafka.Partition]string {
	var members []balance.Member
	for _, r := range view.Members {
		members = append(members, balance.Member{ID: r.ID, Name: r.Pod, Born: r.Born, Topics: r.Topics})
	}
	var partitions []balance.Partition
	for _, ofTopic := range view.Partitions {
		for _, p := range ofTopic {
			partitions = append(partitions, balance.Partition(p))
		}
	}
	threads := map[kafka.Partition]string{}
	for p, thread := range balance.Range(members, partitions) {
		threads[kafka.Partition(p)] = thread.String()
	}
	return threads
}
