// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"fmt"
	"math"
	"strconv"

	"github.com/samsa-dev/samsa/pkg/gateway/strictjson"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// ReadRecords reads a body of Kafka REST Proxy v2 or Strimzi's bridge:
//
//	{"records": [{"key": K, "value": V, "partition": 3, "timestamp": 1700000000000,
//	              "headers": [{"key": "name", "value": "base64"}]}]}
//
// K and V are what media says: any JSON (RecordsJSON), base64 or text. Where one is missing or null, there is none. The
// schemas of REST Proxy may be there if they are null. partition is that of the path, empty if the path has none.
func ReadRecords(media Media, body []byte, partition string, most int) ([]kafka.Message, error) {
	s, err := strictjson.New(body)
	if err != nil {
		return nil, inJSON("the body", err)
	}
	r := recordReader{scanner: s, media: media, partition: partition, most: most}
	if err = s.Object(r.member); err == nil {
		err = s.End()
	}
	if err == nil && len(r.messages) == 0 {
		err = unfit("records: there must be one at least")
	}
	return r.messages, inJSON("the body", err)
}

type recordReader struct {
	scanner   *strictjson.Scanner
	media     Media
	partition string
	most      int
	found     bool
	messages  []kafka.Message
}

func (r *recordReader) member(name string) error {
	switch name {
	case "records":
		if r.found {
			return unfit("records: it came twice")
		}
		r.found = true
		return r.scanner.Array(r.record)
	case "key_schema", "key_schema_id", "value_schema", "value_schema_id":
		if null, err := r.scanner.Null(); null || err != nil {
			return err
		}
		return unfit("%s: schemas are not known here", name)
	}
	return unfit("%q: there is no member of this name", cut(name))
}

func (r *recordReader) record(i int) error {
	if i >= r.most {
		return tooMany(r.most)
	}
	record := record{scanner: r.scanner, media: r.media}
	record.message.Partition.ID = r.partition
	err := r.scanner.Object(record.field)
	if err == nil {
		err = checkHeaders(&record.message, unfit)
	}
	if err != nil {
		return at(fmt.Sprintf("records[%d]", i), err)
	}
	r.messages = append(r.messages, record.message)
	return nil
}

// Members of a message.
const (
	memberValue       = "value"
	memberValueBase64 = "valueBase64"
)

// record is one message in JSON: of a body of records, or a line of a stream.
type record struct {
	scanner *strictjson.Scanner
	media   Media
	message kafka.Message
	seen    uint8
}

// once refuses a member that came before; bit is the member's.
func (r *record) once(name string, bit uint8) error {
	if r.seen&bit != 0 {
		return unfit("%s: it came twice", name)
	}
	r.seen |= bit
	return nil
}

// The bits of the members of a message.
const (
	seenKey = 1 << iota
	seenValue
	seenPartition
	seenTimestamp
	seenHeaders
)

func (r *record) field(name string) (err error) {
	switch name {
	case "key":
		if err = r.once(name, seenKey); err == nil {
			r.message.Key, err = r.content(name)
		}
	case memberValue:
		if err = r.once(name, seenValue); err == nil {
			r.message.Value, err = r.content(name)
		}
	default:
		return r.common(name)
	}
	return err
}

// common reads the members that all forms of a message share.
func (r *record) common(name string) error {
	switch name {
	case "partition":
		if err := r.once(name, seenPartition); err != nil {
			return err
		}
		if r.message.Partition.ID != "" {
			return unfit("partition: the path says %s", r.message.Partition.ID)
		}
		return r.readPartition()
	case "timestamp":
		if err := r.once(name, seenTimestamp); err != nil {
			return err
		}
		return r.readTimestamp()
	case "headers":
		if err := r.once(name, seenHeaders); err != nil {
			return err
		}
		return r.readHeaders()
	}
	return unfit("%q: there is no member of this name", cut(name))
}

// content reads a key or a value in the form of the media.
func (r *record) content(name string) ([]byte, error) {
	if null, err := r.scanner.Null(); null || err != nil {
		return nil, err
	}
	switch r.media {
	case RecordsJSON:
		raw, err := r.scanner.Raw()
		return strictjson.AppendCompact(make([]byte, 0, len(raw)), raw), err
	case RecordsBinary:
		return r.base64(name)
	default:
		return r.scanner.Text()
	}
}

func (r *record) base64(name string) ([]byte, error) {
	text, err := r.scanner.Text()
	if err != nil {
		return nil, err
	}
	data, err := decodeBase64(text)
	if err != nil {
		return nil, unfit("%s: %v", name, err)
	}
	return data, nil
}

// readPartition takes a number, or the text of one, or null.
func (r *record) readPartition() error {
	if null, err := r.scanner.Null(); null || err != nil {
		return err
	}
	var id string
	if r.scanner.Kind() == strictjson.String {
		text, err := r.scanner.Text()
		if err != nil {
			return err
		}
		id = string(text)
	} else {
		n, err := r.scanner.Int()
		if err != nil {
			return err
		}
		if n > math.MaxInt32 {
			return unfit("partition: %d is none: brokers number them with 32 bits", n)
		}
		id = strconv.FormatInt(n, 10)
	}
	if !validPartition(id) {
		return unfit("partition: %q is none: want a number, or \"1-3\" in Kafka 0.7", cut(id))
	}
	r.message.Partition.ID = id
	return nil
}

func (r *record) readTimestamp() error {
	if null, err := r.scanner.Null(); null || err != nil {
		return err
	}
	n, err := r.scanner.Int()
	if err != nil {
		return err
	}
	t, ok := milliseconds(n)
	if !ok {
		return unfit("timestamp: %d is not within 1970 and 9999, in milliseconds", n)
	}
	r.message.Timestamp = t
	return nil
}
