// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"math"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Versions are the oldest and the newest Kafka that something fits, "3.9" each; Newest ends in + where it is newer than
// what this build knows. Both are empty while nothing is known.
type Versions struct{ Oldest, Newest string }

// telling are the requests that clients make. What only brokers ask of each other differs between the two kinds of
// controllers of one release, and imitations of Kafka leave it out.
func telling() []kmsg.Key {
	return []kmsg.Key{
		kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata, kmsg.OffsetCommit, kmsg.OffsetFetch,
		kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.Heartbeat, kmsg.LeaveGroup, kmsg.SyncGroup, kmsg.DescribeGroups,
		kmsg.ListGroups, kmsg.SASLHandshake, kmsg.ApiVersions, kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.DeleteRecords,
		kmsg.InitProducerID, kmsg.OffsetForLeaderEpoch, kmsg.AddPartitionsToTxn, kmsg.EndTxn, kmsg.TxnOffsetCommit,
		kmsg.DescribeConfigs, kmsg.SASLAuthenticate, kmsg.DeleteGroups, kmsg.IncrementalAlterConfigs, kmsg.OffsetDelete,
		kmsg.DescribeCluster, kmsg.DescribeProducers, kmsg.ListTransactions, kmsg.ConsumerGroupHeartbeat,
	}
}

// guess says which releases of Kafka offer what a broker offers: the oldest that offers all of it, and the newest all
// of which it offers. Two releases between which no request of clients changed are not told apart. Where there are
// none, as with imitations that leave something out, it is the one that comes closest.
func guess(offered *kversion.Versions) Versions {
	releases := kversion.VersionStrings()
	slices.SortFunc(releases, compareVersions)
	oldest, newest, closest, least := -1, -1, 0, math.MaxInt
	for i, release := range releases {
		known := kversion.FromString(release)
		if oldest < 0 && within(offered, known) {
			oldest = i
		}
		if within(known, offered) {
			newest = i
		}
		if d := distance(known, offered); d <= least {
			closest, least = i, d
		}
	}
	name := func(i int) string { return strings.TrimPrefix(releases[i], "v") }
	switch {
	case oldest >= 0 && newest >= oldest:
		return Versions{name(oldest), name(newest)}
	case oldest < 0 && newest == len(releases)-1:
		return Versions{name(newest), name(newest) + "+"}
	}
	return Versions{name(closest), name(closest)}
}

// within says whether all that one offers to clients, another offers too.
func within(one, another *kversion.Versions) bool {
	for _, key := range telling() {
		mine, _ := one.LookupMaxKeyVersion(key.Int16())
		its, _ := another.LookupMaxKeyVersion(key.Int16())
		if mine > its {
			return false
		}
	}
	return true
}

// distance is by how many versions of requests two differ.
func distance(one, another *kversion.Versions) (sum int) {
	for _, key := range telling() {
		mine, _ := one.LookupMaxKeyVersion(key.Int16())
		its, _ := another.LookupMaxKeyVersion(key.Int16())
		sum += max(int(mine)-int(its), int(its)-int(mine))
	}
	return sum
}

// compareVersions puts 0.9 before 0.10.1 before 4.0 before 4.0+.
func compareVersions(a, b string) int {
	return slices.CompareFunc(numbersOf(a), numbersOf(b), func(x, y int) int { return x - y })
}

func numbersOf(version string) []int {
	var numbers []int
	for part := range strings.SplitSeq(strings.TrimPrefix(version, "v"), ".") {
		number := 0
		for _, digit := range part {
			if digit == '+' {
				numbers = append(numbers, number)
				number = 1
				continue
			}
			number = number*10 + int(digit-'0')
		}
		numbers = append(numbers, number)
	}
	return numbers
}

// spanning are the versions of both together.
func (v Versions) spanning(other Versions) Versions {
	switch {
	case v == Versions{}:
		return other
	case other == Versions{}:
		return v
	}
	if compareVersions(other.Oldest, v.Oldest) < 0 {
		v.Oldest = other.Oldest
	}
	if compareVersions(other.Newest, v.Newest) > 0 {
		v.Newest = other.Newest
	}
	return v
}

// WithoutZooKeeper says that a Kafka of this version cannot have one.
func WithoutZooKeeper(version string) bool {
	return version != "" && compareVersions(version, "4.0") >= 0
}

// MakesTopics says whether brokers of this version can be asked to make a topic. One that is not known may be any.
func MakesTopics(version string) bool {
	return version == "" || compareVersions(version, "0.10.1") >= 0
}

// DefaultReplicas says whether brokers of this version, which is as above, can be asked to put a topic on as many of
// them as they are configured with.
func DefaultReplicas(version string) bool {
	return version == "" || compareVersions(version, "2.4") >= 0
}
