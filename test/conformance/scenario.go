// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

// scenario is one row of the matrix.
type scenario struct {
	name string
	// brokers is how many it needs: 1 or 3. Those with 3 kill some.
	brokers int
	// without says why a column cannot have it, by its protocol; empty if it can.
	without func(c column) string
	run     func(ctx context.Context, b *bench) error
}

// limit bounds one scenario: three times what the longest (three brokers that die) takes on two idle cores.
const limit = 3 * time.Minute

// scenarios are all, those with one broker first.
func scenarios() []scenario {
	var all []scenario
	for _, list := range [][]scenario{fidelity(), history(), groups(), lagCases(), faults(), moves()} {
		all = append(all, list...)
	}
	return all
}

// since gives a reason to columns older than a version.
func since(version, reason string) func(column) string {
	return func(c column) string {
		if c.release.Before(version) {
			return reason
		}
		return ""
	}
}

// always is for what every Kafka has.
func always(column) string { return "" }

// since08 adds what Kafka 0.7 has not.
func since08(without func(column) string, reason string) func(column) string {
	return func(c column) string {
		if c.release.Before("0.8") {
			return reason
		}
		return without(c)
	}
}

// bench is what one scenario works with.
type bench struct {
	column
	servers servers
	client  program
	name    string
	// notes are printed beside the result: what is worth knowing though it is no failure.
	notes []string
}

// note adds to the result.
func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// topic makes one of the scenario's own.
func (b *bench) topic(ctx context.Context, suffix string, partitions int, config map[string]string) (string, error) {
	name := b.name + suffix
	replicas := 1
	if !b.inProcess() {
		replicas = len(b.brokers())
	}
	return name, b.servers.createTopic(ctx, realkafka.Topic{
		Name: name, Partitions: partitions, Replicas: replicas, Config: config,
	})
}

// runAll runs the scenarios for columns of the same servers, first with one broker, then with three.
func runAll(ctx context.Context, o options, columns []column, m *matrix) error {
	for _, brokers := range []int{1, 3} {
		var rows []scenario
		for _, s := range scenarios() {
			if s.brokers == brokers && o.scenarios.MatchString(s.name) {
				rows = append(rows, s)
			}
		}
		if err := runSome(ctx, o, columns, rows, brokers, m); err != nil {
			return err
		}
	}
	return nil
}

func runSome(ctx context.Context, o options, columns []column, rows []scenario, brokers int, m *matrix) error {
	var wanted []scenario
	for _, s := range rows {
		for _, c := range columns {
			if reason := s.without(c); reason != "" {
				m.add(s.name, c, result{reason: reason})
			} else if len(wanted) == 0 || wanted[len(wanted)-1].name != s.name {
				wanted = append(wanted, s)
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := available(columns[0]); err != nil {
		return err
	}
	begin := time.Now()
	s, err := start(ctx, columns, brokers)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "%-19s %d brokers are ready after %s\n",
		columns[0].servers(), brokers, round(time.Since(begin)))
	for _, row := range wanted {
		for _, c := range columns {
			if row.without(c) != "" {
				continue
			}
			r := runOne(ctx, o, row, c, s)
			m.add(row.name, c, r)
			fmt.Fprintf(os.Stdout, "%-19s %-44s %-10s %s\n", c.servers(), row.name, c.way, r.line())
			if kept, ok := s.(*realServers); ok && r.err != nil {
				kept.failed = true
			}
		}
	}
	return s.stop()
}

func available(c column) error {
	if c.inProcess() {
		return nil
	}
	return realkafka.Available(c.release.Name)
}

func runOne(ctx context.Context, o options, row scenario, c column, s servers) result {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begin := time.Now()
	b := &bench{
		column: c, servers: s, client: program{command: strings.Fields(o.client), where: s.where(c.way)},
		name: strings.Join(words.FindAllString(row.name, -1), "-") + "." + c.way,
	}
	err := row.run(ctx, b)
	return result{ran: true, err: err, took: time.Since(begin), notes: b.notes}
}

// words are what may be in the name of a topic.
var words = regexp.MustCompile(`[a-zA-Z0-9]+`)

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
