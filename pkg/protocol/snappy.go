// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/snappy"
)

// The stream format of snappy-java: a header, then blocks of snappy, each behind its length. Streams may follow one
// another, each with its header.
const (
	xerialMagic = "\x82SNAPPY\x00"
	// xerialHeader is the magic, a version and the lowest version that a reader must know: 8 + 4 + 4 bytes.
	xerialHeader  = 16
	xerialVersion = 1
	// xerialBlock is how much snappy-java, and so Kafka, puts into a block.
	xerialBlock = 32 << 10

	// snappyRatio bounds what snappy can inflate to: its densest element gives 64 bytes for 3. So a block that claims
	// more is a lie, and no memory is taken for it.
	snappyRatio = 64/3 + 1
)

var errXerialBlock = errors.New("the block ends before its length says")

// unsnappy decompresses a xerial stream or a bare block.
func unsnappy(src []byte, limit int) ([]byte, error) {
	if len(src) < xerialHeader || string(src[:len(xerialMagic)]) != xerialMagic {
		total, err := snappyLen(src, limit)
		if err != nil {
			return nil, err
		}
		return snappy.Decode(make([]byte, total), src)
	}
	total, err := walkXerial(src, func([]byte, int) error { return nil }, limit)
	if err != nil {
		return nil, err
	}
	set, at := make([]byte, total), 0
	_, err = walkXerial(src, func(block []byte, n int) error {
		_, err := snappy.Decode(set[at:at+n:at+n], block)
		at += n
		return err
	}, limit)
	return set, err
}

// walkXerial visits the blocks with the number of bytes that each inflates to, and returns the sum.
func walkXerial(src []byte, visit func(block []byte, n int) error, limit int) (int, error) {
	total := 0
	// Fewer than four bytes at the end are left alone, as snappy-java does.
	for len(src) >= SizeBytes {
		if bytes.HasPrefix(src, []byte(xerialMagic)) && len(src) >= xerialHeader {
			if version := int32(binary.BigEndian.Uint32(src[8:])); version < xerialVersion { //nolint:gosec // two's complement
				return 0, fmt.Errorf("version %d of the stream format", version)
			}
			src = src[xerialHeader:]
			continue
		}
		size := int(int32(binary.BigEndian.Uint32(src))) //nolint:gosec // the wire's two's complement
		if size < 0 || size > len(src)-SizeBytes {
			return 0, errXerialBlock
		}
		block := src[SizeBytes : SizeBytes+size]
		n, err := snappyLen(block, limit-total)
		if err != nil {
			return 0, err
		}
		if err := visit(block, n); err != nil {
			return 0, err
		}
		total += n
		src = src[SizeBytes+size:]
	}
	return total, nil
}

// snappyLen is what a block says it inflates to, if that can be true.
func snappyLen(block []byte, limit int) (int, error) {
	n, err := snappy.DecodedLen(block)
	switch {
	case err != nil:
		return 0, err
	case n > snappyRatio*len(block):
		return 0, fmt.Errorf("a block of %d bytes claims to hold %d", len(block), n)
	case n > limit:
		return 0, ErrInflate
	}
	return n, nil
}

// appendXerial compresses as Kafka does.
func appendXerial(dst, src []byte) []byte {
	dst = append(dst, xerialMagic...)
	dst = appendInt32(dst, xerialVersion)
	dst = appendInt32(dst, xerialVersion)
	for len(src) > 0 {
		n := min(len(src), xerialBlock)
		start := len(dst)
		dst = append(dst, make([]byte, SizeBytes+snappy.MaxEncodedLen(n))...)
		// The block is where it belongs already, unless it did not fit.
		size := copy(dst[start+SizeBytes:], snappy.Encode(dst[start+SizeBytes:], src[:n]))
		dst = dst[:start+SizeBytes+size]
		putLength(dst, start)
		src = src[n:]
	}
	return dst
}
