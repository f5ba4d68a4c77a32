// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import "testing"

func TestWhereATopicOfKafka07IsWritten(t *testing.T) {
	live := map[string]Broker{"0": {ID: "0"}, "2": {ID: "2"}, "10": {ID: "10"}}
	for name, test := range map[string]struct {
		registered []string
		spread     bool
		live       map[string]Broker
		want       string
	}{
		"nobody registered it":          {nil, false, live, "[0-0 2-0 10-0]"},
		"nobody, spread":                {nil, true, live, "[0-0 2-0 10-0]"},
		"by number":                     {[]string{"10-0", "2-0", "2-10", "2-2"}, false, live, "[2-0 2-2 2-10 10-0]"},
		"spread to who has not":         {[]string{"2-0", "2-1"}, true, live, "[0-0 2-0 2-1 10-0]"},
		"by key only what there is":     {[]string{"2-0", "2-1"}, false, live, "[2-0 2-1]"},
		"not to a broker that has gone": {[]string{"2-0", "5-0"}, false, live, "[2-0]"},
		"all of its brokers have gone":  {[]string{"5-0", "6-0"}, false, live, "[0-0 2-0 10-0]"},
		"no brokers at all":             {[]string{"5-0"}, true, nil, "[]"},
	} {
		if got := ids(writable07("orders", named(test.registered...), test.live, test.spread)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestEveryBrokerIsTriedTwice(t *testing.T) {
	for name, test := range map[string]struct {
		order []string
		want  string
	}{
		"none":       {nil, "[]"},
		"by key":     {[]string{"1-3"}, "[1-3 1-3]"},
		"one broker": {[]string{"1-3", "1-1", "1-2"}, "[1-3 1-1]"},
		"several":    {[]string{"1-3", "1-1", "0-0", "2-5", "2-6"}, "[1-3 0-0 2-5 1-1 0-0 2-6]"},
	} {
		if got := ids(brokersInTurn(named(test.order...))); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
