// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// lagging is a partition whose leader has one message that not all replicas have: it can be read once they noticed that
// one of them is dead.
type lagging struct {
	kafka.Transport
	message kafka.Message
	heals   time.Time
	// cuts says that another leader takes over then, which has not got the message.
	cuts bool
	hung time.Duration
	read bool
}

func (l *lagging) Positions(
	_ context.Context, partitions []kafka.Partition, place kafka.Place,
) (map[kafka.Partition]int64, error) {
	time.Sleep(l.hung) //nolint:forbidigo // of the bubble's clock
	l.hung = 0
	healed := !time.Now().Before(l.heals)
	end := int64(0)
	if healed && !l.cuts || place.IsWritten() && !healed {
		end = 1
	}
	return map[kafka.Partition]int64{partitions[0]: end}, nil
}

func (*lagging) Add(map[kafka.Partition]int64) {}
func (*lagging) Remove([]kafka.Partition)      {}

func (l *lagging) Poll(ctx context.Context) []kafka.Fetch {
	if !time.Now().Before(l.heals) && !l.read && !l.cuts {
		l.read = true
		return []kafka.Fetch{{Partition: at, Batch: kafka.NewBatch(at, kafka.Messages{l.message})}}
	}
	<-ctx.Done()
	return nil
}

var at = kafka.Partition{Topic: "orders", ID: "0"}

// readTail reads what a transport has, as far as it has to.
func readTail(t *testing.T, transport *lagging) *window.Window {
	t.Helper()
	w := window.New(window.Config{Length: time.Hour})
	ends, err := endsOf(t.Context(), transport, []kafka.Partition{at})
	if err != nil {
		t.Fatal(err)
	}
	tail := &tail{transport: transport, window: w, ends: ends}
	if err := tail.read(t.Context(), map[kafka.Partition]int64{at: 0}); err != nil {
		t.Fatal(err)
	}
	return w
}

// keyed is a message that a gateway wrote with an Idempotency-Key just before it died.
func keyed() kafka.Message {
	id := window.Identify("", "", "k", []byte("x"))
	return kafka.Message{
		Partition: at, Next: 1, Value: []byte("x"),
		Headers: []kafka.Header{{Key: window.HeaderName, Value: []byte(id.Header(time.Now()))}},
	}
}

// What only the leader has becomes what all have when brokers have noticed that a replica is dead, which takes them up
// to half a minute: who takes its key over before has to wait.
func TestRebuildReadsWhatNotAllReplicasHaveYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := readTail(t, &lagging{message: keyed(), heals: time.Now().Add(30 * time.Second)})
		if w.Len() != 1 {
			t.Error("the key is not known: its message would be written twice")
		}
	})
}

func TestRebuildEndsWhereTheNextLeaderHasLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if w := readTail(t, &lagging{message: keyed(), heals: begin.Add(30 * time.Second), cuts: true}); w.Len() != 0 {
			t.Error("a message is known that is gone")
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// A broker that hung answers with what it had when it began to: the rest lies in its sockets.
func TestEndsAreAskedForAgainWhereABrokerHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		w := readTail(t, &lagging{message: keyed(), heals: begin.Add(4 * time.Second), hung: 3 * time.Second, cuts: true})
		if took := time.Since(begin); w.Len() != 0 || took < 3*time.Second+startHold {
			t.Errorf("it took %s", took)
		}
	})
}

// The time that brokers have to write what somebody sent who died begins when they are seen alive.
func TestKeysWaitForBrokersThatAreSeenAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		shares := window.NewShares(window.SharesConfig{Self: "a:1", Hold: time.Second, Begin: startHold})
		settled := make(chan struct{})
		p := &peers{
			self: "a:1", shares: shares, logger: slog.New(slog.DiscardHandler),
			greet: func(context.Context) error {
				if time.Since(begin) < time.Minute {
					return errors.New("frozen")
				}
				return nil
			},
			rebuild: func(context.Context) error { close(settled); return nil },
		}
		ctx, cancel := context.WithCancel(t.Context())
		go p.run(ctx)
		<-settled
		cancel()
		if took := time.Since(begin); took < time.Minute+startHold || took > time.Minute+2*startHold {
			t.Errorf("keys were taken over after %s", took)
		}
	})
}
