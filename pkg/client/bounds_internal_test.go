// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What stands in a status must not change with the port a connection came from, nor grow with the partitions.
func TestWhyEndsAreUnknown(t *testing.T) {
	broker := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 9092}
	broken := func(from int) error {
		return fmt.Errorf("unable to dial: %w", &net.OpError{
			Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: from}, Addr: broker, Err: syscall.ECONNRESET,
		})
	}
	var partitions []kafka.Partition
	var failures []error
	for i := range 100 {
		p := kafka.Partition{Topic: "orders", ID: fmt.Sprint(i)}
		partitions = append(partitions, p)
		failures = append(failures, fmt.Errorf("%s: %w", p, broken(50000+i)))
	}
	failures = append(failures,
		fmt.Errorf("orders/7: %w", context.DeadlineExceeded), fmt.Errorf("orders/8: %w", errors.New("not the leader")))
	known := map[kafka.Partition]int64{partitions[0]: 1}
	got := summarize(partitions, bounds{earliest: known, latest: known}, errors.Join(errors.Join(failures...), nil))
	want := "where the logs of 99 of 100 partitions end is unknown: " +
		"no answer from the brokers in time; not the leader; read 10.0.0.1:9092: connection reset by peer"
	if got == nil || got.Error() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if err := summarize(partitions[:1], bounds{earliest: known, latest: known}, broken(1)); err != nil {
		t.Errorf("all is known, and yet: %v", err)
	}
}

func TestBoundsOfALog(t *testing.T) {
	p := kafka.Partition{Topic: "orders", ID: "0"}
	at := func(position int64) map[kafka.Partition]int64 { return map[kafka.Partition]int64{p: position} }
	for name, c := range map[string]struct {
		found bounds
		want  []int64
	}{
		"known":                     {bounds{earliest: at(2), latest: at(5)}, []int64{2, 5}},
		"unknown":                   {bounds{}, []int64{-1, -1}},
		"half known":                {bounds{latest: at(5)}, []int64{-1, 5}},
		"emptied between questions": {bounds{earliest: at(9), latest: at(5)}, []int64{9, 9}},
	} {
		earliest, latest := c.found.of(p)
		if got := []int64{earliest, latest}; !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestPatienceIsLostAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p patience
		if p.timeout() != patient {
			t.Error("impatient from the start")
		}
		p.lose()
		for range 9 {
			<-time.After(time.Second)
			if p.timeout() != impatient {
				t.Error("patient again too soon")
			}
		}
		<-time.After(time.Second)
		if p.timeout() != patient {
			t.Error("never patient again")
		}
	})
}
