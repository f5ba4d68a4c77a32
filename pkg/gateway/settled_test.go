// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"errors"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// doubtful is a Settler that says of every message that its outcome is unknown, until it is settled.
type doubtful struct {
	brokers
	mu      sync.Mutex
	settled []func(client.Produced, error)
}

func (d *doubtful) ProduceSettled(
	ctx context.Context, m kafka.Message, done, settled func(client.Produced, error),
) {
	d.mu.Lock()
	d.settled = append(d.settled, settled)
	d.mu.Unlock()
	d.Produce(ctx, m, func(client.Produced, error) { done(client.Produced{}, errors.New("nobody answered")) })
}

func (d *doubtful) settle(produced client.Produced, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, settled := range d.settled {
		settled(produced, err)
	}
	d.settled = nil
}

var _ = Describe("A message with an Idempotency-Key of which nobody knows whether it was written", func() {
	var d *doubtful
	var url string
	again := func(ctx context.Context) answer {
		return post(ctx, url, "/", "hello", "Idempotency-Key", "k")
	}
	BeforeEach(func(ctx SpecContext) {
		d = &doubtful{}
		_, url = serve(gateway.Config{Producer: d, Window: newWindow(), RequestTimeout: 200 * time.Millisecond})
		Expect(again(ctx).status).To(Equal(504))
	})

	It("is unknown until it is settled, and then was written for all who ask", func(ctx SpecContext) {
		Expect(again(ctx).status).To(Equal(504), "after waiting")
		d.settle(client.Produced{
			Partition: kafka.Partition{ID: "3"}, Offset: 7, Timestamp: theTime(), Held: true,
		}, nil)
		for range 2 {
			a := again(ctx)
			Expect(a.status).To(Equal(201))
			Expect(a.body).To(And(ContainSubstring(`"partition":"3"`), ContainSubstring(`"offset":7`)))
		}
		Expect(d.written()).To(HaveLen(1))
	})

	It("is sent anew if it was not written after all", func(ctx SpecContext) {
		d.settle(client.Produced{}, &kafka.Refused{Err: kafka.ErrUnavailable})
		Expect(again(ctx).status).To(Equal(504))
		Expect(d.written()).To(HaveLen(2))
	})

	It("stays unknown if nobody ever says", func(ctx SpecContext) {
		d.settle(client.Produced{}, errors.New("given up"))
		Expect(again(ctx).status).To(Equal(504))
		Expect(d.written()).To(HaveLen(1))
	})
})
