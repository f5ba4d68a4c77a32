// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"slices"
	"testing"
)

func TestPlan(t *testing.T) {
	for wanted, want := range map[string][]string{
		"0.8.2": {"0.8.2.2 ZooKeeper, groups by zookeeper"},
		"3.9": {
			"3.9.2 ZooKeeper, groups by zookeeper", "3.9.2 ZooKeeper, groups by kafka", "3.9.2 KRaft, groups by kafka",
		},
		"4":                   {"4.4.0 KRaft, groups by zookeeper", "4.4.0 KRaft, groups by kafka"},
		"4/KRaft,4/ZooKeeper": {"4.4.0 KRaft, groups by kafka", "4.4.0 KRaft, groups by zookeeper"},
		"3.9/KRaft,embedded,embedded-0.7": {
			"3.9.2 KRaft, groups by kafka", "embedded, groups by zookeeper", "embedded, groups by kafka",
			"embedded-0.7, groups by zookeeper",
		},
	} {
		columns, err := plan(wanted, "zookeeper,kafka")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range columns {
			got = append(got, c.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is %q, not %q", wanted, got, want)
		}
	}
	for _, wrong := range []string{"5", "0.8.2/KRaft", "3.9/kraft"} {
		if _, err := plan(wrong, "kafka"); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
	if _, err := plan("3.9", "raft"); err == nil {
		t.Error("an unknown way is taken")
	}
}

// Every scenario has a name of its own, and each column knows of each whether it can have it.
func TestScenarios(t *testing.T) {
	columns, err := plan("", "zookeeper,kafka")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range scenarios() {
		if names[s.name] {
			t.Errorf("two scenarios are called %q", s.name)
		}
		names[s.name] = true
		runs := slices.ContainsFunc(columns, func(c column) bool { return s.without(c) == "" })
		if !runs || s.brokers != 1 && s.brokers != 3 {
			t.Errorf("%q never runs", s.name)
		}
	}
}

// A name that is mistyped must not look like a list that passes.
func TestNoScenarioIsNoSuccess(t *testing.T) {
	if failed, err := run(t.Context(), []string{"-kafka", "embedded", "-scenario", "no such thing"}); err == nil {
		t.Errorf("%d failures, and no error", failed)
	}
}
