// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"hash/crc32"
	"testing"
)

func TestChecksumsOfAllLengths(t *testing.T) {
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for from := range 17 {
		for to := from; to <= len(data); to++ {
			if got, want := checksum(data[from:to]), crc32.ChecksumIEEE(data[from:to]); got != want {
				t.Fatalf("%d bytes: got %08x, want %08x", to-from, got, want)
			}
		}
	}
}

func FuzzChecksum(f *testing.F) {
	f.Add([]byte("charlie charlie charlie"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := checksum(data), crc32.ChecksumIEEE(data); got != want {
			t.Errorf("got %08x, want %08x", got, want)
		}
	})
}
