// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/iotest"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// frame puts the size and the number in front of an answer.
func frame(number uint32, body []byte) []byte {
	answer := binary.BigEndian.AppendUint32(nil, uint32(numberBytes+len(body))) //nolint:gosec // small
	return append(binary.BigEndian.AppendUint32(answer, number), body...)
}

// request is the beginning of one.
func request(key, version uint16, number uint32) []byte {
	request := binary.BigEndian.AppendUint16(make([]byte, 4), key)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(request, version), number)
}

func metadata(code int16, leader int32) []byte {
	answer := kmsg.NewMetadataResponse()
	answer.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "a", Port: 9092}}
	topic := "orders"
	answer.Topics = []kmsg.MetadataResponseTopic{{
		Topic: &topic, Partitions: []kmsg.MetadataResponseTopicPartition{
			{ErrorCode: code, Partition: 0, Leader: leader, Replicas: []int32{1, 2}, ISR: []int32{1}},
		},
	}}
	return answer.AppendTo(nil)
}

func TestDeadReplicasAreNoErrors(t *testing.T) {
	dead, gone := kerr.ReplicaNotAvailable.Code, kerr.LeaderNotAvailable.Code
	for name, c := range map[string]struct{ answered, wanted []byte }{
		"a dead replica":        {metadata(dead, 1), metadata(0, 1)},
		"a dead leader":         {metadata(gone, -1), metadata(gone, -1)},
		"nobody is left":        {metadata(dead, -1), metadata(dead, -1)},
		"what is no metadata":   {[]byte("nonsense"), []byte("nonsense")},
		"nothing":               {nil, nil},
		"metadata and a remain": {append(metadata(dead, 1), 7), append(metadata(dead, 1), 7)},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			conn := Kafka08.heed(ours)
			other := metadata(dead, 1) // the answer to something else, which may look the same
			go func() {
				defer theirs.Close()
				asked := make([]byte, 2*requestHead)
				_, _ = io.ReadFull(theirs, asked)
				_, _ = theirs.Write(append(frame(6, other), frame(7, c.answered)...))
				_, _ = theirs.Write(frame(8, []byte("more")))
			}()
			for _, r := range [][]byte{request(uint16(kmsg.Fetch), 0, 6), request(uint16(kmsg.Metadata), 0, 7)} {
				if _, err := conn.Write(r); err != nil {
					t.Fatal(err)
				}
			}
			want := append(append(frame(6, other), frame(7, c.wanted)...), frame(8, []byte("more"))...)
			got, err := io.ReadAll(iotest.OneByteReader(conn))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestBrokersThatNegotiateAreLeftAlone(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if Negotiated.heed(ours) != ours {
		t.Error("the connection is another one")
	}
}

// What a broker sends never crashes, and takes no more memory than it sent.
func FuzzReplicas(f *testing.F) {
	f.Add(frame(7, metadata(kerr.ReplicaNotAvailable.Code, 1)))
	f.Add(frame(7, nil))
	f.Add([]byte{0x3f, 0xff, 0xff, 0xff, 0, 0, 0, 7, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7})
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 7})
	f.Fuzz(func(t *testing.T, sent []byte) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		conn := &replicaConn{Conn: ours, asked: map[int32]struct{}{7: {}}}
		go func() {
			defer theirs.Close()
			_, _ = theirs.Write(sent)
		}()
		got, err := io.ReadAll(conn)
		if err == nil && len(got) != len(sent) {
			t.Errorf("%d bytes became %d", len(sent), len(got))
		}
	})
}
