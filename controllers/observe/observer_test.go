// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/internal/worker"
	"github.com/samsa-dev/samsa/pkg/client"
)

// billing is a target of one group with one worker.
func billing() Target {
	return Target{
		Cluster: atCluster, Groups: []string{"billing"}, Topics: []string{"orders"}, Pods: []Pod{{"billing-0", "a:1"}},
	}
}

func latest(t *testing.T, s *stage) Observation {
	t.Helper()
	observation, ok := s.Latest(key)
	if !ok {
		t.Fatal("nothing has been observed")
	}
	return observation
}

func TestANewTargetIsReadAtOnce(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.views["billing"] = owned("m")
		s.workers.said["a:1"] = &worker.Status{Ready: true}
		if _, ok := s.Latest(key); ok {
			t.Error("observed before it was asked for")
		}
		began := time.Now()
		s.Watch(key, billing())
		synctest.Wait()
		o := latest(t, s)
		if o.Err != nil || !o.At.Equal(began) || o.Groups["billing"].Partitions[0].Owner != "m" {
			t.Errorf("observed %+v", o)
		}
		after(batch)
		if w := latest(t, s).Workers["billing-0"]; w.Status == nil || !w.Status.Ready || !w.At.Equal(began) {
			t.Errorf("the worker is %+v", w)
		}
		if len(s.wakes.take()) == 0 {
			t.Error("nobody was woken")
		}
	})
}

func TestNothingWakesWhileNothingChanges(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.views["billing"] = owned("m")
		s.workers.said["a:1"] = &worker.Status{Ready: true}
		s.Watch(key, billing())
		after(time.Second)
		s.wakes.take()
		reads, polls := s.cluster.readings(), s.workers.times("a:1")
		for range 60 {
			s.Watch(key, billing()) // as each pass of a reconciler does
			after(time.Second)
		}
		if woken := s.wakes.take(); len(woken) > 0 {
			t.Errorf("woken at %v", woken)
		}
		if n := s.cluster.readings() - reads; n < 7 || n > 8 {
			t.Errorf("%d readings in a minute, want 7 or 8", n)
		}
		if n := s.workers.times("a:1") - polls; n < 7 || n > 8 {
			t.Errorf("%d questions in a minute, want 7 or 8", n)
		}
	})
}

func TestHintsAreGathered(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.Watch(key, billing())
		after(time.Second)
		s.wakes.take()
		before := s.cluster.readings()
		s.cluster.with(func(c *fakeCluster) { c.views["billing"] = owned("m") })
		for range 100 {
			s.cluster.tell("billing")
		}
		after(settling - time.Millisecond)
		if n := s.cluster.readings(); n != before {
			t.Errorf("%d readings too early", n-before)
		}
		after(time.Millisecond)
		if n := s.cluster.readings(); n != before+1 {
			t.Errorf("%d readings, want 1", n-before)
		}
		if len(s.wakes.take()) != 1 {
			t.Error("a new owner did not wake at once")
		}
		polls := s.workers.times("a:1")
		after(settling)
		if s.workers.times("a:1") != polls+1 {
			t.Error("the worker was not asked about its new partition")
		}
	})
}

func TestNumbersWakeAtMostEvery15SecondsAndAreFreshThen(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.moving = true
		s.workers.said["a:1"] = &worker.Status{}
		s.Watch(key, billing())
		after(time.Second)
		s.wakes.take()
		after(5 * time.Minute)
		woken := s.wakes.take()
		if len(woken) < 18 || len(woken) > 20 {
			t.Errorf("woken %d times in 5 minutes, want 20", len(woken))
		}
		for i, at := range woken {
			if i > 0 && at.Sub(woken[i-1]) < numbersEvery {
				t.Errorf("woken after %v", at.Sub(woken[i-1]))
			}
			if !slices.ContainsFunc(s.cluster.reads, at.Equal) {
				t.Errorf("woken at %v with old numbers", at)
			}
		}
	})
}

func TestWhatWasReadIsKeptWhileNothingCanBe(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.views["billing"] = owned("m")
		s.Watch(key, billing())
		after(time.Second)
		read := latest(t, s).At
		s.wakes.take()
		s.cluster.shift(func(c *fakeCluster) { c.err = errors.New("no server answers") })
		after(settling)
		o := latest(t, s)
		if o.Err == nil || o.Err.Error() != "no server answers" || len(o.Groups) != 1 || !o.At.Equal(read) {
			t.Errorf("observed %+v", o)
		}
		after(time.Minute)
		if n := len(s.wakes.take()); n != 1 {
			t.Errorf("woken %d times, want once", n)
		}
		s.cluster.shift(func(c *fakeCluster) { c.err = nil })
		after(settling)
		if o := latest(t, s); o.Err != nil || !o.At.After(read) {
			t.Errorf("not healed: %+v", o)
		}
		if len(s.wakes.take()) != 1 {
			t.Error("nobody was told")
		}
	})
}

func TestAConnectionIsWaitedFor(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.gone = ErrNoConnection
		s.Watch(key, billing())
		after(time.Minute)
		if o := latest(t, s); !errors.Is(o.Err, ErrNoConnection) || !o.At.IsZero() {
			t.Errorf("observed %+v", o)
		}
		s.cluster.with(func(c *fakeCluster) { c.gone = nil })
		after(unreachedEvery)
		if o := latest(t, s); o.Err != nil || o.At.IsZero() {
			t.Errorf("observed %+v", o)
		}
		if s.cluster.held != 0 {
			t.Errorf("the connection is held %d times between readings", s.cluster.held)
		}
	})
}

func TestOneGroupThatCannotBeReadHidesNoOther(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.views["g-0"], s.cluster.views["g-1"] = owned("m"), owned("n")
		s.cluster.failing["g-1"] = errors.New("denied")
		s.Watch(key, Target{Cluster: atCluster, Groups: []string{"g-0", "g-1"}, Topics: []string{"t"}})
		after(time.Second)
		o := latest(t, s)
		if o.Err == nil || o.Err.Error() != "denied" || len(o.Groups) != 1 || !o.At.IsZero() {
			t.Errorf("observed %+v", o)
		}
		s.cluster.with(func(c *fakeCluster) { clear(c.failing) })
		after(failedEvery)
		if o := latest(t, s); o.Err != nil || len(o.Groups) != 2 {
			t.Errorf("not healed: %+v", o)
		}
	})
}

func TestATargetThatChangesIsTakenOver(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.views["billing"], s.cluster.views["other"] = owned("m"), owned("n")
		s.workers.said["a:1"], s.workers.said["b:1"] = &worker.Status{}, &worker.Status{}
		s.Watch(key, billing())
		after(time.Second)
		target := billing()
		target.Groups, target.Pods = []string{"other"}, []Pod{{"billing-0", "b:1"}, {"billing-1", "c:1"}}
		s.Watch(key, target)
		if o := latest(t, s); len(o.Groups) != 0 || len(o.Workers) != 0 {
			t.Errorf("still there: %+v", o)
		}
		synctest.Wait()
		if o := latest(t, s); len(o.Groups) != 1 || o.Groups["other"].Partitions == nil {
			t.Errorf("not read at once: %+v", o)
		}
		after(settling + batch)
		o := latest(t, s)
		if o.Workers["billing-0"].Err != nil || o.Workers["billing-1"].Err == nil {
			t.Errorf("workers are %+v", o.Workers)
		}
		if !slices.Contains(s.cluster.forgot, "billing") {
			t.Error("the registry still tells of the old group")
		}
	})
}

func TestAWorkerThatDoesNotAnswerKeepsItsLastWord(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.workers.said["a:1"] = &worker.Status{Ready: true}
		s.Watch(key, billing())
		after(time.Second)
		heard := latest(t, s).Workers["billing-0"].At
		s.wakes.take()
		s.workers.mu.Lock()
		delete(s.workers.said, "a:1")
		s.workers.mu.Unlock()
		after(time.Minute)
		w := latest(t, s).Workers["billing-0"]
		if w.Err == nil || w.Status == nil || !w.At.Equal(heard) {
			t.Errorf("the worker is %+v", w)
		}
		if n := len(s.wakes.take()); n != 1 {
			t.Errorf("woken %d times, want once", n)
		}
		var waits []time.Duration
		asked := s.workers.asked["a:1"]
		for i := range len(asked) - 1 {
			waits = append(waits, asked[i+1].Sub(asked[i]))
		}
		i := slices.Index(waits, firstRetry)
		if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}; i < 0 ||
			!slices.Equal(waits[i:i+3], want) || waits[i+3] < every*9/10 {
			t.Errorf("asked again after %v, want %v among them, then %v", waits, want, every)
		}
	})
}

func TestAWorkerInTroubleIsAskedMoreOften(t *testing.T) {
	for name, c := range map[string]struct {
		said worker.Status
		most time.Duration
	}{
		"none":        {worker.Status{Ready: true, Partitions: []worker.PartitionStatus{{}}}, every},
		"not ready":   {worker.Status{}, troubledEvery},
		"a warning":   {worker.Status{Ready: true, Warnings: []worker.Reason{{}}}, troubledEvery},
		"a sink's no": {worker.Status{Ready: true, Partitions: []worker.PartitionStatus{{}, {Error: "500"}}}, troubledEvery},
		"a block": {
			worker.Status{Ready: true, Partitions: []worker.PartitionStatus{{Blocked: &worker.Block{}}}}, troubledEvery,
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, s *stage) {
				s.workers.said["a:1"] = &c.said
				target := billing()
				target.Pods = target.Pods[:1]
				s.Watch(key, target)
				after(time.Minute)
				asked := s.workers.asked["a:1"]
				for i := range len(asked) - 1 {
					if wait := asked[i+1].Sub(asked[i]); i > 1 && (wait > c.most || wait < c.most*9/10) {
						t.Errorf("asked again after %s, want %s", wait, c.most)
					}
				}
				if len(asked) < 4 {
					t.Errorf("asked %d times", len(asked))
				}
			})
		})
	}
}

func TestWhatComesTooLateForATargetIsDropped(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.hang, s.cluster.views["billing"] = make(chan struct{}), owned("m")
		s.workers.said["a:1"] = &worker.Status{}
		s.workers.slow = map[string]time.Duration{"a:1": time.Second}
		s.Watch(key, billing())
		synctest.Wait()
		target := billing()
		target.Groups, target.Pods = []string{"other"}, []Pod{{"billing-0", "b:1"}}
		s.Watch(key, target)
		s.cluster.with(func(c *fakeCluster) { close(c.hang); c.hang = make(chan struct{}) })
		after(time.Second + batch) // the old reading has come, the new one hangs; the old pod has answered
		if o, _ := s.Latest(key); len(o.Groups) != 0 || o.Workers["billing-0"].Status != nil {
			t.Errorf("observed %+v", o)
		}
	})
}

func TestASlowWorkerHoldsUpNobody(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.workers.said["a:1"], s.workers.said["b:1"] = &worker.Status{}, &worker.Status{}
		s.workers.slow = map[string]time.Duration{"b:1": 2 * time.Second}
		target := billing()
		target.Pods = append(target.Pods, Pod{"billing-1", "b:1"})
		s.Watch(key, target)
		after(batch)
		if o := latest(t, s); len(o.Workers) != 1 {
			t.Errorf("workers are %+v", o.Workers)
		}
		after(2 * time.Second)
		if o := latest(t, s); len(o.Workers) != 2 {
			t.Errorf("workers are %+v", o.Workers)
		}
	})
}

func TestReadingsAreBoundedAndLatestNeverBlocks(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.hang = make(chan struct{})
		keys := make([]types.NamespacedName, 200)
		for i := range keys {
			keys[i] = types.NamespacedName{Namespace: "n", Name: fmt.Sprint(i)}
			s.Watch(keys[i], Target{Cluster: atCluster, Groups: []string{fmt.Sprint(i)}, Topics: []string{"t"}})
		}
		synctest.Wait()
		if s.cluster.now != maxReads {
			t.Errorf("%d readings at once, want %d", s.cluster.now, maxReads)
		}
		if _, ok := s.Latest(keys[0]); ok {
			t.Error("observed while the reading hangs")
		}
		close(s.cluster.hang)
		after(time.Second)
		for _, k := range keys {
			if o, ok := s.Latest(k); !ok || o.Err != nil {
				t.Fatalf("%v: %+v", k, o)
			}
		}
		if s.cluster.max != maxReads {
			t.Errorf("up to %d readings at once", s.cluster.max)
		}
		for _, k := range keys {
			s.Forget(k)
		}
		before := s.cluster.readings()
		after(time.Minute)
		if s.cluster.readings() != before {
			t.Error("what was forgotten is read")
		}
		if _, ok := s.Latest(keys[0]); ok {
			t.Error("what was forgotten is shown")
		}
	})
}

func TestAReadingThatHangsIsGivenUp(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.hang = make(chan struct{})
		s.Watch(key, billing())
		after(readTimeout)
		if o := latest(t, s); o.Err == nil {
			t.Errorf("observed %+v", o)
		}
	})
}

func TestAPatternMeansWhatWorkersTakeUp(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		s.cluster.topics = []string{
			"__consumer_offsets", "orders-a", "orders-b", "my-orders-c", "__orders-d", "orders-no topic", "orders-\n",
		}
		s.cluster.views["billing"] = client.GroupView{}
		target := billing()
		target.Topics, target.Pattern = nil, "(__)?orders-.*"
		s.Watch(key, target)
		after(time.Second)
		want := []string{"orders-a", "orders-b"}
		if o := latest(t, s); !slices.Equal(o.Topics, want) || !slices.Equal(s.cluster.asked[0], want) {
			t.Errorf("topics %v, read %v", o.Topics, s.cluster.asked[0])
		}
		s.wakes.take()
		s.cluster.with(func(c *fakeCluster) { c.topics = append(c.topics, "orders-e") })
		after(every)
		if o := latest(t, s); len(o.Topics) != 3 || len(s.wakes.take()) != 1 {
			t.Errorf("topics %v", o.Topics)
		}
		target.Pattern = "("
		s.Watch(key, target)
		synctest.Wait()
		if o := latest(t, s); o.Err == nil {
			t.Error("a pattern that does not compile is no error")
		}
	})
}
