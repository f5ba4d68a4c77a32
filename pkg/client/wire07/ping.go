// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// pingTopic is what is asked for to see whether a broker answers. A fetch makes no topic.
const pingTopic = "samsa-ping"

// Ping reports whether any broker answers, by asking all of them at once: one that hangs hides no healthy one. The
// error says what each of them did. Safe for concurrent use.
func (t *Transport) Ping(ctx context.Context) error {
	ctx, release := t.bind(ctx)
	ids := t.brokers.ids()
	failures := make([]error, len(ids))
	var asking sync.WaitGroup
	for i, id := range ids {
		asking.Go(func() {
			if failures[i] = t.ping(ctx, id); failures[i] == nil {
				release() // which ends the others
			}
		})
	}
	asking.Wait()
	release()
	for _, err := range failures {
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("no broker answers: %w", errors.Join(failures...))
}

func (t *Transport) ping(ctx context.Context, broker string) error {
	conn, err := t.connect(ctx, broker)
	if err != nil {
		return err
	}
	defer conn.close()
	if err := conn.send((&protocol.FetchRequest{Topic: pingTopic}).AppendTo(nil)); err != nil {
		return err
	}
	body, err := conn.receive(codeBytes, nil)
	if err != nil {
		return err
	}
	var answer protocol.FetchResponse
	if err := answer.Decode(body); err != nil {
		return fmt.Errorf("%s: %w", conn.peer, err)
	}
	return answer.Code.Err()
}
