// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
)

// moves are scenarios where everything lives and goes elsewhere.
func moves() []scenario {
	return []scenario{
		{"three brokers: leaders are moved to others", 3,
			since08(always, "a partition is one broker's for ever"), moved},
	}
}

// moved takes every partition away from its leader while messages flow, twice: at the second time what the first
// leaders had has to be copied back to them.
func moved(ctx context.Context, b *bench) error {
	t, err := b.traffic(ctx)
	if err != nil {
		return err
	}
	_, err = t.flows(ctx)
	for _, time := range []string{"first", "second"} {
		if err == nil {
			err = t.move(ctx, time)
		}
	}
	return errors.Join(err, t.end(ctx))
}

func (t *traffic) move(ctx context.Context, time string) error {
	if err := t.b.servers.moveLeaders(ctx, t.topic); err != nil {
		return err
	}
	took, err := t.flows(ctx)
	if err != nil {
		return fmt.Errorf("after all leaders moved for the %s time: %w", time, err)
	}
	t.b.note("the %s time: on after %s", time, round(took))
	return nil
}
