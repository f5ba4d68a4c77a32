// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

func TestReleasesAreInOrder(t *testing.T) {
	releases := realkafka.Releases()
	if len(releases) < 8 {
		t.Fatalf("pom.xml has only %v", releases)
	}
	if !slices.IsSortedFunc(releases, func(a, b realkafka.Release) int {
		if a.Before(b.Version) {
			return -1
		}
		return 1
	}) {
		t.Errorf("the newest is not the last: %v", releases)
	}
	for _, release := range releases {
		if !strings.HasPrefix(release.Version, release.Name+".") {
			t.Errorf("the release called %s is %s", release.Name, release.Version)
		}
		if !release.RunsWithZooKeeper() && !release.RunsWithKRaft() {
			t.Errorf("%s runs with nothing", release.Name)
		}
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"0.8.2": "0.8.2.2", "0.8": "0.8.2.2", "3": "3.9.2", "3.9": "3.9.2", "3.9.2": "3.9.2", "0.10": "0.10.2.2",
	} {
		if release, err := realkafka.Find(name); err != nil || release.Version != want {
			t.Errorf("%s is %v, %v; want %s", name, release, err, want)
		}
	}
	for _, name := range []string{"", "5", "0.8.2.", "4.4-tools", "0.1"} {
		if release, err := realkafka.Find(name); err == nil {
			t.Errorf("%q is %v", name, release)
		}
	}
	if _, err := realkafka.Find("2.0"); err == nil || !strings.Contains(err.Error(), "2.8, 3.9") {
		t.Errorf("an unknown release: %v, which does not say which there are", err)
	}
}

func TestBefore(t *testing.T) {
	release := realkafka.Release{Version: "0.10.2.2"}
	for version, want := range map[string]bool{
		"0.9": false, "0.10.2": false, "0.10.2.2": false, "0.11": true, "1.0": true,
	} {
		if release.Before(version) != want {
			t.Errorf("0.10.2.2 is before %s: %t", version, !want)
		}
	}
}
