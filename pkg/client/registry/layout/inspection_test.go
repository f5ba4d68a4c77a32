// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func TestMemberOfAThread(t *testing.T) {
	members := []string{"billing_samsa1s.a-1-00000001", "billing_host-1-abc", "kazoo:1", "x", "x-1"}
	isMember := func(id string) bool { return slices.Contains(members, id) }
	for thread, want := range map[string]string{
		"billing_samsa1s.a-1-00000001-0":  "billing_samsa1s.a-1-00000001",
		"billing_samsa1s.a-1-00000002-0":  "",
		"billing_host-1-abc-12":           "billing_host-1-abc",
		"billing_host-1-abc-":             "",
		"billing_host-1-abc-x":            "",
		"kazoo:1":                         "kazoo:1",
		"x-0":                             "x",
		"x-1":                             "x-1", // a member that claims by its id alone is named exactly
		"x-1-0":                           "x-1",
		"":                                "",
		"-0":                              "",
		"billing_samsa1s.a-1-00000001-+1": "",
	} {
		got, ok := layout.MemberOf(thread, isMember)
		if got != want || ok != (want != "") {
			t.Errorf("thread %q: got %q (%v), want %q", thread, got, ok, want)
		}
	}
}

func TestAgreedStrategy(t *testing.T) {
	sticky := layout.Registration{ID: "s", Strategy: layout.Sticky}
	ranged := layout.Registration{ID: "r", Strategy: layout.Range}
	foreign := layout.Registration{ID: "f", Strategy: layout.Range, Foreign: true}
	other := layout.Registration{ID: "g", Strategy: layout.Range, Foreign: true}
	for name, c := range map[string]struct {
		members []layout.Registration
		want    layout.InForce
	}{
		"nobody":   {nil, layout.InForce{}},
		"all ours": {[]layout.Registration{sticky, sticky}, layout.InForce{Strategy: layout.Sticky}},
		"one asks": {[]layout.Registration{sticky, ranged}, layout.InForce{
			Strategy: layout.Range, Why: "member r asks for Range",
		}},
		"one foreign": {[]layout.Registration{foreign, sticky}, layout.InForce{
			Strategy: layout.Range, Foreign: true, Why: "member f is not samsa's",
		}},
		"foreign counts more": {[]layout.Registration{ranged, sticky, foreign, other}, layout.InForce{
			Strategy: layout.Range, Foreign: true, Why: "member f is not samsa's",
		}},
	} {
		if got := layout.Agreed(c.members); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
