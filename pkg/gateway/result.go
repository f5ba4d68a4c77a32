// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// result is what became of one message.
type result struct {
	client.Produced
	err error
}

func (r *result) status() int {
	switch {
	case r.err != nil:
		p := explain(r.err)
		return p.status
	case r.Held:
		return http.StatusCreated
	}
	return http.StatusAccepted
}

// appendMembers appends where a message is, as members of a JSON object. Names of topics and partitions need no escape.
func (r *result) appendMembers(dst []byte, topic string, stamp *timestamp) []byte {
	dst = append(dst, `"topic":"`...)
	dst = append(dst, topic...)
	dst = append(dst, `","partition":`...)
	dst = appendOr(dst, r.Partition.ID != "", func(dst []byte) []byte {
		return append(append(append(dst, '"'), r.Partition.ID...), '"')
	})
	dst = append(dst, `,"offset":`...)
	dst = appendOr(dst, r.Held && r.Offset >= 0, func(dst []byte) []byte { return strconv.AppendInt(dst, r.Offset, 10) })
	dst = append(dst, `,"timestamp":`...)
	return appendOr(dst, !r.Timestamp.IsZero(), func(dst []byte) []byte {
		return append(stamp.append(append(dst, '"'), r.Timestamp), '"')
	})
}

// appendOr appends null where something is not known.
func appendOr(dst []byte, known bool, value func(dst []byte) []byte) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return value(dst)
}

// timestamp writes times, and keeps the last one as it is written: of many messages that come at once, in bulk, it is
// the same millisecond.
type timestamp struct {
	of   int64 // in ms since 1970
	text []byte
	room [len("2006-01-02T15:04:05.000Z")]byte
}

// append is appendTime. nil keeps nothing.
func (s *timestamp) append(dst []byte, t time.Time) []byte {
	if s == nil {
		return appendTime(dst, t)
	}
	if of := t.UnixMilli(); of != s.of || s.text == nil {
		s.of, s.text = of, appendTime(s.room[:0], t)
	}
	return append(dst, s.text...)
}

// appendTime writes RFC 3339 with milliseconds, which is all that Kafka has.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	dst = t.AppendFormat(dst, time.RFC3339) // which package time is four times as quick with as with other layouts
	ms := byte(t.Nanosecond() / 1e8)
	dst = append(dst[:len(dst)-1], '.', '0'+ms)
	ms = byte(t.Nanosecond() / 1e6 % 100) //nolint:gosec // below 100
	return append(dst, '0'+ms/10, '0'+ms%10, 'Z')
}

// appendResult appends a result of several, with its status.
func (r *result) appendResult(dst []byte, topic string, stamp *timestamp) []byte {
	if r.err != nil {
		p := explain(r.err)
		return append(p.appendMembers(append(dst, '{')), '}')
	}
	dst = append(dst, `{"status":`...)
	dst = strconv.AppendInt(dst, int64(r.status()), 10)
	dst = append(dst, ',')
	return append(r.appendMembers(dst, topic, stamp), '}')
}

// outcome is what the window remembers.
func (r *result) outcome() window.Outcome {
	switch {
	case r.err == nil && r.Held:
		return window.Outcome{
			State: window.Written, Partition: r.Partition.ID, Offset: r.Offset, Timestamp: r.Timestamp,
		}
	case r.err == nil:
		return window.Outcome{State: window.Sent, Partition: r.Partition.ID, Offset: -1, Timestamp: r.Timestamp}
	case isRefused(r.err):
		return window.Outcome{State: window.Refused, Err: r.err}
	}
	return window.Outcome{State: window.Unknown, Err: r.err}
}

// remembered is the result that an outcome of the window stands for.
func remembered(topic string, o window.Outcome) result {
	switch o.State {
	case window.Written, window.Sent:
		return result{Produced: client.Produced{
			Partition: kafka.Partition{Topic: topic, ID: o.Partition}, Offset: o.Offset, Timestamp: o.Timestamp,
			Held: o.State == window.Written,
		}}
	case window.Refused, window.Unknown:
	}
	if o.Err == nil {
		return result{err: errUndecided}
	}
	return result{err: o.Err}
}
