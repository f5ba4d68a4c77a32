// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// What cannot be decoded, of the recorded requests; the broker closed the connection at each.
var refusedRequests = map[string]struct {
	kind  error
	field string
	at    int64
}{
	"produce_set_size_beyond_request": {protocol.ErrShort, "set", 17},
	"request_type_9":                  {protocol.ErrAPI, "api", 0},
	"request_size_0":                  {protocol.ErrLength, "size", 0},
	"request_size_over_max":           {protocol.ErrLength, "size", 0},
	"request_truncated_body":          {protocol.ErrShort, "partition", 10},
}

func TestRecordedRequests(t *testing.T) {
	seen := 0
	for _, c := range wireCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			for _, frame := range frames(recording(t, "wire", c.Request)) {
				request, err := decodeFrame(frame)
				if want, refused := refusedRequests[c.Name]; refused {
					seen++
					var format *protocol.FormatError
					if !errors.As(err, &format) || !errors.Is(err, want.kind) {
						t.Fatalf("got %v, want %v", err, want.kind)
					}
					if format.Field != want.field || format.At != want.at || format.Index != -1 {
						t.Errorf("got %q at %d (%d), want %q at %d", format.Field, format.At, format.Index, want.field, want.at)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if again := request.AppendTo(nil); !bytes.Equal(again, frame) {
					t.Errorf("encoded again:\n%x\nwas\n%x", again, frame)
				}
			}
		})
	}
	if seen != len(refusedRequests) {
		t.Errorf("saw %d of %d requests that are refused", seen, len(refusedRequests))
	}
}

func decodeFrame(frame []byte) (protocol.Request, error) {
	if _, err := protocol.FrameSize(frame, protocol.MaxRequestSize); err != nil {
		return nil, err
	}
	return protocol.DecodeRequest(frame[protocol.SizeBytes:])
}

// response is what each of the three responses can do.
type response interface {
	Decode(body []byte) error
	AppendTo(dst []byte) []byte
}

func responseTo(api protocol.API) response {
	switch api {
	case protocol.APIFetch:
		return new(protocol.FetchResponse)
	case protocol.APIMultiFetch:
		return new(protocol.MultiFetchResponse)
	case protocol.APIOffsets:
		return new(protocol.OffsetsResponse)
	case protocol.APIProduce, protocol.APIMultiProduce:
	}
	return nil
}

func TestRecordedResponses(t *testing.T) {
	for _, c := range wireCases(t) {
		answer := recording(t, "wire", c.Response)
		if len(answer) == 0 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			asked := frames(recording(t, "wire", c.Request))
			request, err := decodeFrame(asked[len(asked)-1])
			if err != nil {
				t.Fatal(err)
			}
			got := responseTo(request.API())
			if c.Name == "fetch_size_negative" {
				// Its size, 1, leaves no room for the error code behind it; then the broker closes.
				err := got.Decode(answer[protocol.SizeBytes : protocol.SizeBytes+1])
				if !errors.Is(err, protocol.ErrShort) {
					t.Errorf("got %v", err)
				}
				return
			}
			roundTrip(t, got, answer)
		})
	}
}

func roundTrip(t *testing.T, got response, frame []byte) {
	t.Helper()
	if err := got.Decode(body(t, frame)); err != nil {
		t.Fatal(err)
	}
	if again := got.AppendTo(nil); !bytes.Equal(again, frame) {
		t.Errorf("encoded again:\n%x\nwas\n%x", again, frame)
	}
}

func TestRecordedErrorCodes(t *testing.T) {
	for name, want := range map[string]protocol.ErrorCode{
		"22_fetch_at_end.resp.bin":             protocol.None,
		"23_fetch_past_end.resp.bin":           protocol.OffsetOutOfRange,
		"30_fetch_wrong_partition.resp.bin":    protocol.WrongPartition,
		"31_fetch_negative_partition.resp.bin": protocol.WrongPartition,
		"32_fetch_invalid_topic.resp.bin":      protocol.Unknown,
		"33_fetch_empty_topic.resp.bin":        protocol.Unknown,
	} {
		var got protocol.FetchResponse
		if err := got.Decode(body(t, recording(t, "wire", name))); err != nil {
			t.Fatal(err)
		}
		if got.Code != want || len(got.Set) != 0 {
			t.Errorf("%s: got %d with %d bytes, want %d", name, got.Code, len(got.Set), want)
		}
		if (got.Code.Err() == nil) != (want == protocol.None) {
			t.Errorf("%s: is %v an error?", name, got.Code.Err())
		}
	}
}

func TestRecordedOffsets(t *testing.T) {
	for name, want := range map[string][]int64{
		"01_offsets_latest_unknown_topic.resp.bin":   {0},
		"03_offsets_time_unknown_topic.resp.bin":     {},
		"16_produce_then_offsets_pipelined.resp.bin": {69},
		"50_offsets_latest_max10.resp.bin":           {69, 0},
	} {
		var got protocol.OffsetsResponse
		if err := got.Decode(body(t, recording(t, "wire", name))); err != nil {
			t.Fatal(err)
		}
		if len(got.Offsets) != len(want) {
			t.Fatalf("%s: got %v, want %v", name, got.Offsets, want)
		}
		for i := range want {
			if got.Offsets[i] != want[i] {
				t.Errorf("%s: got %v, want %v", name, got.Offsets, want)
			}
		}
	}
}

func TestRecordedMultiFetch(t *testing.T) {
	var got protocol.MultiFetchResponse
	if err := got.Decode(body(t, recording(t, "wire", "43_multifetch_one_error_offset.resp.bin"))); err != nil {
		t.Fatal(err)
	}
	if len(got.Parts) != 2 || got.Code != protocol.None {
		t.Fatalf("got %d parts, code %d", len(got.Parts), got.Code)
	}
	if got.Parts[0].Code != protocol.None || !bytes.Equal(got.Parts[0].Set, segment(t, "t-none-0")) {
		t.Errorf("first part: %d, %x", got.Parts[0].Code, got.Parts[0].Set)
	}
	if got.Parts[1].Code != protocol.OffsetOutOfRange || len(got.Parts[1].Set) != 0 {
		t.Errorf("second part: %d, %x", got.Parts[1].Code, got.Parts[1].Set)
	}
}

// What Kafka's own producer and consumer said, and what they were told.
func TestRecordedConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/clients/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d conversations, %v", len(files), err)
	}
	for _, file := range files {
		var talk struct {
			Name   string `json:"name"`
			Frames []struct {
				Conn int    `json:"conn"`
				Dir  string `json:"dir"`
				Hex  string `json:"hex"`
				API  string `json:"api"`
			} `json:"frames"`
		}
		parseJSON(t, recording(t, "clients", filepath.Base(file)), &talk)
		t.Run(talk.Name, func(t *testing.T) {
			asked := map[int]protocol.API{}
			for i, f := range talk.Frames {
				frame := unhex(t, f.Hex)
				switch {
				case len(frame) == 0:
				case f.Dir == "request":
					request, err := protocol.DecodeRequest(body(t, frame))
					if err != nil {
						t.Fatalf("frame %d: %v", i, err)
					}
					if request.API().String() != f.API {
						t.Errorf("frame %d: %s, want %s", i, request.API(), f.API)
					}
					if again := request.AppendTo(nil); !bytes.Equal(again, frame) {
						t.Errorf("frame %d encoded again:\n%x\nwas\n%x", i, again, frame)
					}
					asked[f.Conn] = request.API()
				default:
					roundTrip(t, responseTo(asked[f.Conn]), frame)
				}
			}
		})
	}
}

// The consumer's first fetch brought all three kinds of messages, one behind the other.
func TestRecordedConsumerSawEveryKindOfMessage(t *testing.T) {
	var talk struct {
		Frames []struct {
			Conn  int    `json:"conn"`
			Dir   string `json:"dir"`
			Hex   string `json:"hex"`
			Bytes int    `json:"bytes"`
		} `json:"frames"`
	}
	parseJSON(t, recording(t, "clients", "consumer_connector.json"), &talk)
	for _, f := range talk.Frames {
		if f.Conn != 9 || f.Dir != "response" || f.Bytes != 255 {
			continue
		}
		var got protocol.MultiFetchResponse
		if err := got.Decode(body(t, unhex(t, f.Hex))); err != nil {
			t.Fatal(err)
		}
		list, err := deep(got.Parts[2].Set, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := []message{
			{0, 13, 0, "one"},
			{13, 26, 0, "two"},
			{26, 41, 0, "three"},
			{41, 41, 0, "one"}, // gzip
			{41, 41, 1, "two"},
			{41, 108, 2, "three"},
			{108, 108, 0, "one"}, // snappy
			{108, 108, 1, "two"},
			{108, 178, 2, "three"},
			{178, 191, 0, "one"},
			{191, 204, 0, "two"},
			{204, 219, 0, "three"},
			{219, 231, 0, "x1"},
		}
		compare(t, list, want)
		return
	}
	t.Fatal("the fetch is not in the recording")
}

func compare(t *testing.T, got, want []message) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d messages, want %d: %v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("message %d: got %v, want %v", i, got[i], want[i])
		}
	}
}
