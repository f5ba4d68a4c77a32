// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errLost = errors.New("the connection broke")

const (
	partitions = 24
	brokers    = 2
	keys       = 8
	poison     = "poison"
)

// cluster is an outlet that loses connections, hangs, answers late, writes what nobody waits for any more, and moves
// partitions about; it recognizes repeated batches if it may.
type cluster struct {
	mu          sync.Mutex
	random      *rand.Rand
	calm        bool
	recognizes  bool
	log         map[string][]string // partitions by value
	places      map[string]int      // when each was written first
	seen        map[*dispatch.Batch]bool
	leaders     [partitions]string
	zombies     sync.WaitGroup
	outstanding [partitions]*dispatch.Batch
	broken      string
	// size is what messages count as, in bytes.
	size int
	// flights are the requests underway by broker, most how many one had.
	flights map[string]int
	most    int
}

func newCluster(seed uint64) *cluster {
	c := &cluster{
		random: rand.New(rand.NewPCG(seed, 7)), log: map[string][]string{}, places: map[string]int{},
		seen: map[*dispatch.Batch]bool{}, flights: map[string]int{},
		recognizes: seed%3 != 0, size: 100,
	}
	if seed%4 == 1 { // a few fill a request
		c.size = 100 << 10
	}
	c.move()
	return c
}

func (c *cluster) dice(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calm {
		return n
	}
	return c.random.IntN(n)
}

// move gives partitions to other brokers, or to none.
func (c *cluster) move() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.leaders {
		c.leaders[i] = strconv.Itoa(c.random.IntN(brokers))
		if !c.calm && c.random.IntN(4) == 0 {
			c.leaders[i] = ""
		}
	}
}

func (c *cluster) Topology(ctx context.Context) (dispatch.Topology, error) {
	switch c.dice(6) {
	case 0:
		return dispatch.Topology{}, errLost
	case 1:
		<-ctx.Done()
		return dispatch.Topology{}, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	topology := dispatch.Topology{
		Repeatable: c.recognizes, Key: func(key []byte, n int) int { return int(key[0]) % n },
	}
	for i, leader := range c.leaders {
		topology.Places = append(topology.Places, dispatch.Place{ID: strconv.Itoa(i), Broker: leader})
	}
	return topology, nil
}

func (c *cluster) Send(ctx context.Context, broker string, batches []*dispatch.Batch) {
	defer c.count(broker)()
	for _, batch := range batches {
		c.send(ctx, broker, batch)
	}
}

// mostFlights is how many requests a broker has at a time.
const mostFlights = 5

// count sees that a broker does not get too many requests at a time. What it returns ends this one.
func (c *cluster) count(broker string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flights[broker]++
	c.most = max(c.most, c.flights[broker])
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.flights[broker]--
	}
}

func (c *cluster) send(ctx context.Context, broker string, b *dispatch.Batch) {
	c.enter(b)
	defer c.leave(b)
	if c.dice(10) == 0 {
		c.wait(ctx)
	}
	if !b.Unheard {
		if !b.Load() {
			return
		}
		b.Loaded()
	}
	switch c.dice(10) {
	case 0: // no connection
		c.fail(b)
		return
	case 1: // a connection that takes too long, and comes about when nobody expects it any more
		c.wait(ctx)
		c.fail(b)
		c.later(b)
		return
	case 2: // written, and the answer is lost
		if b.Begin() {
			c.write(b)
		}
		c.fail(b)
		return
	case 3: // lost, or late
		if b.Begin() && c.dice(2) == 0 {
			c.later(b)
		}
		c.wait(ctx)
		c.fail(b)
		return
	case 4: // a broker that takes its time
		c.wait(ctx)
	}
	if !b.Begin() {
		return
	}
	c.answer(broker, b)
}

// answer judges what a broker got.
func (c *cluster) answer(broker string, b *dispatch.Batch) {
	at, _ := strconv.Atoi(b.Partition)
	c.mu.Lock()
	leads := c.leaders[at] == broker
	c.mu.Unlock()
	for _, item := range b.Items {
		if string(item.Message.Value) == poison {
			b.Judge(dispatch.Unfit, kafka.ErrTooLarge)
			return
		}
	}
	if !leads {
		b.Judge(dispatch.Retry, errors.New("not the leader"))
		return
	}
	c.write(b)
	b.Accept(0, -1)
}

// fail judges a batch that nobody answers.
func (c *cluster) fail(b *dispatch.Batch) {
	switch {
	case b.Spare():
		b.Judge(dispatch.Retry, errLost)
	case c.recognizes:
		b.Judge(dispatch.Unheard, errLost)
	default:
		b.Judge(dispatch.Lost, errLost)
	}
}

// wait lets time pass, up to half a minute.
func (c *cluster) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(c.dice(30_000)) * time.Millisecond):
	}
}

// later writes a batch some time after, if it may begin then.
func (c *cluster) later(b *dispatch.Batch) {
	delay := time.Duration(c.dice(20_000)) * time.Millisecond
	c.zombies.Go(func() {
		<-time.After(delay)
		if b.Begin() {
			c.write(b)
		}
	})
}

// write writes a batch once.
func (c *cluster) write(b *dispatch.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[b] && c.recognizes {
		return
	}
	c.seen[b] = true
	for _, item := range b.Items {
		value := string(item.Message.Value)
		if c.log[value] == nil {
			c.places[value] = len(c.places)
		}
		c.log[value] = append(c.log[value], b.Partition)
	}
}

// enter notes when two batches of a partition are underway at once.
func (c *cluster) enter(b *dispatch.Batch) {
	at, _ := strconv.Atoi(b.Partition)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outstanding[at] != nil {
		c.broken = "two batches of partition " + b.Partition
	}
	c.outstanding[at] = b
}

func (c *cluster) leave(b *dispatch.Batch) {
	at, _ := strconv.Atoi(b.Partition)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outstanding[at] = nil
}

func (*cluster) GiveUp(string) {}
func (*cluster) Close()        {}

// Whatever becomes of connections, brokers and leaders: a success was written once, a refusal is never written,
// anything else at most once; every message has its outcome in time, and those of one key are written in their order.
func TestOutcomesAreTrue(t *testing.T) {
	written, most := 0, 0
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, flights := trial(t, seed)
				written, most = written+n, max(most, flights)
			})
		})
	}
	if written < 300*100 {
		t.Errorf("only %d messages were written: the trials try nothing", written)
	}
	if most < mostFlights {
		t.Errorf("no broker had more than %d requests at a time", most)
	}
}

// end0 is an outcome.
type end0 struct {
	outcome dispatch.Outcome
	err     error
}

type end struct {
	outcome dispatch.Outcome
	err     error
	after   time.Duration
	times   int
	// settled is what was told later, settles how often; wants says that somebody wants to know.
	settled end0
	settles int
	wants   bool
	// key is that of the message and one more, asked the partition that it must go to.
	key   int
	asked string
}

const (
	patience = 30 * time.Second
	settling = time.Minute
)

func trial(t *testing.T, seed uint64) (written, most int) {
	c, keyedMoves := newCluster(seed), seed%2 == 0
	d := dispatch.New(dispatch.Config{
		Topic: "t", Outlet: c, ByKey: true, KeyedMoves: keyedMoves, RoundRobin: seed%5 == 0,
		Linger: time.Duration(seed%3) * 10 * time.Millisecond, MaxBuffered: 400 * c.size, BatchBytes: 10 * c.size,
		Settle: settling,
	})
	ends := map[string]*end{}
	var mu sync.Mutex
	const messages = 400
	for i := range messages {
		value := fmt.Sprint(i)
		if i%97 == 96 {
			value = poison
		}
		put(t, d, c, i, value, ends, &mu)
		if i%20 == 0 {
			<-time.After(time.Duration(c.dice(500)) * time.Millisecond)
			c.move()
		}
		if i == messages/2 && seed%3 == 0 {
			d.GiveUpDoubts()
		}
	}
	c.mu.Lock()
	c.calm = seed%2 == 0
	c.mu.Unlock()
	c.move()
	d.Close()
	c.zombies.Wait()
	if c.broken != "" {
		t.Error(c.broken)
	}
	if c.most > mostFlights {
		t.Errorf("a broker had %d requests at a time", c.most)
	}
	var last [keys + 1]int
	for i := range messages {
		value := fmt.Sprint(i)
		e := ends[value]
		if e == nil {
			continue
		}
		written += e.check(t, value, c.log[value])
		if e.err == nil && e.key > 0 && !keyedMoves {
			if c.places[value] < last[e.key] {
				t.Errorf("%s: overtook one of the same key", value)
			}
			last[e.key] = c.places[value]
		}
	}
	return written, c.most
}

func put(
	t *testing.T, d *dispatch.Dispatcher, c *cluster, i int, value string, ends map[string]*end, mu *sync.Mutex,
) {
	e, begun := &end{}, time.Now()
	if value != poison {
		ends[value] = e
	}
	message := kafka.Message{Value: []byte(value)}
	switch c.dice(4) {
	case 0:
		message.Key = []byte{byte(i % keys)}
		e.key = 1 + i%keys
	case 1:
		message.Partition.ID = strconv.Itoa(i % partitions)
		e.asked = message.Partition.ID
	}
	item := new(dispatch.Item)
	*item = dispatch.Item{
		Message: message, Context: t.Context(), Since: begun, Deadline: begun.Add(patience), Size: c.size,
		Sender: sender(func(outcome dispatch.Outcome, err error) {
			if err == nil {
				*item = dispatch.Item{} // it is ours: whoever looks at it from now on finds neither context nor generation
			}
			mu.Lock()
			defer mu.Unlock()
			e.outcome, e.err, e.after, e.times = outcome, err, time.Since(begun), e.times+1
		}),
	}
	if e.wants = c.dice(2) == 0; e.wants {
		item.Settled = func(outcome dispatch.Outcome, err error) {
			mu.Lock()
			defer mu.Unlock()
			if e.times == 0 {
				t.Errorf("%s: settled before it was told", value)
			}
			e.settled, e.settles = end0{outcome, err}, e.settles+1
		}
	}
	d.Put(item)
}

// sender is one that is a function.
type sender func(dispatch.Outcome, error)

// Done implements dispatch.Sender.
func (s sender) Done(outcome dispatch.Outcome, err error) { s(outcome, err) }

// check compares an outcome with where the message is.
func (e *end) check(t *testing.T, value string, at []string) int {
	_, refused := errors.AsType[*kafka.Refused](e.err)
	switch {
	case e.times != 1:
		t.Errorf("%s: %d outcomes", value, e.times)
	case e.after > patience+time.Second:
		t.Errorf("%s: its outcome came after %s", value, e.after)
	case e.err == nil && (len(at) != 1 || at[0] != e.outcome.Partition.ID):
		t.Errorf("%s: succeeded in %s, and is in %q", value, e.outcome.Partition, at)
	case e.err == nil && e.outcome.Took != e.after:
		t.Errorf("%s: took %s, and says %s", value, e.after, e.outcome.Took)
	case e.err == nil && e.asked != "" && e.asked != at[0]:
		t.Errorf("%s: is in %q, and should be in %s", value, at, e.asked)
	case refused && len(at) > 0:
		t.Errorf("%s: refused, and is in %q: %v", value, at, e.err)
	case len(at) > 1:
		t.Errorf("%s: is in %q: %v", value, at, e.err)
	}
	e.checkSettled(t, value, at, refused)
	if e.err == nil {
		return 1
	}
	return 0
}

// checkSettled does so with what was told later.
func (e *end) checkSettled(t *testing.T, value string, at []string, refused bool) {
	want := 0
	if e.wants && e.err != nil && !refused {
		want = 1
	}
	if e.settles != want {
		t.Errorf("%s: settled %d times, and not %d: %v", value, e.settles, want, e.err)
	}
	if want == 0 {
		return
	}
	_, refused = errors.AsType[*kafka.Refused](e.settled.err)
	switch {
	case e.settled.err == nil && (len(at) != 1 || at[0] != e.settled.outcome.Partition.ID):
		t.Errorf("%s: settled in %s, and is in %q", value, e.settled.outcome.Partition, at)
	case refused && len(at) > 0:
		t.Errorf("%s: refused after all, and is in %q: %v", value, at, e.settled.err)
	}
}
