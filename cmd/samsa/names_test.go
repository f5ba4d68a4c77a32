// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"net"
	"testing"
)

func TestResolverAsksTheServerThatIsNamed(t *testing.T) {
	if resolver("") != nil {
		t.Error("without a name the machine's own resolver is to stay")
	}
	server, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan []byte, 2)
	go func() {
		query := make([]byte, 512)
		for {
			length, from, err := server.ReadFrom(query)
			if err != nil {
				close(asked)
				return
			}
			asked <- bytes.Clone(query[:length])
			query[2], query[3] = query[2]|0x80, query[3]|3 // an answer: there is no such name
			_, _ = server.WriteTo(query[:length], from)
		}
	}()
	_, err = resolver(server.LocalAddr().String()).LookupHost(t.Context(), "kafka-0.shop.svc.")
	if failure, ok := errors.AsType[*net.DNSError](err); !ok || !failure.IsNotFound {
		t.Errorf("got %v", err)
	}
	server.Close()
	for query := range asked {
		if !bytes.Contains(query, []byte("\x07kafka-0\x04shop\x03svc\x00")) {
			t.Errorf("asked %q", query)
		}
	}
}
