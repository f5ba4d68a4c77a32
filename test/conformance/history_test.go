// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sent is a message of one key as a client prints it.
func sent(offset int64, key, value string) message {
	return message{Topic: "orders", Partition: "0", Offset: offset, Key: &key, Value: &value}
}

// A client that passes over messages where a log has gaps, or changes them, is found out.
func TestMessagesThatCompactionLeftAreMissed(t *testing.T) {
	left := []*kgo.Record{
		{Offset: 2, Key: []byte("a"), Value: []byte("1")}, {Offset: 5, Key: []byte("b"), Value: []byte("2")},
		{Offset: 9, Key: []byte("a"), Value: []byte("3")},
	}
	for name, c := range map[string]struct {
		got []message
		ok  bool
	}{
		"all":                {[]message{sent(2, "a", "1"), sent(5, "b", "2"), sent(9, "a", "3")}, true},
		"cleaned meanwhile":  {[]message{sent(5, "b", "2"), sent(9, "a", "3")}, true},
		"written meanwhile":  {[]message{sent(5, "b", "2"), sent(9, "a", "3"), sent(10, "a", "4")}, true},
		"the latest is lost": {[]message{sent(2, "a", "1"), sent(5, "b", "2")}, false},
		"a key is lost":      {[]message{sent(2, "a", "1"), sent(9, "a", "3")}, false},
		"another value":      {[]message{sent(5, "b", "x"), sent(9, "a", "3")}, false},
	} {
		if err := withoutCleaned(left, c.got); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// So is one that goes on too far behind what retention removed.
func TestMessagesThatRetentionLeftAreMissed(t *testing.T) {
	for _, c := range []struct {
		from, step, before, after int64
		ok                        bool
	}{
		{150, 1, 150, 150, true}, {170, 1, 150, 180, true}, {170, 1, 150, 160, false}, {140, 1, 150, 150, false},
		{150, 2, 150, 150, false},
	} {
		var got []message
		for i := range int64(5) {
			got = append(got, sent(c.from+i*c.step, "", fmt.Sprint(i)))
		}
		if err := withoutGap(got, c.before, c.after); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// What a Kafka lacks is told for each as it is.
func TestReasonsOfLZ4(t *testing.T) {
	for version, want := range map[string]string{
		"0.7.2": "brokers know lz4 since 0.8.2", "0.8.1.1": "brokers know lz4 since 0.8.2",
		"0.9.0.1":  "until 0.9 the checksum in lz4's frames was not lz4's; the writing client has none that is wrong",
		"0.10.2.2": "",
	} {
		c := column{}
		c.release.Version = version
		if got := lz4Possible(c); got != want {
			t.Errorf("%s: %q", version, got)
		}
	}
}
