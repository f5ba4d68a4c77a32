// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// poll hands the batches of each partition to a goroutine of its own, one batch ahead, until ctx ends.
func poll(
	ctx context.Context, client *kgo.Client, deliver func(ctx context.Context, records []*kgo.Record) error,
) error {
	defer client.Close()
	group, delivering := errgroup.WithContext(ctx)
	queues := make([]chan []*kgo.Record, partitions)
	for i := range queues {
		queues[i] = make(chan []*kgo.Record, 1)
		group.Go(func() error {
			for {
				select {
				case records := <-queues[i]:
					if err := deliver(delivering, records); err != nil {
						return err
					}
				case <-delivering.Done():
					return nil
				}
			}
		})
	}
	for delivering.Err() == nil {
		client.PollFetches(delivering).EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) == 0 {
				return
			}
			select {
			case queues[p.Partition] <- p.Records:
			case <-delivering.Done():
			}
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return nil // what was under way when the time was over
	}
	return err
}

func post(ctx context.Context, client *http.Client, url string, value []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(value))
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the sink answers %s", answer.Status)
	}
	return nil
}
