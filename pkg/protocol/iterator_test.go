// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// kafkaSays walks a set as Kafka's own iterator does and says what it reports, in the words of the recording.
func kafkaSays(set []byte, start int64, shallow bool) []string {
	it := protocol.Iterator{Strict: true, Shallow: shallow}
	it.Reset(set, start)
	var lines []string
	for it.Next() {
		m := it.Message()
		// What Kafka calls the offset of a message is where to go on behind it: Next.
		lines = append(lines, fmt.Sprintf("offset=%d codec=%s magic=%d payload=%s",
			m.Next, kafkaCodec(m.Codec()), m.Magic, m.Payload))
	}
	if err := it.Err(); err != nil {
		text := fmt.Sprintf("kafka.common.InvalidMessageSizeException: invalid message size: %d only received bytes: %d "+
			"at %d( possible causes (1) a single message larger than the fetch size; (2) log corruption )",
			it.Missing()-protocol.SizeBytes, len(set)-protocol.SizeBytes, it.Position())
		return append(lines, "EXC "+text, "EXC validBytes "+text)
	}
	return append(lines, fmt.Sprintf("validBytes=%d", it.Position()-start))
}

func kafkaCodec(c protocol.Codec) string {
	switch c {
	case protocol.Gzip:
		return "GZIPCompressionCodec"
	case protocol.Snappy:
		return "SnappyCompressionCodec"
	default:
		return "NoCompressionCodec"
	}
}

func TestKafkasIterator(t *testing.T) {
	var recorded struct {
		Runs []struct {
			Case    string   `json:"case"`
			Initial int64    `json:"initial_offset"` //nolint:tagliatelle // as recorded
			Mode    string   `json:"mode"`
			Lines   []string `json:"lines"`
		} `json:"runs"`
	}
	parseJSON(t, recording(t, "iter", "iter.json"), &recorded)
	if len(recorded.Runs) < 20 {
		t.Fatalf("only %d runs", len(recorded.Runs))
	}
	plain, zipped := segment(t, "t-none-0"), segment(t, "t-gzip-0")
	// What was fetched, as slices of the recorded logs. Where a fetch was cut is known from what the iterator said of
	// it.
	sets := map[string][]byte{
		"fetch_whole":               plain,
		"fetch_truncated":           plain[:40],
		"fetch_truncated_mid_first": plain[:4+6],
		"fetch_second_message":      plain[15:],
		"fetch_mid_message_offset":  plain[3:],
		"fetch_at_end":              nil,
		"fetch_magic0":              segment(t, "t-magic0-0"),
		"fetch_gzip":                zipped,
		"fetch_gzip_second":         zipped[82:],
		"fetch_gzip_truncated":      zipped[:100],
		"fetch_gzip_mid_first":      zipped[:4+56],
		"fetch_snappy":              segment(t, "t-snappy-0"),
		"fetch_empty_payload":       segment(t, "t-empty-0"),
	}
	for _, run := range recorded.Runs {
		t.Run(run.Case+"/"+run.Mode, func(t *testing.T) {
			set, ok := sets[run.Case]
			if !ok {
				t.Fatal("a run that this test does not know")
			}
			shallow := run.Mode == "shallow"
			got := kafkaSays(set, run.Initial, shallow)
			if len(got) != len(run.Lines) {
				t.Fatalf("got %q, want %q", got, run.Lines)
			}
			for i := range got {
				got, want := got[i], run.Lines[i]
				if shallow && !strings.Contains(want, "NoCompressionCodec") {
					// Compressed bytes did not survive being recorded as text.
					got, _, _ = strings.Cut(got, "payload=")
					want, _, _ = strings.Cut(want, "payload=")
				}
				if got != want {
					t.Errorf("line %d: got %q, want %q", i, got, want)
				}
			}
		})
	}
}

// Every segment that the broker wrote is a set of whole messages.
func TestRecordedSegments(t *testing.T) {
	abc := three
	for log, want := range map[string][]string{
		"t-none-0":         abc,
		"t-gzip-0":         {abc[0], abc[1], abc[2], abc[0], abc[1], abc[2]},
		"t-snappy-0":       abc,
		"t-magic0-0":       {abc[0], abc[1], abc[2], abc[0]},
		"t-empty-0":        {""},
		"t-emptyset-0":     {},
		"t-multi-a-0":      abc,
		"t-multi-b-1":      abc,
		"t-random-1":       abc,
		"t-ack-0":          abc,
		"t-bad-0":          {},
		"t-trunc-0":        {abc[0], abc[0]},
		"t-attr-0":         {abc[0]},
		"t-mp1-0":          abc,
		"t-mp2-0":          {},
		"t-mq1-0":          abc,
		"t-mq2-0":          {},
		"t-mq3-0":          abc,
		"t-snraw-0":        {abc[0], abc[1]},
		"t-snx-0":          {abc[0], abc[1], abc[0], abc[1]},
		"t-max-0":          {strings.Repeat("x", 4096), strings.Repeat("y", 9000)},
		"mid1795355006-0":  {"good"},
		"wac1795355005-0":  {},
		"ord1795354990x-0": {"one", "two", "three"},
		"ord1795354990-0":  nil, // 2000 messages and more
	} {
		t.Run(log, func(t *testing.T) {
			set := segment(t, log)
			var it protocol.Iterator
			it.Reset(set, 1000)
			list, err := walk(&it)
			if err != nil {
				t.Fatal(err)
			}
			if it.Position() != 1000+int64(len(set)) || it.Missing() != 0 {
				t.Errorf("ended at %d of %d, missing %d", it.Position()-1000, len(set), it.Missing())
			}
			if got := payloads(list); want != nil && !slices.Equal(got, want) {
				t.Errorf("got %.500q", got)
			}
		})
	}
	logs, err := os.ReadDir("testdata/log")
	if err != nil || len(logs) != 25 {
		t.Errorf("%d logs, %v; this test knows 25", len(logs), err)
	}
}

// The messages of a wrapper share its start, are told apart by their index, and only the last one leads out.
func TestPositionsInsideWrappers(t *testing.T) {
	list, err := deep(segment(t, "t-gzip-0"), 0)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, list, []message{
		{0, 0, 0, three[0]},
		{0, 0, 1, three[1]},
		{0, 82, 2, three[2]},
		{82, 82, 0, three[0]},
		{82, 82, 1, three[1]},
		{82, 164, 2, three[2]},
	})
}

func TestPositionIsTheNextOfTheLastMessage(t *testing.T) {
	var it protocol.Iterator
	it.Reset(slices.Concat(segment(t, "t-gzip-0"), segment(t, "t-none-0")), 50)
	if it.Position() != 50 {
		t.Errorf("begins at %d", it.Position())
	}
	for it.Next() {
		if it.Position() != it.Message().Next {
			t.Errorf("at %d, next is %d", it.Position(), it.Message().Next)
		}
	}
	if it.Position() != 50+164+69 {
		t.Errorf("ends at %d", it.Position())
	}
}

// A set cut anywhere gives the messages in front of the cut, and says how large the next one is.
func TestCutAnywhere(t *testing.T) {
	set := slices.Concat(segment(t, "t-magic0-0"), segment(t, "t-gzip-0"), segment(t, "t-empty-0"))
	whole, err := deep(set, 0)
	if err != nil {
		t.Fatal(err)
	}
	for n := range set {
		var it protocol.Iterator
		it.Reset(set[:n], 0)
		list, err := walk(&it)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if !slices.Equal(list, whole[:len(list)]) {
			t.Fatalf("cut at %d: got %v", n, list)
		}
		end := int(it.Position())
		if len(list) > 0 && list[len(list)-1].Next != int64(end) {
			t.Errorf("cut at %d: last is %v, position %d", n, list[len(list)-1], end)
		}
		var missing int
		if n-end >= protocol.SizeBytes {
			missing = protocol.SizeBytes + int(set[end+3])
		}
		if it.Missing() != missing {
			t.Errorf("cut at %d: missing %d, want %d", n, it.Missing(), missing)
		}
	}
}

func TestStrictness(t *testing.T) {
	set := segment(t, "t-none-0")
	for n, want := range map[int]error{
		0: nil, 3: nil, 4: protocol.ErrIncomplete, 14: protocol.ErrIncomplete, 15: nil, 20: nil,
	} {
		it := protocol.Iterator{Strict: true}
		it.Reset(set[:n], 0)
		if _, err := walk(&it); !errors.Is(err, want) {
			t.Errorf("cut at %d: got %v, want %v", n, err, want)
		}
	}
}

// A wrapper of nothing is no message, and reading goes on behind it.
func TestEmptyWrappers(t *testing.T) {
	empty := gzipOf(nil)
	set := slices.Concat(empty, segment(t, "t-attr-0"), empty, empty)
	var it protocol.Iterator
	it.Reset(set, 0)
	list, err := walk(&it)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(len(empty))
	compare(t, list, []message{{n, n + 15, 0, "alpha"}})
	if it.Position() != int64(len(set)) {
		t.Errorf("ends at %d of %d", it.Position(), len(set))
	}
}

// Nested wrappers count on through all levels. Empty ones at the end do not hide which message is the last.
func TestNestedWrappers(t *testing.T) {
	plain := segment(t, "t-none-0")
	inner := wrap(t, protocol.Snappy, plain)
	set := wrap(t, protocol.Gzip, slices.Concat(plain, inner, plain[:15], gzipOf(nil)))
	list, err := deep(set, 7)
	if err != nil {
		t.Fatal(err)
	}
	end := 7 + int64(len(set))
	compare(t, list, []message{
		{7, 7, 0, three[0]},
		{7, 7, 1, three[1]},
		{7, 7, 2, three[2]},
		{7, 7, 3, three[0]},
		{7, 7, 4, three[1]},
		{7, 7, 5, three[2]},
		{7, end, 6, three[0]},
	})
}

// Messages keep their memory when the iterator is used again.
func TestMessagesOutliveTheIterator(t *testing.T) {
	set := segment(t, "t-gzip-0")
	var it protocol.Iterator
	var kept []protocol.Message
	for range 3 {
		it.Reset(set, 0)
		for it.Next() {
			kept = append(kept, *it.Message())
		}
	}
	for i, m := range kept {
		if string(m.Payload) != three[i%3] {
			t.Errorf("message %d became %q", i, m.Payload)
		}
		if cap(m.Payload) != len(m.Payload) {
			t.Errorf("message %d: an append could write into what follows", i)
		}
	}
}

func TestUncompressedMessagesAreFree(t *testing.T) {
	set := bytes.Repeat(segment(t, "t-magic0-0"), 100)
	var it protocol.Iterator
	count := 0
	allocs := testing.AllocsPerRun(10, func() {
		it.Reset(set, 0)
		for it.Next() {
			count++
		}
	})
	if allocs != 0 || count == 0 {
		t.Errorf("%v allocations for %d messages", allocs, count)
	}
}

func wrap(t testing.TB, codec protocol.Codec, set []byte) []byte {
	t.Helper()
	var compressor protocol.Compressor
	wrapper, err := compressor.AppendWrapper(nil, codec, set)
	if err != nil {
		t.Fatal(err)
	}
	return wrapper
}
