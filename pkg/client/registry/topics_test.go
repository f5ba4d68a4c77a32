// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"strconv"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// A topic of Kafka 0.7 is a node without data, and one below it for each broker that has the topic.

func (w *world) createTopic07(counts map[int]string) {
	GinkgoHelper()
	w.create(layout.Topic(topic), "")
	for broker, count := range counts {
		w.create(brokerOf(broker), count)
	}
}

func brokerOf(broker int) string { return layout.TopicBroker(topic, strconv.Itoa(broker)) }

func of(ids ...string) []kafka.Partition {
	partitions := []kafka.Partition{}
	for _, id := range ids {
		partitions = append(partitions, kafka.Partition{Topic: topic, ID: id})
	}
	return partitions
}

// topicReader is one of the ways to read a topic; each leaves a hint of its own.
type topicReader struct {
	partitions func(ctx context.Context, s *registry.Session, h *hints) ([]kafka.Partition, []layout.Problem, error)
	// tells says that it gives problems; else they are an error where nothing else is known.
	tells bool
}

var topicReaders = map[string]topicReader{
	"Partitions": {
		func(ctx context.Context, s *registry.Session, h *hints) ([]kafka.Partition, []layout.Problem, error) {
			partitions, err := s.Partitions(ctx, topic, h.give)
			return partitions, nil, err
		}, false,
	},
	"Observe": {
		func(ctx context.Context, s *registry.Session, h *hints) ([]kafka.Partition, []layout.Problem, error) {
			view, err := s.Observe(ctx, registry.ObserveRequest{Group: group, Topics: []string{topic, "other"}}, h.give)
			return view.Partitions[topic], view.Problems, err
		}, true,
	},
	"Inspect": {
		func(ctx context.Context, s *registry.Session, h *hints) ([]kafka.Partition, []layout.Problem, error) {
			found, err := s.Inspect(ctx, registry.InspectRequest{Group: group, Topics: []string{"other", topic}}, h.give)
			return found.Partitions[topic], found.Problems, err
		}, true,
	},
}

var _ = onBoth("A topic of Kafka 0.7", func(w *world) {
	for name, reader := range topicReaders {
		Context("as "+name+" reads it", func() { readsTopics07(w, reader) })
	}
})

func readsTopics07(w *world, reader topicReader) {
	read := func(ctx context.Context, s *registry.Session) ([]kafka.Partition, []layout.Problem) {
		GinkgoHelper()
		partitions, problems, err := reader.partitions(ctx, s, newHints())
		Expect(err).NotTo(HaveOccurred())
		return partitions, problems
	}

	It("has each broker's partitions, in the order of strings", func(ctx SpecContext) {
		w.createTopic07(map[int]string{10: "1", 0: "12", 1: "2"})
		partitions, problems := read(ctx, w.start().session())
		Expect(partitions).To(Equal(of("0-0", "0-1", "0-10", "0-11", "0-2", "0-3", "0-4", "0-5", "0-6", "0-7", "0-8", "0-9",
			"1-0", "1-1", "10-0")))
		Expect(problems).To(BeEmpty())
	})

	It("exists without a broker", func(ctx SpecContext) {
		w.createTopic07(nil)
		partitions, problems := read(ctx, w.start().session())
		Expect(partitions).To(Equal(of()))
		Expect(partitions).NotTo(BeNil())
		Expect(problems).To(BeEmpty())
	})

	It("does not hide a broker behind another's nonsense", func(ctx SpecContext) {
		w.createTopic07(map[int]string{0: "2", 1: "two", 2: "1", 3: "", 4: "2147483648"})
		w.create(layout.TopicBroker(topic, "b5"), "1")
		partitions, problems := read(ctx, w.start().session())
		Expect(partitions).To(Equal(of("0-0", "0-1", "2-0")))
		if reader.tells {
			Expect(problems).To(HaveExactElements(
				SatisfyAll(HaveField("Path", brokerOf(1)), HaveField("Reason", ContainSubstring(`"two"`))),
				SatisfyAll(HaveField("Path", brokerOf(3)), HaveField("Reason", ContainSubstring("empty"))),
				SatisfyAll(HaveField("Path", brokerOf(4)), HaveField("Reason", ContainSubstring("32768"))),
				HaveField("Path", layout.TopicBroker(topic, "b5")),
			))
		}
	})

	It("is refused when it is none: a topic of Kafka 0.8, half made", func(ctx SpecContext) {
		w.create(layout.Topic(topic)+"/partitions", "")
		partitions, problems, err := reader.partitions(ctx, w.start().session(), newHints())
		Expect(partitions).To(BeNil())
		if reader.tells {
			Expect(err).NotTo(HaveOccurred())
			Expect(problems).To(ConsistOf(
				SatisfyAll(HaveField("Path", layout.Topic(topic)), HaveField("Reason", ContainSubstring("half made")))))
			return
		}
		Expect(err).To(SatisfyAll(ofKind(registry.Malformed), MatchError(ContainSubstring("half made"))))
	})

	DescribeTable("comes with a hint when", func(ctx SpecContext, change func()) {
		w.createTopic07(map[int]string{0: "2", 1: "1"})
		s, h := w.start().session(), newHints()
		again := func() error {
			_, _, err := reader.partitions(ctx, s, h)
			return err
		}
		Expect(again()).To(Succeed())
		Consistently(h.came).ShouldNot(Receive())
		change()
		Eventually(h.came).Should(Receive())
		// And again, with the watches of the next reading: a hint more or less came with the first change.
		Expect(again()).To(Or(Succeed(), ofKind(registry.NoNode)))
		Eventually(func() error {
			_, err := w.admin.Create(w.path(layout.Topic(topic)), []byte{}, 0, zk.WorldACL(zk.PermAll))
			return err
		}).Should(Or(BeNil(), MatchError(zk.ErrNodeExists)))
		Eventually(func() error { return again() }).Should(Succeed())
		for drained := false; !drained; {
			select {
			case <-h.came:
			default:
				drained = true
			}
		}
		w.create(brokerOf(7), "1")
		Eventually(h.came).Should(Receive())
	},
		Entry("a broker comes", func() { w.create(brokerOf(2), "1") }),
		Entry("a broker goes", func() { w.remove(brokerOf(1)) }),
		Entry("a broker's number of partitions changes", func() { w.set(brokerOf(0), "3") }),
		Entry("the topic goes", func() {
			w.remove(brokerOf(0))
			w.remove(brokerOf(1))
			w.remove(layout.Topic(topic))
		}),
		Entry("the topic turns into one of Kafka 0.8", func() { w.set(layout.Topic(topic), topicData(1)) }),
	)

	It("is read while its brokers come and go", func(ctx SpecContext) {
		w.createTopic07(map[int]string{0: "1"})
		s := w.start().session()
		stop, stopped := make(chan struct{}), make(chan error)
		go func() {
			var err error
			for running := true; running; {
				_, made := w.admin.Create(w.path(brokerOf(1)), []byte("1"), 0, zk.WorldACL(zk.PermAll))
				err = errors.Join(err, made, w.admin.Delete(w.path(brokerOf(1)), -1))
				select {
				case <-stop:
					running = false
				default:
				}
			}
			stopped <- err
		}()
		for range 200 {
			partitions, problems := read(ctx, s)
			Expect(partitions).To(Or(Equal(of("0-0")), Equal(of("0-0", "1-0"))))
			Expect(problems).To(BeEmpty())
		}
		close(stop)
		Expect(<-stopped).NotTo(HaveOccurred())
	})
}

var _ = underFaults("A topic of Kafka 0.7, in numbers,", func(w *world) {
	It("is read in its brokers' number of watches and two more, however often", func(ctx SpecContext) {
		server := w.target.(embeddedTarget)
		w.createTopic07(map[int]string{0: "50", 1: "50", 2: "50"})
		s := w.start().session()
		before := server.Watches()
		for range 5 {
			_, err := s.Partitions(ctx, topic, func() {})
			Expect(err).NotTo(HaveOccurred())
			_, err = s.Observe(ctx, registry.ObserveRequest{Group: group, Topics: []string{topic}}, func() {})
			Expect(err).NotTo(HaveOccurred())
		}
		const members = 1
		Expect(server.Watches() - before).To(Equal(3 + 2 + members))
	})

	It("is bounded, whatever nodes of a few bytes stand for", func(ctx SpecContext) {
		w.createTopic07(map[int]string{0: "20000", 1: "20000", 2: "12768"})
		s := w.start().session()
		Expect(s.Partitions(ctx, topic, nil)).To(HaveLen(layout.MaxPartitions07), "those of brokers 0 and 2")
		view, err := s.Observe(ctx, registry.ObserveRequest{Group: group, Topics: []string{topic}}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Partitions[topic]).To(HaveLen(layout.MaxPartitions07))
		Expect(view.Problems).To(ConsistOf(
			SatisfyAll(HaveField("Path", brokerOf(1)), HaveField("Reason", ContainSubstring("other brokers")))))
	})
})
