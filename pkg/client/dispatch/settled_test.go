// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// deaf is an outlet whose one broker takes everything, and answers only once it hears again.
type deaf struct {
	hears  atomic.Bool
	gaveUp atomic.Int64
}

func (*deaf) Topology(context.Context) (dispatch.Topology, error) {
	return dispatch.Topology{Places: []dispatch.Place{{ID: "0", Broker: "1"}}, Repeatable: true}, nil
}

func (d *deaf) Send(_ context.Context, _ string, batches []*dispatch.Batch) {
	for _, batch := range batches {
		if !batch.Unheard && !batch.Load() {
			continue
		}
		batch.Loaded()
		batch.Begin()
		if d.hears.Load() {
			batch.Accept(42, -1)
		} else {
			batch.Judge(dispatch.Unheard, errLost)
		}
	}
}

func (d *deaf) GiveUp(string) { d.gaveUp.Add(1) }
func (*deaf) Close()          {}

// told is what a message's outcomes were, in order.
type told struct{ done, settled chan error }

func putDoubtful(t *testing.T, d *dispatch.Dispatcher) told {
	t.Helper()
	all := told{make(chan error, 2), make(chan error, 2)}
	now := time.Now()
	d.Put(&dispatch.Item{
		Message: kafka.Message{Value: []byte("x")}, Context: t.Context(), Since: now, Deadline: now.Add(patience), Size: 100,
		Sender:  sender(func(_ dispatch.Outcome, err error) { all.done <- err }),
		Settled: func(_ dispatch.Outcome, err error) { all.settled <- err },
	})
	return all
}

// What may have been written is repeated beyond its time for whoever wants to know, though nobody else sends anything.
func TestADoubtfulMessageIsSettledWhenABrokerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outlet := &deaf{}
		d := dispatch.New(dispatch.Config{Outlet: outlet, MaxBuffered: 1 << 20, BatchBytes: 1 << 10, Settle: settling})
		defer d.Close()
		all := putDoubtful(t, d)
		if _, refused := errors.AsType[*kafka.Refused](<-all.done); refused {
			t.Error("what may have been written was refused")
		}
		time.Sleep(settling / 2) //nolint:forbidigo // of the bubble's clock
		if outlet.gaveUp.Load() > 0 || len(all.settled) > 0 {
			t.Error("it was given up, though somebody wants to know")
		}
		outlet.hears.Store(true)
		if err := <-all.settled; err != nil {
			t.Error(err)
		}
	})
}

func TestADoubtfulMessageIsGivenUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outlet := &deaf{}
		d := dispatch.New(dispatch.Config{Outlet: outlet, MaxBuffered: 1 << 20, BatchBytes: 1 << 10, Settle: settling})
		begin := time.Now()
		all := putDoubtful(t, d)
		if err := <-all.done; err == nil {
			t.Error("nobody said that it was written")
		}
		if err := <-all.settled; err == nil {
			t.Error("nobody said that it was written")
		}
		if took := time.Since(begin); took < patience+settling || took > patience+settling+10*time.Second {
			t.Errorf("given up after %s", took)
		}
		if outlet.gaveUp.Load() != 1 {
			t.Errorf("given up %d times", outlet.gaveUp.Load())
		}
		all = putDoubtful(t, d)
		if err := <-all.done; err == nil {
			t.Error("nobody said that it was written")
		}
		d.Close()
		if err := <-all.settled; err == nil {
			t.Error("settled by Close, and not as unknown")
		}
	})
}
