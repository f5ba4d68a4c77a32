// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/sink/discard"
)

// always is a lease that holds.
type always struct{ ctx context.Context } //nolint:containedctx // it is what a lease hands out

func (a always) Context() context.Context { return a.ctx }

// What a transport gives a partition up for blocks it, with the transport's words, and nothing else does.
func TestWhatCannotBeFetchedBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pump.New(pump.Config{Sink: discard.New()})
		partition := kafka.Partition{Topic: "orders", ID: "1-0"}
		lane := p.Assign(client.Assignment{
			Partition: partition, Position: 100, Lease: always{t.Context()}, Ready: func() {},
		})
		defer func() {
			lane.Stop()
			p.Wait()
		}()
		corrupt, away := errors.New("corrupt at 100"), errors.New("connection refused")
		message := kafka.NewBatch(partition, kafka.Messages{{Partition: partition, Offset: 100, Next: 101}})
		for _, step := range []struct {
			what  string
			fetch kafka.Fetch
			want  error
		}{
			{"a broker that is away", kafka.Fetch{End: -1, Err: away}, nil},
			{"a message that cannot be read", kafka.Fetch{End: -1, Err: corrupt, Stopped: true}, corrupt},
			{"its broker, away meanwhile", kafka.Fetch{End: -1, Err: away}, corrupt},
			{"a log that goes on behind it", kafka.Fetch{End: 200}, corrupt},
			{"a log that ends there", kafka.Fetch{End: 100}, nil},
			{"another that cannot be read", kafka.Fetch{End: -1, Err: away, Stopped: true}, away},
			{"a message", kafka.Fetch{End: 200, Batch: message}, nil},
		} {
			step.fetch.Partition = partition
			lane.Fetched(step.fetch)
			synctest.Wait()
			if s := p.Status()[0]; s.Blocked != (step.want != nil) || !errors.Is(s.Err, step.want) {
				t.Errorf("after %s: %+v, want %v", step.what, s.Status, step.want)
			}
		}
	})
}
