// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/cli"
	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/internal/realzk"
)

// selected is the one release that is to be run: go test ./internal/realkafka -args -kafka=3.9, or KAFKA=3.9.
var selected = flag.String("kafka", os.Getenv("KAFKA"), "the release to run, or all; none where it is empty")

// messages is how many each release is given and gives back.
const messages = 1000

func TestEachReleaseStartsAndKeepsWhatItGets(t *testing.T) {
	if *selected == "" {
		return // it needs Java, and minutes
	}
	defer goleak.VerifyNone(t)
	for _, release := range releases(t) {
		t.Run(release.Name, func(t *testing.T) {
			if err := realkafka.Available(release.Name); err != nil {
				t.Fatal(err) // it was asked for
			}
			if release.RunsWithZooKeeper() {
				t.Run("ZooKeeper", func(t *testing.T) { roundTrip(t, release, zooKeeper(t)) })
			}
			if release.RunsWithKRaft() {
				t.Run("KRaft", func(t *testing.T) { roundTrip(t, release, "") })
			}
		})
	}
}

func releases(t *testing.T) []realkafka.Release {
	if *selected == "all" {
		return realkafka.Releases()
	}
	release, err := realkafka.Find(*selected)
	if err != nil {
		t.Fatal(err)
	}
	return []realkafka.Release{release}
}

func zooKeeper(t *testing.T) string {
	if reason, ok := realzk.Available(); !ok {
		t.Fatal(reason)
	}
	server, err := realzk.Start(t.Context(), realzk.Config{Keep: t.Failed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.Addr() + "/kafka"
}

func roundTrip(t *testing.T, release realkafka.Release, zooKeeper string) {
	cluster, err := realkafka.Start(t.Context(), realkafka.Config{
		Version: release.Name, ZooKeeper: zooKeeper, Keep: t.Failed,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	t.Logf("Kafka %s was ready within %s", release.Version, cluster.Broker(0).Took())
	if err := cluster.CreateTopic(t.Context(), realkafka.Topic{Name: "orders", Partitions: 3}); err != nil {
		t.Fatal(err)
	}
	where := []string{"--zookeeper", zooKeeper}
	if zooKeeper == "" {
		where = []string{"--bootstrap", cluster.Bootstrap()}
	}
	var lines, values strings.Builder
	for i := range messages {
		fmt.Fprintf(&lines, "order %d\n", i)
	}
	if said := samsa(t, lines.String(), io.Discard, slices.Concat(where, []string{"publish", "orders"})...); said != nil {
		t.Fatal(said)
	}
	if said := samsa(t, "", &values, slices.Concat(where, []string{"subscribe", "orders", "--group", "billing",
		"--count", strconv.Itoa(messages)})...); said != nil {
		t.Fatal(said)
	}
	if want, got := sorted(lines.String()), sorted(values.String()); !slices.Equal(want, got) {
		t.Errorf("%d messages were published, and %d others came back", len(want), len(got))
	}
}

// samsa runs one of samsa's own commands in this process.
func samsa(t *testing.T, in string, out io.Writer, args ...string) error {
	t.Helper()
	root := &cobra.Command{Use: "samsa", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(cli.Commands()...)
	root.SetArgs(args)
	root.SetIn(strings.NewReader(in))
	root.SetOut(out)
	root.SetErr(t.Output())
	return root.ExecuteContext(t.Context())
}

func sorted(lines string) []string {
	return slices.Sorted(strings.Lines(lines))
}
