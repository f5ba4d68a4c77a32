// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/samsa-dev/samsa/internal/cli"
)

// hangUpOn has the brokers do what old ones do with a request that they do not know.
func (t *target) hangUpOn(keys ...kmsg.Key) {
	fake := t.Kafka.Fake()
	for _, key := range keys {
		fake.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			return nil, errors.New("an unknown request"), true
		})
	}
}

// tellAll has the brokers tell of all topics where none is named, as they did before Kafka 0.10.
func (t *target) tellAll() {
	fake := t.Kafka.Fake()
	fake.ControlKey(kmsg.Metadata.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked := request.(*kmsg.MetadataRequest) //nolint:forcetypeassert // by its key
		if asked.Version == 0 && len(asked.Topics) == 0 {
			asked.Topics = nil
		}
		return nil, nil, false
	})
}

// tellNamed has the brokers tell of positions as they did before Kafka 0.10.2: of those alone that are asked for.
func (t *target) tellNamed() {
	fake := t.Kafka.Fake()
	fake.ControlKey(kmsg.OffsetFetch.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked := request.(*kmsg.OffsetFetchRequest) //nolint:forcetypeassert // by its key
		return asked.ResponseKind(), nil, len(asked.Topics) == 0
	})
}

// commit writes a group's position in a way that Kafka 0.9 has.
func (t *target) commit(ctx context.Context, group string, partition int32, position int64) {
	GinkgoHelper()
	client, err := kgo.NewClient(kgo.SeedBrokers(t.Brokers().Addrs()...), kgo.MaxVersions(kversion.V0_9_0()))
	Expect(err).NotTo(HaveOccurred())
	defer client.Close()
	offsets := kadm.Offsets{}
	offsets.AddOffset("orders", partition, position, -1)
	Expect(kadm.NewClient(client).CommitAllOffsets(ctx, group, offsets)).To(Succeed())
}

var _ = Describe("Brokers that cannot say what they understand", func() {
	inWays([]string{byBrokers}, "are of Kafka 0.9", func(ctx SpecContext, t *target) {
		t.hangUpOn(kmsg.ApiVersions)
		t.tellAll()
		t.tellNamed()
		Expect(t.Kafka.CreateTopic(ctx, "__consumer_offsets", 1)).To(Succeed()) // it is one as any, to them
		Expect(field(t.objects(ctx, "topics"), "name")).To(Equal([]any{"orders"}))
		t.commit(ctx, "billing", 2, 7)
		Expect(field(t.objects(ctx, "offsets", "orders", "--group", "billing"), "committed")).To(
			Equal([]any{nil, nil, 7.0, nil}))
		groups := t.objects(ctx, "groups", "billing")
		Expect(groups).To(HaveLen(1))
		Expect(groups[0]["partitions"]).To(ContainElement(SatisfyAll(
			HaveKeyWithValue("partition", "2"), HaveKeyWithValue("committed", 7.0))))
	})

	inWays([]string{byBrokers}, "are of Kafka 0.8 and coordinate no groups", func(ctx SpecContext, t *target) {
		t.hangUpOn(kmsg.ApiVersions, kmsg.ListGroups)
		t.tellAll()
		Expect(field(t.objects(ctx, "topics"), "name")).To(Equal([]any{"orders"}))
		for _, args := range [][]string{
			{"subscribe", "orders", "--group", "billing"}, {"offsets", "orders", "--group", "billing"}, {"groups"},
		} {
			r := t.run(ctx, "", args...)
			Expect(r.failure).To(MatchError(ContainSubstring("older than Kafka 0.9: give --zookeeper")))
			Expect(code(r.failure)).To(Equal(cli.ExitUsage))
		}
	})
})

var _ = Describe("A member of a group", func() {
	inWays([]string{byBrokers}, "is silent for no longer than old brokers allow", func(ctx SpecContext, t *target) {
		const most = 30_000 // Kafka 0.9 and 0.10.0, by default
		fake := t.Kafka.Fake()
		fake.ControlKey(kmsg.JoinGroup.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			join := request.(*kmsg.JoinGroupRequest)                  //nolint:forcetypeassert // by its key
			response := join.ResponseKind().(*kmsg.JoinGroupResponse) //nolint:forcetypeassert // of a join
			response.ErrorCode = kerr.InvalidSessionTimeout.Code
			return response, nil, join.SessionTimeoutMillis > most
		})
		t.must(ctx, "", "publish", "orders", "one")
		Expect(t.must(ctx, "", "subscribe", "orders", "--group", "billing", "--count", "1")).To(Equal("one\n"))
	})
})
