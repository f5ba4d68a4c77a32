// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

// BenchmarkWrites is 16 clients that write nodes of their own, as a group of workers commits offsets.
func BenchmarkWrites(b *testing.B) {
	s, err := Start(b.Context(), Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	const clients = 16
	var conns []*zk.Conn
	for i := range clients {
		conn, _, err := zk.Connect([]string{s.Addr()}, 4*time.Second, zk.WithLogger(quiet{}))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(conn.Close)
		if _, err := conn.Create(path(i), nil, zk.FlagEphemeral, open()); err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var group sync.WaitGroup
	for i, conn := range conns {
		group.Go(func() {
			for range b.N/clients + 1 {
				if _, err := conn.Set(path(i), []byte("0123456789"), -1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func path(i int) string { return "/n" + string(rune('a'+i)) }
