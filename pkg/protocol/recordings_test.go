// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// wireCase is one request, or several written at once, and what the broker did.
type wireCase struct {
	N        int    `json:"n"`
	Name     string `json:"name"`
	Request  string `json:"request"`
	Response string `json:"response"`
}

func wireCases(t testing.TB) []wireCase {
	t.Helper()
	var index struct {
		Cases []wireCase `json:"cases"`
	}
	parseJSON(t, recording(t, "wire", "index.json"), &index)
	if len(index.Cases) < 60 {
		t.Fatalf("only %d cases", len(index.Cases))
	}
	return index.Cases
}

func recording(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parseJSON(t testing.TB, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// segment is the one segment of a log of the recorded broker's.
func segment(t testing.TB, log string) []byte {
	t.Helper()
	return recording(t, "log", log, "00000000000000000000.kafka")
}

// frames splits what was written to a connection; the last may be cut off.
func frames(data []byte) [][]byte {
	var list [][]byte
	for len(data) > 0 {
		n := len(data)
		if len(data) >= protocol.SizeBytes {
			n = min(n, protocol.SizeBytes+int(binary.BigEndian.Uint32(data)))
		}
		list = append(list, data[:n])
		data = data[n:]
	}
	return list
}

// body takes the size off a frame.
func body(t testing.TB, frame []byte) []byte {
	t.Helper()
	size, err := protocol.FrameSize(frame, protocol.MaxRequestSize)
	if err != nil {
		t.Fatal(err)
	}
	if size != len(frame)-protocol.SizeBytes {
		t.Fatalf("a frame of %d bytes says %d", len(frame), size)
	}
	return frame[protocol.SizeBytes:]
}

// message is what is compared of a protocol.Message.
type message struct {
	Offset, Next int64
	Index        int32
	Payload      string
}

// walk collects what an iterator gives.
func walk(it *protocol.Iterator) ([]message, error) {
	var list []message
	for it.Next() {
		m := it.Message()
		list = append(list, message{m.Offset, m.Next, m.Index, string(m.Payload)})
	}
	return list, it.Err()
}

func deep(set []byte, start int64) ([]message, error) {
	var it protocol.Iterator
	it.Reset(set, start)
	return walk(&it)
}

func payloads(list []message) []string {
	texts := make([]string, len(list))
	for i, m := range list {
		texts[i] = m.Payload
	}
	return texts
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
