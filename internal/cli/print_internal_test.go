// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

func full() kafka.Message {
	return kafka.Message{
		Partition: kafka.Partition{Topic: "orders", ID: "1-3"}, Offset: 42, Index: 2,
		Timestamp: time.UnixMilli(1500).In(time.FixedZone("", 3600)),
		Key:       []byte("k"), Value: []byte("a<b\n\x00"),
		Headers: []kafka.Header{{Key: "h", Value: []byte{0xff}}, {Key: "none"}},
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format  string
		message kafka.Message
		want    string
	}{
		{formatRaw, full(), "a<b\n\x00\n"},
		{formatRaw, kafka.Message{}, "\n"},
		{
			formatJSON, full(), `{"topic":"orders","partition":"1-3","offset":42,"index":2,` +
				`"timestamp":"1970-01-01T00:00:01.5Z","key":"k","value":"a<b\n\u0000",` +
				`"headers":[{"key":"h","value":null,"valueBase64":"/w=="},{"key":"none","value":null}]}` + "\n",
		},
		{
			formatJSON, kafka.Message{Key: []byte{0xff}, Value: []byte{}}, `{"topic":"","partition":"","offset":0,"index":0,` +
				`"timestamp":null,"key":null,"keyBase64":"/w==","value":"","headers":[]}` + "\n",
		},
		{
			formatTable, full(), "PARTITION                       OFFSET  KEY               VALUE\n" +
				"orders/1-3                        42.2  k                 \"a<b\\n\\x00\"\n",
		},
		{
			formatTable, kafka.Message{Value: []byte("ä b")},
			"PARTITION                       OFFSET  KEY               VALUE\n" +
				"/                                    0  -                 ä b\n",
		},
	} {
		var out bytes.Buffer
		p := &printer{out: &out, format: c.format}
		if err := p.print(c.message); err != nil || out.String() != c.want {
			t.Errorf("%s: %v, got\n%s, want\n%s", c.format, err, &out, c.want)
		}
	}
}

func TestATableHasOneHeader(t *testing.T) {
	var out bytes.Buffer
	p := &printer{out: &out, format: formatTable}
	_, _ = p.print(full()), p.print(full())
	if n := bytes.Count(out.Bytes(), []byte("PARTITION")); n != 1 {
		t.Errorf("%d headers in\n%s", n, &out)
	}
}

// writes counts them.
type writes struct {
	n   int
	err error
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return len(p), w.err
}

// What is acknowledged has left the process: so each message is written by itself, and its error is the message's.
func TestEachMessageIsOneWrite(t *testing.T) {
	out := &writes{}
	p := &printer{out: out, format: formatJSON}
	for range 3 {
		if err := p.print(full()); err != nil {
			t.Fatal(err)
		}
	}
	if out.n != 3 {
		t.Errorf("%d writes", out.n)
	}
	out.err = fmt.Errorf("write /dev/stdout: %w", syscall.EPIPE)
	if err := p.print(full()); !errors.Is(err, errClosedPipe) {
		t.Errorf("got %v", err)
	}
	out.err = io.ErrShortWrite
	if err := p.print(full()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}

func TestWarningsAreRepeatedNowAndThen(t *testing.T) {
	now := time.Unix(0, 0)
	var out bytes.Buffer
	w := newWarnings(&out, func() time.Time { return now })
	for range 2 {
		for _, text := range []string{"a\nb", "c", "a\nb", "c"} {
			w.warn(errors.New(text))
		}
		now = now.Add(warnAgain)
	}
	if want := strings.Repeat("warning: a; b\nwarning: c\n", 2); out.String() != want {
		t.Errorf("got %q", out.String())
	}
	w.warn(errors.New("d"))
	if len(w.told) != 1 {
		t.Errorf("%d texts are kept", len(w.told))
	}
}

func TestNumbers(t *testing.T) {
	var out bytes.Buffer
	rows := []partitionRow{{ID: "0", Earliest: 0, End: 7, Size: 7}, {ID: "1", Earliest: unknown, End: 7, Size: unknown}}
	for _, row := range rows {
		if err := writeJSON(&out, row); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"topic":"","partition":"0","earliest":0,"end":7,"size":7,"unit":""}` + "\n" +
		`{"topic":"","partition":"1","earliest":null,"end":7,"size":null,"unit":""}` + "\n"
	if out.String() != want || unknown.String() != "-" {
		t.Errorf("got %s", &out)
	}
	for _, c := range [][4]number{
		{5, 0, 9, 4}, {-1, 3, 9, 6}, {2, 3, 9, 6}, {12, 3, 9, 0}, {5, -1, 9, -1}, {5, 0, -1, -1},
	} {
		if got := lag(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("lag of %v: %d", c, got)
		}
	}
}

// A claim in ZooKeeper may hold anything.
func TestCellsDoNoHarm(t *testing.T) {
	var out bytes.Buffer
	rows := []groupPartition{{Topic: "t", ID: "0", Owner: "\x1b[2J\tx", Unit: unitMessages}}
	if err := writePartitions(&out, formatTable, rows, nil); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "\x1b") || !strings.Contains(text, `"\x1b[2J\tx"`) {
		t.Errorf("got %q", text)
	}
	out.Reset()
	failure := errors.New("nobody answers")
	if err := writePartitions(&out, formatTable, nil, failure); !errors.Is(err, failure) || out.Len() > 0 {
		t.Errorf("with nothing but a failure: %v, and wrote %q", err, &out)
	}
}
