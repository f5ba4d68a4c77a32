// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package topics

import (
	"errors"
	"testing"
	"time"
)

func TestATopicThatWasMadeIsUnseenAfterAWhile(t *testing.T) {
	made := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		created time.Time
		err     error
		after   time.Duration
		want    time.Time
	}{
		"never made":                {after: time.Hour},
		"on its way":                {created: made, after: unseenAfter - 1},
		"not seen":                  {created: made, after: unseenAfter, want: made},
		"refused when asked again":  {created: made, err: errors.New("refused"), after: time.Hour},
		"not seen for a long while": {created: made, after: time.Hour, want: made},
	} {
		if got := unseen(test.created, test.err, made.Add(test.after)); !got.Equal(test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	if (Found{Missing: true}).same(Found{Missing: true, Unseen: made}) {
		t.Error("nobody is told that a topic stays away")
	}
}
