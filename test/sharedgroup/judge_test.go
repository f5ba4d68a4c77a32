// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"encoding/binary"
	"slices"
	"testing"
)

// logged builds a transaction log as ZooKeeper writes it.
type logged struct{ data []byte }

func (l *logged) int(n int32)   { l.data = binary.BigEndian.AppendUint32(l.data, uint32(n)) } //nolint:gosec // as it is
func (l *logged) long(n int64)  { l.data = binary.BigEndian.AppendUint64(l.data, uint64(n)) } //nolint:gosec // as it is
func (l *logged) text(s string) { l.int(int32(len(s))); l.data = append(l.data, s...) }       //nolint:gosec // short

// entry adds a transaction of a session.
func (l *logged) entry(session, zxid int64, kind changeKind, body ...string) {
	var e logged
	e.long(session)
	e.int(1)
	e.long(zxid)
	e.long(1_700_000_000_000)
	e.int(int32(kind))
	for _, text := range body {
		e.text(text)
	}
	l.long(0)
	l.int(int32(len(e.data))) //nolint:gosec // short
	l.data = append(append(l.data, e.data...), 'B')
}

// What decides whether samsa lost a message has to find it.
func TestWhoeverPassedAMessageThatIsInNoLedgerLostIt(t *testing.T) {
	log := logged{data: binary.BigEndian.AppendUint32(nil, logMagic)}
	log.data = append(log.data, make([]byte, logHeader-4)...)
	const ours, old = 1, 2
	log.entry(ours, 1, created, "/k/consumers/g/ids/g_samsa1s.new-1-1-00000000", "")
	log.entry(old, 2, created, "/k/consumers/g/ids/g_old-1", "")
	log.entry(old, 3, created, "/k/consumers/g/offsets/t/0", "2")
	log.entry(ours, 4, written, "/k/consumers/g/offsets/t/0", "5")
	log.entry(old, 5, written, "/k/consumers/g/offsets/t/0", "6")
	log.data = append(log.data, make([]byte, 100)...)
	changes, err := parseLog(log.data)
	if err != nil || len(changes) != 5 {
		t.Fatalf("%v, %v", changes, err)
	}
	h, err := historyOf(changes, "/k", "g")
	if err != nil {
		t.Fatal(err)
	}
	sent, all := map[message]string{}, books{}
	for offset := range int64(8) {
		sent[message{partition{"t", 0}, offset}] = "m"
	}
	for _, offset := range []int64{0, 2, 3, 3} {
		all[message{partition{"t", 0}, offset}]++
	}
	v := judge(all, sent, h)
	for who, want := range map[side][]string{
		foreign: {
			"t/0 at 1, passed by g_old-1 from 0 to 2", "t/0 at 5, passed by g_old-1 from 5 to 6",
		},
		samsas: {"t/0 at 4, passed by g_samsa1s.new-1-1-00000000 from 2 to 5"},
	} {
		slices.Sort(v.lost[who])
		if !slices.Equal(v.lost[who], want) {
			t.Errorf("lost by %s: %q, want %q", who, v.lost[who], want)
		}
	}
	if len(v.lost[others]) != 2 || v.delivered != 3 || v.repeated != 1 {
		t.Errorf("%+v: want two that nobody passed, three delivered and one of them twice", v)
	}
	if _, err := parseLog([]byte("no log")); err == nil {
		t.Error("what is no log is read")
	}
}
