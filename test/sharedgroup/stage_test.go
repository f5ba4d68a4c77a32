// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/internal/realzk"
)

const (
	root  = "/kafka"
	group = "shared"
	// settling bounds one settling: a session that has to expire (6 s and a tick), the four tries of an old consumer (8
	// s), and 10 s and four tries more where one has given up and is brought back, on two cores that are busy.
	settling = 45 * time.Second
	// steady is how long nothing may change for a group to have settled: an old consumer that fails to get a claim gives
	// up the others for 2 s, and looks at what woke it within 1 s.
	steady = 1500 * time.Millisecond
	// looking is how often the group is read meanwhile.
	looking = 100 * time.Millisecond
)

// topics are those of each spec, with their partitions: some that a few members share out evenly, and some not.
func topics() map[string]int { return map[string]int{"even": 6, "odd": 5, "one": 1} }

// stage is a Kafka, its ZooKeeper if it has one, and a group with its members.
type stage struct {
	directory string
	server    *realzk.Server
	kafka     *realkafka.Cluster
	tree      *tree
	pool      *pool
	producer  *producer
	stop      func() error

	// kinds are those of members: samsa's are "new", and one of Kafka's own clients each of the others.
	kinds   []string
	members map[string]*process
	ledgers []string
	counts  map[string]int
	// reach is how members of samsa's find the group, settings are the properties of the others.
	reach    memberOrder
	settings []string
	// python runs members by librdkafka.
	python string
	// look says what of the group is not yet as it has to be.
	look func(names []string) (wrong string, err error)
}

// newStage starts everything for a group in ZooKeeper, without members, and cleans up when the spec is over.
func newStage(ctx context.Context, release string) *stage {
	GinkgoHelper()
	s := prepare()
	var err error
	s.server, err = realzk.Start(ctx, realzk.Config{Keep: failed})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return s.server.Close() })
	zooKeeper := s.server.Addr() + root
	s.open(ctx, release, zooKeeper)
	s.tree, err = newTree(s.server.Addr(), root, group, topics())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.tree.close)
	s.kinds, s.look, s.reach = []string{"new", "old"}, s.tree.settled, memberOrder{ZooKeeper: zooKeeper}
	s.settings = []string{"zookeeper.connect=" + zooKeeper, "group.id=" + group}
	s.pool, err = newPool(ctx, s.directory, "OldMember", clientOf(release))
	Expect(err).NotTo(HaveOccurred())
	return s
}

func failed() bool { return CurrentSpecReport().Failed() }

// prepare makes a stage with a directory.
func prepare() *stage {
	GinkgoHelper()
	s := &stage{members: map[string]*process{}, counts: map[string]int{}}
	var err error
	s.directory, err = os.MkdirTemp("", "samsa-sharedgroup-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if !failed() {
			Expect(os.RemoveAll(s.directory)).To(Succeed())
		}
	})
	return s
}

// open starts the brokers, makes the topics, and begins to produce.
func (s *stage) open(ctx context.Context, release, zooKeeper string) {
	GinkgoHelper()
	var err error
	s.kafka, err = realkafka.Start(ctx, realkafka.Config{Version: release, ZooKeeper: zooKeeper, Keep: failed})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return s.kafka.Stop() }) //nolint:contextcheck // the spec's is over by then
	for name, partitions := range topics() {
		Expect(s.kafka.CreateTopic(ctx, realkafka.Topic{Name: name, Partitions: partitions})).To(Succeed())
	}
	DeferCleanup(s.killAll)
	s.produce() //nolint:contextcheck // it sends until stop, also in cleanups
}

// lastOld is the last release that has the old consumer.
const lastOld = "1.1"

// clientOf is the release whose old consumer is used with brokers of another.
func clientOf(release string) string {
	found, err := realkafka.Find(release)
	Expect(err).NotTo(HaveOccurred())
	if found.Before("2.0") {
		return release
	}
	return lastOld
}

// produce sends messages until endProducing.
func (s *stage) produce() {
	GinkgoHelper()
	client, err := s.kafka.Client(manualPartitions())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	s.producer = newProducer(client, partitionsOf(topics()))
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // it sends until stop, also in cleanups
	done := make(chan error, 1)
	go func() { done <- s.producer.run(ctx) }()
	s.stop = func() error {
		cancel()
		err := <-done
		done <- err // for whoever asks again
		return err
	}
	DeferCleanup(func() { _ = s.stop() })
}

func (s *stage) killAll() {
	if s.pool != nil {
		s.pool.close()
	}
	for _, member := range s.members {
		member.kill()
	}
}

// joinOld adds a member by Kafka's own client, joinNew one of samsa's; both give its name.
func (s *stage) joinOld() string { return s.join("old") }
func (s *stage) joinNew() string { return s.join("new") }

func (s *stage) join(kind string) string {
	GinkgoHelper()
	s.counts[kind]++
	name := fmt.Sprintf("%s-%d", kind, s.counts[kind])
	log := filepath.Join(s.directory, name+".log")
	ledger := filepath.Join(s.directory, name+".ledger")
	s.ledgers = append(s.ledgers, ledger)
	names := slices.Sorted(maps.Keys(topics()))
	var member *process
	var err error
	switch kind {
	case "new":
		order := s.reach
		order.Group, order.Name, order.Topics, order.Ledger = group, name, names, ledger
		member, err = newMember(order, log)
	case "old":
		member, err = s.pool.take(name)
	default:
		member, err = newLibrdkafka(s.python, name, log)
	}
	Expect(err).NotTo(HaveOccurred())
	s.members[name] = member
	if kind != "new" {
		words := []string{"join", name, strings.Join(names, ","), ledger}
		Expect(member.say(slices.Concat(words, s.settings)...)).To(Succeed())
	}
	return name
}

// leave asks a member to go in order, kill ends it at once.
func (s *stage) leave(name string) {
	s.members[name].leave()
	delete(s.members, name)
}

func (s *stage) kill(name string) {
	s.members[name].kill()
	delete(s.members, name)
}

// settle waits until every partition has the owner that Range gives it, and stays so. It tells how long that took.
func (s *stage) settle(ctx context.Context) time.Duration {
	GinkgoHelper()
	begin := time.Now()
	names := slices.Sorted(maps.Keys(s.members))
	tick := time.NewTicker(looking)
	defer tick.Stop()
	var since time.Time
	for {
		wrong, err := s.look(names)
		if err != nil { // on a busy machine a connection may break
			wrong = err.Error()
		}
		switch now := time.Now(); {
		case wrong == "" && since.IsZero():
			since = now
		case wrong != "":
			since = time.Time{}
			Expect(now.Sub(begin)).To(BeNumerically("<", settling), "the group does not settle: %s", wrong)
		case now.Sub(since) >= steady:
			return since.Sub(begin)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			Fail("the group does not settle: " + wrong)
		}
	}
}

// finish ends the producer, waits until everything is committed, and judges.
func (s *stage) finish(ctx context.Context) (verdict, history) {
	GinkgoHelper()
	Expect(s.stop()).To(Succeed())
	ends := s.producer.ends()
	Eventually(ctx, s.tree.positions).WithTimeout(settling).WithPolling(looking).Should(Equal(ends))
	s.killAll()
	changes, err := readLog(filepath.Join(filepath.Dir(s.server.LogPath()), "data"))
	Expect(err).NotTo(HaveOccurred())
	h, err := historyOf(changes, root, group)
	Expect(err).NotTo(HaveOccurred())
	all, err := readBooks(s.ledgers, s.producer.sent)
	Expect(err).NotTo(HaveOccurred())
	return judge(all, s.producer.sent, h), h
}
