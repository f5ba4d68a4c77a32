// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/internal/realzk"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	topic      = "orders"
	brokers    = 3
	partitions = 6
)

// era is what brokers of a release can and cannot do.
type era struct {
	// once says that they recognize what is repeated; offsets that they tell where a message is; keyed that they keep
	// keys, and that a key has one partition whoever lives.
	once, offsets, keyed bool
	// forgetful brokers, those before 0.11, lose what was acknowledged when they die before all replicas know that it
	// was (KAFKA-1211).
	forgetful bool
}

// record is a message as it is in the topic.
type record struct {
	partition string
	offset    int64
	key       string
	value     []byte
}

// servers are the Kafka that is published to.
type servers interface {
	// cluster is the block of a gateway's configuration that leads to it.
	cluster() string
	era() era
	kill(ids ...int) error
	// start brings brokers back.
	start(ctx context.Context, ids ...int) error
	// settle waits until every replica is in sync.
	settle(ctx context.Context) error
	// moveLeaders has other brokers lead.
	moveLeaders(ctx context.Context) error
	// readAll reads the whole topic.
	readAll(ctx context.Context) ([]record, error)
}

// open starts the servers of a release, and makes the topic.
func open(ctx context.Context, release string) servers {
	GinkgoHelper()
	if release == embedded {
		return openEmbedded(ctx)
	}
	return openReal(ctx, release)
}

// quick are settings that let brokers notice within seconds what takes them half a minute by default.
var quick = map[string]string{
	"broker.session.timeout.ms":               "3000",
	"broker.heartbeat.interval.ms":            "500",
	"zookeeper.session.timeout.ms":            "6000",
	"leader.imbalance.check.interval.seconds": "5",
	"unclean.leader.election.enable":          "false",
	"controlled.shutdown.enable":              "true",
	// What is behind the high watermark on disk is what brokers before 0.11 lose when all die.
	"replica.high.watermark.checkpoint.interval.ms": "500",
}

// machines are brokers in processes of their own.
type machines struct {
	*realkafka.Cluster
	zooKeeper string
}

func openReal(ctx context.Context, name string) servers {
	GinkgoHelper()
	version, keeper, _ := strings.Cut(name, "/")
	release, err := realkafka.Find(version)
	Expect(err).NotTo(HaveOccurred())
	config := realkafka.Config{Version: version, Brokers: brokers, Properties: quick, Keep: failed}
	if keeper != "" || !release.RunsWithKRaft() {
		server, err := realzk.Start(ctx, realzk.Config{Keep: failed})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() error { return server.Close() })
		config.ZooKeeper = server.Addr() + "/kafka"
	} else {
		config.Controllers = 1
	}
	cluster, err := realkafka.Start(ctx, config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return cluster.Stop() }) //nolint:contextcheck // the spec's is over by then
	made := realkafka.Topic{Name: topic, Partitions: partitions, Replicas: brokers}
	if !release.Before("0.8.2") {
		made.Config = map[string]string{"min.insync.replicas": fmt.Sprint(*inSync)}
	}
	Expect(cluster.CreateTopic(ctx, made)).To(Succeed())
	return &machines{cluster, config.ZooKeeper}
}

func (r *machines) cluster() string {
	if r.zooKeeper != "" {
		return fmt.Sprintf("{zookeeper: {connect: %q}}", r.zooKeeper)
	}
	return fmt.Sprintf("{bootstrapServers: [%s]}", r.Bootstrap())
}

func (r *machines) era() era {
	modern := !r.Release().Before("0.11")
	return era{once: modern, offsets: true, keyed: true, forgetful: !modern}
}

func (r *machines) kill(ids ...int) error {
	errs := make([]error, len(ids))
	var killing sync.WaitGroup
	for i, id := range ids { // at once
		killing.Go(func() { errs[i] = r.Broker(id).Kill() })
	}
	killing.Wait()
	return errors.Join(errs...)
}

func (r *machines) start(ctx context.Context, ids ...int) error {
	errs := make([]error, len(ids))
	var starting sync.WaitGroup
	for i, id := range ids {
		starting.Go(func() {
			if errs[i] = r.Broker(id).AwaitGone(ctx); errs[i] == nil {
				errs[i] = r.Broker(id).Start(ctx)
			}
		})
		if r.era().forgetful { // one by one, or the first would for a moment follow one of the others, and be cut
			starting.Wait()
		}
	}
	starting.Wait()
	return errors.Join(errs...)
}

// settle asks until all replicas are in sync, which brokers before 0.9 do not tell.
func (r *machines) settle(ctx context.Context) error {
	if r.zooKeeper != "" {
		return r.AwaitInSync(ctx)
	}
	client, err := r.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	const look = 200 * time.Millisecond // a replica that is back takes some seconds
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		topics, err := admin.ListTopics(ctx, topic)
		lagging := 0
		for _, partition := range topics[topic].Partitions {
			lagging += brokers - len(partition.ISR)
		}
		if err == nil && len(topics[topic].Partitions) == partitions && lagging == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d replicas are not in sync: %w", lagging, context.Cause(ctx)), err)
		}
	}
}

// moveLeaders makes the next replica of each partition the one that should lead it. Until 2.4 no broker could be asked
// for it: those move leaders only back to brokers that have come back.
func (r *machines) moveLeaders(ctx context.Context) error {
	if r.Release().Before("2.4") {
		return nil
	}
	client, err := r.Client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	var assign kadm.AlterPartitionAssignmentsReq
	var elect kadm.TopicsSet
	for number, partition := range topics[topic].Partitions {
		assign.Assign(topic, number, append(slices.Clone(partition.Replicas[1:]), partition.Replicas[0]))
		elect.Add(topic, number)
	}
	answers, err := admin.AlterPartitionAssignments(ctx, assign)
	if err := errors.Join(err, answers.Error()); err != nil {
		return err
	}
	_, err = admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, elect)
	return err
}

// readAll reads each partition to its end.
func (r *machines) readAll(ctx context.Context) ([]record, error) {
	const silence = 5 * time.Second // of brokers that live: then that was all
	client, err := r.Client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var all []record
	for {
		poll, cancel := context.WithTimeout(ctx, silence)
		fetches := client.PollFetches(poll)
		cancel()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		fetches.EachRecord(func(from *kgo.Record) {
			all = append(all, record{fmt.Sprint(from.Partition), from.Offset, string(from.Key), from.Value})
		})
		if fetches.NumRecords() == 0 {
			return all, nil
		}
	}
}

// embedded07 are brokers of Kafka 0.7 in this process.
type embedded07 struct{ *world.World }

func openEmbedded(ctx context.Context) servers {
	GinkgoHelper()
	w, err := world.Start(ctx, world.Config{
		Era: world.Era07, Brokers: brokers, Topics: map[string]int32{topic: partitions},
		Broker07: kafka07.Config{SessionTimeout: 2 * time.Second},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return w.Close() })
	return embedded07{w}
}

func (e embedded07) cluster() string { return fmt.Sprintf("{zookeeper: {connect: %q}}", e.Connect()) }

// era of 0.7: messages have no keys there, and those of a key go elsewhere when a broker dies.
func (embedded07) era() era { return era{} }

func (e embedded07) kill(ids ...int) error {
	var errs []error
	for _, id := range ids {
		errs = append(errs, e.Kafka07.KillBroker(int32(id))) //nolint:gosec // a handful
	}
	return errors.Join(errs...)
}

func (e embedded07) start(ctx context.Context, ids ...int) error {
	var errs []error
	for _, id := range ids {
		errs = append(errs, e.Kafka07.StartBroker(ctx, int32(id))) //nolint:gosec // a handful
	}
	return errors.Join(errs...)
}

func (embedded07) settle(context.Context) error      { return nil }
func (embedded07) moveLeaders(context.Context) error { return nil }

// readAll looks into the brokers' logs.
func (e embedded07) readAll(context.Context) ([]record, error) {
	var all []record
	for _, name := range e.Kafka07.Partitions(topic) {
		stored, err := e.Kafka07.Stored(kafka.Partition{Topic: topic, ID: name}, 0)
		if err != nil {
			return nil, err
		}
		for _, m := range stored {
			all = append(all, record{partition: name, offset: m.Offset, value: m.Value})
		}
	}
	return all, nil
}
