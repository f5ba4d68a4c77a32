// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

// What coordinates a group.
const (
	wayZooKeeper = "zookeeper"
	wayKafka     = "kafka"
)

// The names of servers in the process, which register in a ZooKeeper: those that speak the newest protocol, and Kafka
// 0.7, which never was on Maven Central.
const (
	embedded   = "embedded"
	embedded07 = "embedded-0.7"
)

// column is one of the matrix: a Kafka, where it registers, and what coordinates groups.
type column struct {
	release realkafka.Release // of the embedded servers, the one that they are like
	// kind is embedded or embedded07, or what real brokers register in: ZooKeeper or KRaft.
	kind string
	way  string
}

// Kinds of servers.
const (
	kindZooKeeper = "ZooKeeper"
	kindKRaft     = "KRaft"
)

// servers names what the column runs against, without the way.
func (c column) servers() string {
	if c.inProcess() {
		return c.kind
	}
	return c.release.Version + " " + c.kind
}

// beside tells whether a ZooKeeper is there for groups alone.
func (c column) beside() bool { return c.kind == kindKRaft && c.way == wayZooKeeper }

// inProcess tells whether the servers are embedded ones.
func (c column) inProcess() bool { return c.kind == embedded || c.kind == embedded07 }

func (c column) String() string { return c.servers() + ", groups by " + c.way }

// plan gives the columns for what was asked for.
func plan(wanted, ways string) ([]column, error) {
	var all []column
	for name := range strings.SplitSeq(wanted, ",") {
		switch name {
		case "":
			for _, release := range realkafka.Releases() {
				all = append(all, columnsOf(release)...)
			}
			all = append(append(all, embeddedColumns()...), embedded07Column())
		case embedded:
			all = append(all, embeddedColumns()...)
		case embedded07:
			all = append(all, embedded07Column())
		default:
			columns, err := columnsNamed(name)
			if err != nil {
				return nil, err
			}
			all = append(all, columns...)
		}
	}
	for way := range strings.SplitSeq(ways, ",") {
		if way != wayZooKeeper && way != wayKafka {
			return nil, fmt.Errorf("there is no coordination by %q: give %s or %s", way, wayZooKeeper, wayKafka)
		}
	}
	return slices.DeleteFunc(all, func(c column) bool { return !slices.Contains(strings.Split(ways, ","), c.way) }), nil
}

// columnsNamed are those of a release, as 3.9, or of one kind of its registration, as 3.9/KRaft; 4/ZooKeeper is that of
// KRaft's brokers with a ZooKeeper beside.
func columnsNamed(name string) ([]column, error) {
	name, kind, chosen := strings.Cut(name, "/")
	release, err := realkafka.Find(name)
	if err != nil {
		return nil, err
	}
	columns := columnsOf(release)
	if chosen {
		columns = slices.DeleteFunc(columns, func(c column) bool {
			if c.beside() {
				return kind != kindZooKeeper
			}
			return c.kind != kind
		})
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("kafka %s has no %q: give %s or %s", release.Version, kind, kindZooKeeper, kindKRaft)
	}
	return columns, nil
}

// columnsOf a release: each kind of registration with each coordination that it has.
func columnsOf(release realkafka.Release) []column {
	var all []column
	if release.RunsWithZooKeeper() {
		all = append(all, column{release, kindZooKeeper, wayZooKeeper})
		// 0.8.2 stores positions for others, but knows no members; 0.9 has both.
		if !release.Before("0.9") {
			all = append(all, column{release, kindZooKeeper, wayKafka})
		}
	}
	if release.RunsWithKRaft() {
		// Where brokers cannot register in a ZooKeeper, there may be one beside them.
		if !release.RunsWithZooKeeper() {
			all = append(all, column{release, kindKRaft, wayZooKeeper})
		}
		all = append(all, column{release, kindKRaft, wayKafka})
	}
	return all
}

func embeddedColumns() []column {
	releases := realkafka.Releases()
	newest := releases[len(releases)-1]
	return []column{{newest, embedded, wayZooKeeper}, {newest, embedded, wayKafka}}
}

func embedded07Column() column {
	return column{realkafka.Release{Name: "0.7", Version: "0.7.2"}, embedded07, wayZooKeeper}
}

// byServers puts columns together that run against the same servers.
func byServers(columns []column) [][]column {
	var groups [][]column
	for _, c := range columns {
		last := len(groups) - 1
		if last >= 0 && groups[last][0].servers() == c.servers() {
			groups[last] = append(groups[last], c)
			continue
		}
		groups = append(groups, []column{c})
	}
	return groups
}
