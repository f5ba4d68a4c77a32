// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"maps"
	"testing"
)

// The tables that Kafka's tools print, release by release.
func TestParseLag(t *testing.T) {
	for name, output := range map[string]string{
		"0.8": `Group           Topic                          Pid Offset          logSize         Lag             Owner
billing         orders                         0   10              10              0               none
billing         orders                         1   5               12              7               none
billing         others                         2   5               12              7               none
`,
		"0.9": `log4j:WARN No appenders could be found for logger (org.apache.kafka.clients.Metadata).
GROUP, TOPIC, PARTITION, CURRENT OFFSET, LOG END OFFSET, LAG, OWNER
billing, orders, 0, 10, 10, 0, samsa-1_/127.0.0.1
billing, orders, 1, 5, 12, 7, samsa-1_/127.0.0.1
billing, orders, 2, unknown, 3, unknown, samsa-1_/127.0.0.1
`,
		"1.1": `Note: This will only show information about consumers that use ZooKeeper
(not those using the Java consumer API).

TOPIC                          PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG        CONSUMER-ID
orders                         0          10              10              0          -
orders                         1          5               12              7          -
orders                         2          -               3               -          -
`,
		"4.4": `
GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG  CONSUMER-ID  HOST  CLIENT-ID
billing         orders          1          5               12              7    -            -     -
billing         orders          0          10              10              0    -            -     -
`,
	} {
		if got, err := parseLag(output, "orders"); err != nil || !maps.Equal(got, map[string]int64{"0": 0, "1": 7}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := parseLag("Consumer group 'billing' does not exist.\n", "orders"); err == nil {
		t.Error("an answer without a table is taken for one")
	}
}
