// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

func TestReleasesAreGuessed(t *testing.T) {
	t.Parallel()
	for _, text := range kversion.VersionStrings() {
		version := strings.TrimPrefix(text, "v")
		got := guess(kversion.FromString(text))
		if compareVersions(got.Oldest, version) > 0 || compareVersions(got.Newest, version) < 0 {
			t.Errorf("%s is taken for %s to %s", version, got.Oldest, got.Newest)
		}
		// 3.2, 3.3 and 3.4 do not differ in what clients ask, nor do 4.2 and 4.3.
		if got.Oldest != got.Newest && !slices.Contains([]string{"3.2", "3.3", "3.4", "4.2", "4.3"}, version) {
			t.Errorf("%s is not told from others: %s to %s", version, got.Oldest, got.Newest)
		}
	}
}

func TestWhatFitsNoReleaseIsTheClosest(t *testing.T) {
	t.Parallel()
	imitation := kversion.FromString("3.9")
	imitation.SetMaxKeyVersion(kmsg.DescribeProducers.Int16(), -1)
	imitation.SetMaxKeyVersion(kmsg.OffsetDelete.Int16(), -1)
	if got := guess(imitation); got != (Versions{"3.9", "3.9"}) {
		t.Errorf("a 3.9 that leaves something out is taken for %v", got)
	}
	newest := strings.TrimPrefix(kversion.VersionStrings()[0], "v")
	coming := kversion.Stable()
	highest, _ := coming.LookupMaxKeyVersion(kmsg.Fetch.Int16())
	coming.SetMaxKeyVersion(kmsg.Fetch.Int16(), highest+1)
	if got := guess(coming); got != (Versions{newest, newest + "+"}) {
		t.Errorf("one newer than all is taken for %v", got)
	}
}

func TestVersionsAreInOrder(t *testing.T) {
	t.Parallel()
	order := []string{"0.7", "0.8", "0.8.2", "0.9", "0.9.0", "0.10.1", "0.11.0", "1.0", "2.8", "3.9", "4.4", "4.4+"}
	if !slices.IsSortedFunc(order, compareVersions) {
		t.Error("not in order")
	}
	for i, version := range order[1:] {
		if compareVersions(version, order[i]) <= 0 || compareVersions(order[i], version) >= 0 {
			t.Errorf("%s is not behind %s", version, order[i])
		}
	}
}

func TestBrokersTogetherSpanTheirVersions(t *testing.T) {
	t.Parallel()
	offers := []Offer{
		{Versions: Versions{"3.2", "3.4"}, Registers: true}, {}, {Versions: Versions{"2.8", "2.8"}},
		{Versions: Versions{"4.4", "4.4+"}, Raft: true},
	}
	got := Summarize(offers)
	if want := (Summary{Versions: Versions{"2.8", "4.4+"}, Raft: true, Registers: true}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatIsDegraded(t *testing.T) {
	t.Parallel()
	for version, want := range map[string][]string{
		"": nil, "3.1": nil, "4.4": nil,
		"2.8":    {"topic's id"},
		"0.11.0": {"topic's id", "where a log was cut"},
		"0.10.2": {"topic's id", "where a log was cut", "headers", "idempotent"},
		"0.8": {
			"topic's id", "where a log was cut", "headers", "idempotent", "by time", "timestamps", "SASL", "groups", "TLS",
		},
	} {
		got := Degraded(version)
		if len(got) != len(want) {
			t.Errorf("%s: %q", version, got)
			continue
		}
		for i, sentence := range got {
			if !strings.Contains(sentence, want[i]) || !strings.HasPrefix(sentence, "Kafka "+version+" ") {
				t.Errorf("%s: %q does not tell of %q", version, sentence, want[i])
			}
		}
	}
}
