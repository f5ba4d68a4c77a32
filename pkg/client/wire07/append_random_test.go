// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// attempt is one Append that was made, and what it came to.
type attempt struct {
	number   int32
	messages []string
	err      error
}

// batchOf is a few messages that nobody else sends, of all sizes.
func batchOf(random *rand.Rand, called string) []string {
	list := make([]string, 1+random.IntN(20))
	for i := range list {
		list[i] = fmt.Sprintf("%s.%d %s", called, i, strings.Repeat("x", random.IntN(1500)))
	}
	return list
}

// name is what batchOf called a message.
func name(message string) string {
	name, _, _ := strings.Cut(message, " ")
	return name
}

// places are the positions in a log at which a run of messages begins.
func places(log, run []string) []int {
	var list []int
	for i := range log {
		if log[i] == run[0] && i+len(run) <= len(log) && slices.Equal(log[i:i+len(run)], run) {
			list = append(list, i)
		}
	}
	return list
}

// checkAttempts compares what one goroutine was told, one after the other, with what the broker has.
func checkAttempts(attempts []attempt, logs [][]string) {
	GinkgoHelper()
	last := make([]int, len(logs))
	for _, a := range attempts {
		log := logs[a.number]
		found := places(log, a.messages)
		traces := 0
		for _, message := range a.messages {
			traces += len(places(log, []string{message}))
		}
		Expect(traces).To(Equal(len(found)*len(a.messages)), "%s: only a part of it is stored", name(a.messages[0]))
		_, refused := errors.AsType[*kafka.Refused](a.err)
		switch {
		case a.err == nil:
			Expect(found).To(HaveLen(1), "%s was acknowledged", name(a.messages[0]))
			Expect(found[0]).To(BeNumerically(">=", last[a.number]), "%s overtook", name(a.messages[0]))
			last[a.number] = found[0]
		case refused:
			Expect(found).To(BeEmpty(), "%s: %v", name(a.messages[0]), a.err)
		default:
			Expect(len(found)).To(BeNumerically("<=", 1), "%s: %v", name(a.messages[0]), a.err)
		}
	}
}

var _ = DescribeTable("Whatever befalls the connections, Append says what is true",
	func(ctx SpecContext, compression kafka.Compression) {
		const goroutines, appends = 6, 60
		seed := uint64(GinkgoRandomSeed())
		GinkgoWriter.Println("seed", seed)
		broker := startBroker(ctx, kafka07.Config{ID: 1, Partitions: 2})
		transport := openTransport(broker.Addr(), wire07.Config{Compression: compression})
		attempts := make([][]attempt, goroutines)
		var publishing sync.WaitGroup
		var made atomic.Int64
		for g := range goroutines {
			random := rand.New(rand.NewPCG(seed, uint64(g)))
			publishing.Go(func() {
				for n := range appends {
					a := attempt{number: random.Int32N(2), messages: batchOf(random, fmt.Sprintf("%d.%d", g, n))}
					_, a.err = transport.Append(ctx, on(1, int(a.number)), values(a.messages...))
					attempts[g] = append(attempts[g], a)
					made.Add(1)
				}
			})
		}
		random := rand.New(rand.NewPCG(seed, goroutines))
		faults := 0
		for made.Load() < goroutines*appends {
			var struck <-chan struct{}
			if random.IntN(2) == 0 {
				struck = broker.Faults().CutAfter(kafka07.In, random.IntN(30_000))
			} else {
				struck = broker.Faults().CutAfter(kafka07.Out, random.IntN(150))
			}
			if waitFor(struck, func() bool { return made.Load() == goroutines*appends }) {
				faults++
			}
		}
		publishing.Wait()
		broker.Faults().Clear()
		logs := [][]string{stored(broker, 0), stored(broker, 1)}
		outcomes := map[string]int{"faults": faults}
		for _, list := range attempts {
			checkAttempts(list, logs)
			for _, a := range list {
				outcomes[fmt.Sprintf("%T", a.err)]++
			}
		}
		GinkgoWriter.Println(outcomes)
		Expect(faults).To(BeNumerically(">", 2))
		Expect(outcomes["<nil>"]).To(BeNumerically(">", goroutines*appends/10))
	},
	Entry("as they are", kafka.Uncompressed),
	Entry("by gzip", kafka.Gzip),
	Entry("by snappy", kafka.Snappy),
)

// waitFor waits for a channel to be closed; it reports false if something was over before.
func waitFor(closed <-chan struct{}, over func() bool) bool {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-closed:
			return true
		case <-ticker.C:
			if over() {
				return false
			}
		}
	}
}

// pair is two brokers, one of which at a time may be dead.
type pair struct {
	brokers   [2]*kafka07.Broker
	transport *wire07.Transport
	// written is the number, here, of the broker that acknowledged last.
	written atomic.Int32
	acked   atomic.Int64
}

// publish appends to one of the brokers, and if that does not acknowledge to the other, until one does.
func (p *pair) publish(ctx context.Context, first int, messages []string) (tries int, err error) {
	for ; ctx.Err() == nil; tries++ {
		to := (first + tries) % len(p.brokers)
		if _, err = p.transport.Append(ctx, on(to, 0), values(messages...)); err == nil {
			p.written.Store(int32(to))
			p.acked.Add(1)
			return tries, nil
		}
	}
	return tries, err
}

var _ = Describe("Publishing to two brokers", func() {
	It("loses nothing that was acknowledged when the one just written is killed, 200 times", func(ctx SpecContext) {
		const kills, publishers = 200, 4
		seed := uint64(GinkgoRandomSeed())
		GinkgoWriter.Println("seed", seed)
		p := new(pair)
		addresses := make(map[string]string)
		for i := range p.brokers {
			p.brokers[i] = startBroker(ctx, kafka07.Config{ID: int32(i)})
			addresses[fmt.Sprint(i)] = p.brokers[i].Addr()
		}
		p.transport = openTransport("", wire07.Config{Brokers: addresses})

		var over atomic.Bool
		var publishing sync.WaitGroup
		published := make([][][]string, publishers)
		repeated := make([]int, publishers)
		for g := range publishers {
			random := rand.New(rand.NewPCG(seed, uint64(g)))
			publishing.Go(func() {
				defer GinkgoRecover()
				for n := 0; !over.Load(); n++ {
					batch := batchOf(random, fmt.Sprintf("%d.%d", g, n))
					tries, err := p.publish(ctx, random.IntN(2), batch)
					Expect(err).NotTo(HaveOccurred())
					repeated[g] += tries
					published[g] = append(published[g], batch)
				}
			})
		}
		p.killAndRestart(ctx, rand.New(rand.NewPCG(seed, publishers)), kills)
		over.Store(true)
		publishing.Wait()

		logs := [][]string{stored(p.brokers[0], 0), stored(p.brokers[1], 0)}
		batches, messages := 0, 0
		held := startsOf(logs)
		for _, list := range published {
			for _, batch := range list {
				batches, messages = batches+1, messages+len(batch)
				Expect(held.have(batch)).To(BeTrue(), "%s, seed %d", name(batch[0]), seed)
			}
		}
		again := 0
		for _, tries := range repeated {
			again += tries
		}
		GinkgoWriter.Println(kills, "kills,", batches, "batches of", messages, "messages acknowledged,", again, "sent again,",
			len(logs[0])+len(logs[1])-messages, "messages twice")
		Expect(again).To(BeNumerically(">", kills/2), "the kills struck something")
	})
})

// killAndRestart kills, again and again, the broker that has just acknowledged: behind a byte that it gets or sends, or
// at once. It starts it again after a few more batches that the other one took.
func (p *pair) killAndRestart(ctx context.Context, random *rand.Rand, kills int) {
	GinkgoHelper()
	for range kills {
		before := p.acked.Load()
		Eventually(p.acked.Load).Should(BeNumerically(">", before+random.Int64N(3)))
		broker := p.brokers[p.written.Load()]
		var died <-chan struct{}
		switch random.IntN(3) {
		case 0:
			died = broker.Faults().DieAfter(kafka07.In, random.IntN(100_000))
		case 1:
			died = broker.Faults().DieAfter(kafka07.Out, random.IntN(100))
		default:
			broker.Kill()
		}
		if died != nil {
			Eventually(died).Should(BeClosed())
		}
		before = p.acked.Load()
		Eventually(p.acked.Load).Should(BeNumerically(">", before+random.Int64N(5)), "the other one lives")
		Expect(broker.Restart(ctx)).To(Succeed())
	}
}

// starts says where in which log a message is.
type starts struct {
	logs [][]string
	at   []map[string][]int
}

func startsOf(logs [][]string) starts {
	s := starts{logs: logs}
	for _, log := range logs {
		at := make(map[string][]int, len(log))
		for i, message := range log {
			at[message] = append(at[message], i)
		}
		s.at = append(s.at, at)
	}
	return s
}

// have reports whether one log has a batch, whole and in order.
func (s starts) have(batch []string) bool {
	for i, log := range s.logs {
		for _, from := range s.at[i][batch[0]] {
			if from+len(batch) <= len(log) && slices.Equal(log[from:from+len(batch)], batch) {
				return true
			}
		}
	}
	return false
}
