// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestPlacesToBegin(t *testing.T) {
	for text, want := range map[string]begin{
		"0":                   {position: 0},
		"42":                  {position: 42},
		"0=42":                {position: -1, positions: map[string]int64{"0": 42}},
		"1-3=7, 0-0=0":        {position: -1, positions: map[string]int64{"1-3": 7, "0-0": 0}},
		"9223372036854775807": {position: 1<<63 - 1},
	} {
		got, err := parseBegin(text)
		if err != nil || got.place != nil || got.position != want.position || !maps.Equal(got.positions, want.positions) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	earliest, err := parseBegin("earliest")
	if err != nil || earliest.place == nil || !earliest.place.IsEarliest() {
		t.Errorf("earliest: got %+v, %v", earliest, err)
	}
	latest, err := parseBegin("latest")
	if err != nil || latest.place == nil || !latest.place.IsLatest() {
		t.Errorf("latest: got %+v, %v", latest, err)
	}
	for _, text := range []string{
		"", "-1", "+1", "1.5", "first", "Earliest", "=1", "0=", "0=-1", "0=1,0=2", "0=1,", "9223372036854775808", "0=1=2",
	} {
		if got, err := parseBegin(text); err == nil {
			t.Errorf("%q is accepted: %+v", text, got)
		}
	}
}

func TestPositionsInATopic(t *testing.T) {
	of := func(ids ...string) (all []kafka.Partition) {
		for _, id := range ids {
			all = append(all, kafka.Partition{Topic: "t", ID: id})
		}
		return all
	}
	one := of("0")
	got, err := begin{position: 42}.in("t", one)
	if err != nil || !maps.Equal(got, positions{one[0]: 42}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := (begin{position: 42}).in("t", of("0-0", "1-0")); err == nil ||
		err.Error() != "--from: topic t has 2 partitions: say which to read, as in --from 0-0=42" {
		t.Errorf("got %v", err)
	}
	if _, err := (begin{position: -1, positions: map[string]int64{"2": 1}}).in("t", of("0", "1")); err == nil ||
		err.Error() != "--from: topic t has no partition 2; it has 0, 1" {
		t.Errorf("got %v", err)
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"90m": now.Add(-90 * time.Minute), "0s": now, "2026-01-31T13:00:00+01:00": now,
		"2026-01-31T12:00:00.5Z": now.Add(500 * time.Millisecond),
	} {
		if got, err := parseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	err := coded(errors.Join(errors.New("a"), usage("b\r\nc")))
	if err.Error() != "a; b; c" {
		t.Errorf("got %q", err)
	}
	if failure := (*Error)(nil); !errors.As(err, &failure) || failure.Code != ExitUsage {
		t.Errorf("got %+v", failure)
	}
	if coded(nil) != nil {
		t.Error("no error is one")
	}
}
