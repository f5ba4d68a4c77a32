// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

// memberEnv makes the test's own binary a member of samsa's: what it is to be stands in it.
const memberEnv = "SAMSA_SHAREDGROUP_MEMBER"

// memberOrder is what a member of samsa's is to be.
type memberOrder struct {
	ZooKeeper    string
	Bootstrap    []string
	Coordination client.Coordination
	Group, Name  string
	Topics       []string
	Ledger       string
}

// session is that of every member here, on both sides.
const session = 6 * time.Second

// commitInterval is how often members commit, as java/OldMember.java does.
const commitInterval = 200 * time.Millisecond

// beMember consumes until the standard input ends; then it leaves the group in order.
func beMember(order memberOrder) error {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // it is no test: it ends with its input
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until its end, whatever is said
		cancel()
	}()
	cluster, err := client.Open(ctx, client.Config{
		ZooKeeper: order.ZooKeeper, Bootstrap: order.Bootstrap, SessionTimeout: session,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	consumer, err := cluster.Consumer(client.ConsumerConfig{
		Group: order.Group, Name: order.Name, Topics: order.Topics, Coordination: order.Coordination,
		CommitInterval: commitInterval,
	})
	if err != nil {
		return errors.Join(err, cluster.Close())
	}
	go tellTrouble(ctx, consumer)
	return errors.Join(record(ctx, consumer, order.Ledger), cluster.Close())
}

// tellTrouble says why the member cannot join, each reason once.
func tellTrouble(ctx context.Context, consumer *client.Consumer) {
	tick := time.NewTicker(looking)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := consumer.Status().RegisterErr; err != nil && err.Error() != told {
			told = err.Error()
			say("unjoined %s\n", told)
		}
	}
}

// record writes each message into the ledger before it counts as delivered.
func record(ctx context.Context, consumer *client.Consumer, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	ledger := bufio.NewWriterSize(file, 0)
	for message, err := range consumer.Messages(ctx) {
		if err != nil {
			say("trouble %v\n", err)
			continue
		}
		_, err = fmt.Fprintf(ledger, "%s %s %d %s\n",
			message.Partition.Topic, message.Partition.ID, message.Offset, message.Value)
		if err := errors.Join(err, ledger.Flush()); err != nil {
			return err
		}
	}
	return file.Close()
}

// newMember starts a process that is a member of samsa's.
func newMember(order memberOrder, log string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	return launch(order.Name, log, []string{memberEnv + "=" + string(text)}, program)
}
