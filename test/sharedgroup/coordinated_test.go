// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/pkg/client"
)

// newest tells whether a release has no old consumer's registry to share: groups are at its brokers alone.
func newest(release string) bool {
	found, err := realkafka.Find(release)
	Expect(err).NotTo(HaveOccurred())
	return !found.RunsWithZooKeeper()
}

// newCoordinatedStage is newStage for a group that brokers coordinate.
func newCoordinatedStage(ctx context.Context, release string) *stage {
	GinkgoHelper()
	s := prepare()
	s.open(ctx, release, "")
	s.kinds = []string{"new", "old", "rdkafka"}
	s.reach = memberOrder{Bootstrap: strings.Split(s.kafka.Bootstrap(), ","), Coordination: client.CoordinationKafka}
	s.settings = []string{"bootstrap.servers=" + s.kafka.Bootstrap(), "group.id=" + group}
	var err error
	s.python, err = python(ctx)
	Expect(err).NotTo(HaveOccurred())
	s.pool, err = newPool(ctx, s.directory, "NewMember", release)
	Expect(err).NotTo(HaveOccurred())
	asking, err := s.kafka.Client()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(asking.Close)
	admin := kadm.NewClient(asking)
	s.look = func(names []string) (string, error) { return wrongAt(ctx, admin, names) }
	return s
}

// wrongAt is tree.settled as the coordinator tells it: the group is stable, has exactly these members, and each
// partition is exactly one's.
func wrongAt(ctx context.Context, admin *kadm.Client, names []string) (string, error) {
	described, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return "", fmt.Errorf("describe the group: %w", err)
	}
	found := described[group]
	if found.Err != nil {
		return "", found.Err
	}
	if found.State != "Stable" {
		return "the group is " + found.State, nil
	}
	var there []string
	owners := map[partition][]string{}
	for _, member := range found.Members {
		name := strings.TrimPrefix(member.ClientID, "samsa/")
		there = append(there, name)
		assigned, ok := member.Assigned.AsConsumer()
		if !ok {
			return name + "'s assignment cannot be read", nil
		}
		for _, topic := range assigned.Topics {
			for _, id := range topic.Partitions {
				p := partition{topic.Topic, int(id)}
				owners[p] = append(owners[p], name)
			}
		}
	}
	slices.Sort(there)
	if !slices.Equal(there, names) {
		return fmt.Sprintf("the members are %v, not %v", there, names), nil
	}
	for _, p := range partitionsOf(topics()) {
		if len(owners[p]) != 1 {
			return fmt.Sprintf("%s has the owners %v", p, owners[p]), nil
		}
	}
	return "", nil
}

// confluentKafka is the release of librdkafka's binding that is pinned, of PyPI.
const confluentKafka = "confluent-kafka==2.16.1"

// python is the interpreter of an environment that has librdkafka's binding, made once in the user's cache.
func python(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	environment := filepath.Join(cache, "samsa", "sharedgroup", confluentKafka)
	program := filepath.Join(environment, "bin", "python")
	if exec.CommandContext(ctx, program, "-c", "import confluent_kafka").Run() == nil {
		return program, nil
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", environment}, {program, "-m", "pip", "install", "--quiet", confluentKafka},
	} {
		output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%s: %w:\n%s", strings.Join(command, " "), err, output)
		}
	}
	return program, nil
}

// newLibrdkafka starts a process that can become a member by librdkafka.
func newLibrdkafka(program, name, log string) (*process, error) {
	script, err := filepath.Abs(filepath.Join("clients", "librdkafka.py"))
	if err != nil {
		return nil, err
	}
	return launch(name, log, []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}, program, script)
}

// finishCoordinated ends the producer, waits until everything is committed, and gives what is in the books.
func (s *stage) finishCoordinated(ctx context.Context) verdict {
	GinkgoHelper()
	Expect(s.stop()).To(Succeed())
	asking, err := s.kafka.Client()
	Expect(err).NotTo(HaveOccurred())
	defer asking.Close()
	Eventually(ctx, func() (map[partition]int64, error) {
		offsets, err := kadm.NewClient(asking).FetchOffsets(ctx, group)
		if err != nil {
			return nil, err
		}
		positions := map[partition]int64{}
		offsets.Each(func(o kadm.OffsetResponse) { positions[partition{o.Topic, int(o.Partition)}] = o.At })
		return positions, nil
	}).WithTimeout(settling).WithPolling(looking).Should(Equal(s.producer.ends()))
	s.killAll()
	all, err := readBooks(s.ledgers, s.producer.sent)
	Expect(err).NotTo(HaveOccurred())
	return judge(all, s.producer.sent, history{})
}

var _ = Describe("A group of samsa's members, Java's KafkaConsumer and librdkafka", func() {
	for _, release := range chosen() {
		if !newest(release) {
			continue
		}
		for _, strategy := range []string{"range", "cooperative-sticky"} {
			It("loses nothing while all join, leave and are killed: Kafka "+release+", "+strategy, func(ctx SpecContext) {
				random := rand.New(rand.NewPCG(*seed, 1)) //nolint:gosec // it has to replay
				s := schedule{stage: newCoordinatedStage(ctx, release), random: random, left: *changes}
				s.strategy(strategy)
				s.joinOld()
				s.joinNew()
				took := []time.Duration{s.settle(ctx)}
				say("\nKafka %s, %s, seed %d\n%-40s settled after\n%-40s %s\n", release, strategy, *seed,
					"changes (+ joins, - leaves, x killed)", "+old-1 +new-1", round(took[0]))
				for s.left > 0 {
					done := s.step(ctx)
					took = append(took, s.settle(ctx))
					say("%-40s %s\n", strings.Join(done, " "), round(took[len(took)-1]))
				}
				v := s.finishCoordinated(ctx)
				tell(v, history{}, took)
				Expect(v.lost).To(BeEmpty())
			}, SpecTimeout(specTime()))
		}
	}
})

// strategy is how the foreign members share out, in Java's words.
func (s *stage) strategy(name string) {
	class := map[string]string{
		"range":              "org.apache.kafka.clients.consumer.RangeAssignor",
		"cooperative-sticky": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
	}[name]
	s.settings = append(s.settings, "partition.assignment.strategy="+class)
}
