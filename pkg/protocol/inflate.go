// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// inflater decompresses payloads. It keeps what gzip works with, some 40 KiB, from one to the next.
type inflater struct {
	src  bytes.Reader
	gzip *gzip.Reader
}

// inflate gives what is inside a payload, in memory of its own, of at most limit bytes.
func (f *inflater) inflate(codec Codec, payload []byte, limit int) ([]byte, *fault) {
	var (
		set []byte
		err error
	)
	switch codec {
	case Gzip:
		set, err = f.gunzip(payload, limit)
	case Snappy:
		set, err = unsnappy(payload, limit)
	default:
		return nil, &fault{"attributes", ErrCodec, codec.String()}
	}
	switch {
	case errors.Is(err, ErrInflate):
		return nil, &fault{
			"payload", ErrInflate, fmt.Sprintf("%d bytes of %s, with %d bytes left", len(payload), codec, limit),
		}
	case err != nil:
		return nil, &fault{"payload", ErrCompressed, codec.String() + ": " + err.Error()}
	}
	return set, nil
}

// gunzip reads all members of a gzip file. What stands behind the last and is none is left alone, as Java does.
func (f *inflater) gunzip(src []byte, limit int) ([]byte, error) {
	f.src.Reset(src)
	if err := f.openGzip(); err != nil {
		return nil, err
	}
	set := make([]byte, 0, gzipGuess(src, limit))
	for {
		var err error
		if set, err = appendAll(set, f.gzip, limit); err != nil {
			return nil, err
		}
		if !f.nextMember() {
			return set, nil
		}
	}
}

func (f *inflater) nextMember() bool { return f.src.Len() > 0 && f.openGzip() == nil }

func (f *inflater) openGzip() error {
	if f.gzip == nil {
		f.gzip = new(gzip.Reader)
	}
	if err := f.gzip.Reset(&f.src); err != nil {
		return err
	}
	f.gzip.Multistream(false)
	return nil
}

// gzipGuess is how much memory to begin with. A gzip file says at its end what it inflates to; that is believed up to
// eight times the file, more than most messages compress by and little enough if it is a lie. One byte more finds the
// end without growing.
func gzipGuess(src []byte, limit int) int {
	const trailer, believed = 4, 8
	if len(src) < trailer {
		return 0
	}
	said := int(binary.LittleEndian.Uint32(src[len(src)-trailer:]))
	return min(said, believed*len(src), limit) + 1
}

// appendAll reads to the end, and fails with ErrInflate as soon as dst is longer than limit.
func appendAll(dst []byte, from io.Reader, limit int) ([]byte, error) {
	const least = 512
	for {
		if len(dst) > limit {
			return nil, ErrInflate
		}
		if len(dst) == cap(dst) {
			grown := make([]byte, len(dst), min(max(2*cap(dst), least), limit+1))
			copy(grown, dst)
			dst = grown
		}
		n, err := from.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case errors.Is(err, io.EOF):
			if len(dst) > limit {
				return nil, ErrInflate
			}
			return dst, nil
		case err != nil:
			return nil, err
		}
	}
}
