// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// victim is the number of the partition whose broker fails where one of three does.
const victim = 2

// faults are what brokers do.
func faults(s *stage) {
	Context("all of which stall", Ordered, func() { stalled(s) })
	Context("one of which stalls", func() { oneStalls(s) })
	Context("one of which is down", Ordered, func() { oneDown(s) })
	// Those of 3.9 take half a minute to go and to come back, and tell nothing that those of 4 do not.
	if s.era != world.Era39 || *long {
		Context("all of which are down", Ordered, func() { allDown(s) })
		return
	}
	It("of which one comes back", func(ctx SpecContext) { s.revive(ctx) })
}

// raw is the format of single messages where it does not matter.
func raw() *format { return formats()[0] }

// warm publishes to all partitions, so that there are connections to all brokers.
func (s *stage) warm(ctx context.Context, p *process) {
	GinkgoHelper()
	for n := range brokers {
		Eventually(ctx, func() int {
			return s.publish(ctx, p, raw(), []message{fresh().to(s.partition(n))}).status
		}).Should(Equal(http.StatusCreated), p.log.text)
	}
}

// leader is the broker that has a partition.
func (s *stage) leader(ctx context.Context, partition int) int32 {
	GinkgoHelper()
	if s.era == world.Era07 {
		return int32(partition) //nolint:gosec // of three
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.world.Brokers().Addrs()...))
	Expect(err).NotTo(HaveOccurred())
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
	Expect(err).NotTo(HaveOccurred())
	return topics[topic].Partitions[int32(partition)].Leader //nolint:gosec // of three
}

// together publishes one request of each format to one partition, all at once.
func (s *stage) together(ctx context.Context, p *process, partition string) (answers map[string]*answer) {
	GinkgoHelper()
	var mu sync.Mutex
	answers = map[string]*answer{}
	each(func(f *format) {
		sent := some(f)
		for i := range sent {
			sent[i] = sent[i].to(partition)
		}
		a := s.publish(ctx, p, f, sent)
		mu.Lock()
		defer mu.Unlock()
		answers[f.name] = a
	})
	return answers
}

// timely holds what was answered because its time was over to that time.
func timely(took time.Duration) {
	GinkgoHelper()
	Expect(took).To(And(BeNumerically(">", impatience*9/10), BeNumerically("<", impatience+lateness)))
}

func stalled(s *stage) {
	freeze := func(ctx context.Context) {
		GinkgoHelper()
		s.warm(ctx, s.process["quick"])
		s.away = true
		for id := range int32(brokers) {
			Expect(s.world.Brokers().FreezeBroker(id)).To(Succeed())
		}
	}
	thaw := func(ctx context.Context) {
		GinkgoHelper()
		for id := range int32(brokers) {
			Expect(s.world.Brokers().ThawBroker(id)).To(Succeed())
		}
		s.warm(ctx, s.process["quick"])
		s.away = false
	}

	It("may have what was sent to them, in every format", func(ctx SpecContext) {
		freeze(ctx)
		seen := map[string]bool{}
		// What does not come within the linger of the first stays behind it, and is certainly not written. Each partition
		// has one request underway at a time.
		for n := 0; n < brokers && len(seen) < len(formats()); n++ {
			begin := time.Now()
			answers := s.together(ctx, s.process["quick"], s.partition(n))
			timely(time.Since(begin))
			for name, a := range answers {
				Expect(a.status).To(Or(Equal(http.StatusGatewayTimeout), Equal(http.StatusServiceUnavailable)), a.String())
				seen[name] = seen[name] || a.status == http.StatusGatewayTimeout
			}
		}
	})

	It("are not sent what would be behind that", func(ctx SpecContext) {
		begin := time.Now()
		for _, a := range s.together(ctx, s.process["quick"], s.partition(0)) {
			refused(a, http.StatusServiceUnavailable, "unavailable")
		}
		timely(time.Since(begin))
	})

	It("let no more be held than the gateway may hold", func(ctx SpecContext) {
		var full sync.WaitGroup
		held := make([]*answer, 2*mostBuffered/mostMessage)
		for i := range held {
			full.Go(func() {
				defer GinkgoRecover()
				held[i] = s.publish(ctx, s.process["quick"], raw(), []message{fresh().of(mostMessage - 1000)})
			})
		}
		full.Wait()
		busy := 0
		for _, a := range held {
			if a.status == http.StatusTooManyRequests {
				refused(a, http.StatusTooManyRequests, "busy")
				Expect(a.header.Get("Retry-After")).To(Equal("1"))
				busy++
			}
		}
		Expect(busy).To(BeNumerically(">=", len(held)/4), "the rest is what fits")
		Expect(busy).To(BeNumerically("<", len(held)))
	})

	It("take messages again when they go on", func(ctx SpecContext) { thaw(ctx) })
}

func oneStalls(s *stage) {
	It("does not keep the others from taking what may go anywhere", func(ctx SpecContext) {
		s.warm(ctx, s.process["quick"])
		frozen := s.leader(ctx, victim)
		Expect(s.world.Brokers().FreezeBroker(frozen)).To(Succeed())
		s.away = true
		statuses := map[int]int{}
		const count = 8
		for range count { // those that go to it first tell that it does not answer
			a := s.publish(ctx, s.process["quick"], raw(), []message{fresh()})
			statuses[a.status]++
		}
		Expect(s.world.Brokers().ThawBroker(frozen)).To(Succeed())
		Expect(statuses[http.StatusCreated]).To(BeNumerically(">=", count-2), fmt.Sprint(statuses))
		Expect(statuses[http.StatusCreated]+statuses[http.StatusGatewayTimeout]).To(Equal(count), fmt.Sprint(statuses))
		s.warm(ctx, s.process["quick"])
		s.away = false
	})
}

func oneDown(s *stage) {
	var key string

	It("goes", func(ctx SpecContext) {
		s.warm(ctx, s.process["quick"])
		s.warm(ctx, s.process["moving"])
		for i := 0; key == ""; i++ { // one whose messages it has
			m := fresh().keyed(fmt.Sprint("key-", i))
			a := s.publish(ctx, s.process["quick"], raw(), []message{m})
			results, err := a.results(raw(), 1)
			Expect(err).NotTo(HaveOccurred())
			Expect(a.status).To(Equal(http.StatusCreated), a.String())
			if results[0].place() == s.partition(victim) {
				key = m.key
			}
		}
		leader := s.leader(ctx, victim)
		s.away = true
		Expect(s.world.Brokers().StopBroker(leader)).To(Succeed())
	})

	It("is not needed for what may go anywhere", func(ctx SpecContext) {
		s.goesOn(ctx, s.process["quick"], fresh)
	})

	It("is waited for by what is for its partition, in every format", func(ctx SpecContext) {
		// Of what is written to a connection that has ended nobody knows what became, and none of the messages before may
		// have found that out.
		noticing := s.publish(ctx, s.process["quick"], raw(), []message{fresh().to(s.partition(victim))})
		Expect(noticing.status).To(
			Or(Equal(http.StatusServiceUnavailable), Equal(http.StatusGatewayTimeout)), noticing.String())
		begin := time.Now()
		var keyed sync.WaitGroup
		keyed.Go(func() { // and by what has a key of its partition
			defer GinkgoRecover()
			a := s.publish(ctx, s.process["quick"], raw(), []message{fresh().keyed(key)})
			if s.era == world.Era07 { // where a topic has the partitions of brokers that are there, and keys move with them
				Expect(a.status).To(Equal(http.StatusCreated), a.String())
				return
			}
			refused(a, http.StatusServiceUnavailable, "unavailable")
		})
		for _, a := range s.together(ctx, s.process["quick"], s.partition(victim)) {
			refused(a, http.StatusServiceUnavailable, "unavailable")
			Expect(a.header.Get("Retry-After")).To(Equal("5"))
		}
		keyed.Wait()
		timely(time.Since(begin))
	})

	It("is not waited for where keys may move", func(ctx SpecContext) {
		s.goesOn(ctx, s.process["moving"], func() message { return fresh().keyed(key) })
	})
}

// goesOn publishes messages that are all taken, but for the one that may find out that a connection has ended: of what
// was written to that nobody knows what became.
func (s *stage) goesOn(ctx context.Context, p *process, next func() message) {
	GinkgoHelper()
	const count = 8
	statuses := map[int]int{}
	for range count {
		statuses[s.publish(ctx, p, raw(), []message{next()}).status]++
	}
	Expect(statuses[http.StatusGatewayTimeout]).To(BeNumerically("<=", 1), fmt.Sprint(statuses))
	Expect(statuses[http.StatusCreated]).To(BeNumerically(">=", count-1), fmt.Sprint(statuses))
}

func allDown(s *stage) {
	It("take nothing, and it is said in every format", func(ctx SpecContext) {
		for id := range brokers {
			s.kill(id)
		}
		// Of what is written to connections that ended nobody knows what became.
		var noticing sync.WaitGroup
		for n := range brokers {
			noticing.Go(func() {
				defer GinkgoRecover()
				a := s.publish(ctx, s.process["quick"], raw(), []message{fresh().to(s.partition(n))})
				Expect(a.status).To(Or(Equal(http.StatusServiceUnavailable), Equal(http.StatusGatewayTimeout)), a.String())
			})
		}
		noticing.Wait()
		begin := time.Now()
		each(func(f *format) {
			a := s.attempt(ctx, s.process["quick"], f, nil)
			refused(a, http.StatusServiceUnavailable, "unavailable")
			Expect(a.header.Get("Retry-After")).To(Equal("5"))
		})
		timely(time.Since(begin))
	})

	It("take messages again when they are back", func(ctx SpecContext) { s.revive(ctx) })
}

// revive starts all brokers that are down.
func (s *stage) revive(ctx context.Context) {
	GinkgoHelper()
	var starting sync.WaitGroup
	for id := range int32(brokers) {
		starting.Go(func() {
			defer GinkgoRecover()
			Expect(s.world.Brokers().StartBroker(ctx, id)).To(Succeed())
		})
	}
	starting.Wait()
	for _, name := range []string{"main", "quick", "moving"} {
		s.warm(ctx, s.process[name])
	}
	s.away = false
}

// kill ends a broker as a crash does, where there are crashes. A broker of 3.9 leaves: what it had registered in
// ZooKeeper would bar it from coming back until its session is over, 18 s later.
func (s *stage) kill(id int) {
	GinkgoHelper()
	if s.era == world.Era4 {
		Expect(s.world.Real.Broker(id).Kill()).To(Succeed())
		return
	}
	Expect(s.world.Brokers().StopBroker(int32(id))).To(Succeed())
}
