// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"encoding/binary"

	"github.com/klauspost/compress/gzip"
)

// Compressor makes wrappers. The zero Compressor is ready. It keeps what gzip works with, some 800 KiB, from one
// wrapper to the next, and is for one goroutine.
type Compressor struct {
	gzip *gzip.Writer
	out  appendWriter
}

// AppendWrapper appends to dst one message that holds a whole set, compressed. An empty set appends nothing, as
// Kafka's encoder does. The codec must be Gzip or Snappy; anything else gives ErrCodec.
//
// A broker's max.message.size is compared with what the wrapper appends less Overhead, not with the messages inside.
func (c *Compressor) AppendWrapper(dst []byte, codec Codec, set []byte) ([]byte, error) {
	if codec != Gzip && codec != Snappy {
		return dst, &FormatError{
			Of: "wrapper", Field: "attributes", Index: -1, Kind: ErrCodec, Detail: codec.String() + ", want gzip or snappy",
		}
	}
	if len(set) == 0 {
		return dst, nil
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 1, byte(codec), 0, 0, 0, 0)
	if codec == Gzip {
		var err error
		if dst, err = c.appendGzip(dst, set); err != nil {
			return dst[:start], err
		}
	} else {
		dst = appendXerial(dst, set)
	}
	putLength(dst, start)
	binary.BigEndian.PutUint32(dst[start+6:], checksum(dst[start+Overhead:]))
	return dst, nil
}

func (c *Compressor) appendGzip(dst, set []byte) ([]byte, error) {
	c.out.to = dst
	if c.gzip == nil {
		c.gzip = gzip.NewWriter(&c.out)
	} else {
		c.gzip.Reset(&c.out)
	}
	_, err := c.gzip.Write(set)
	if err == nil {
		err = c.gzip.Close()
	}
	dst, c.out.to = c.out.to, nil
	return dst, err
}

// appendWriter is an io.Writer over append.
type appendWriter struct{ to []byte }

func (w *appendWriter) Write(p []byte) (int, error) {
	w.to = append(w.to, p...)
	return len(p), nil
}
