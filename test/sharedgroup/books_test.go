// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// message is where a message is.
type message struct {
	partition partition
	offset    int64
}

// books are the ledgers of all members, put together: how often each message is in them.
type books map[message]int

// readBooks reads ledgers. The last line of one whose writer was killed may be cut.
func readBooks(paths []string, sent map[message]string) (books, error) {
	all := books{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a member that was given nothing
		}
		if err != nil {
			return nil, err
		}
		lines := strings.Split(string(data), "\n")
		for _, line := range lines[:len(lines)-1] {
			m, value, err := parseEntryOf(line)
			if err != nil {
				return nil, fmt.Errorf("ledger %s: %w", path, err)
			}
			if known, ok := sent[m]; ok && known != value {
				return nil, fmt.Errorf("ledger %s: %s at %d is %q, and %q was sent", path, m.partition, m.offset, value, sent[m])
			}
			all[m]++
		}
	}
	return all, nil
}

// parseEntryOf reads one line: topic, partition, offset and what the message says.
func parseEntryOf(line string) (m message, value string, err error) {
	words := strings.Split(line, " ")
	if len(words) != 4 {
		return m, "", fmt.Errorf("%q is no entry", line)
	}
	id, err := strconv.Atoi(words[1])
	if err != nil {
		return m, "", fmt.Errorf("%q is no entry: %w", line, err)
	}
	offset, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil {
		return m, "", fmt.Errorf("%q is no entry: %w", line, err)
	}
	return message{partition{words[0], id}, offset}, words[3], nil
}

// verdict is what became of all messages.
type verdict struct {
	sent, delivered, repeated int
	// lost are those in no ledger, by who committed a position beyond them.
	lost map[side][]string
}

// judge holds the ledgers against what was sent and what was committed.
func judge(all books, sent map[message]string, h history) verdict {
	v := verdict{sent: len(sent), lost: map[side][]string{}}
	for m := range sent {
		switch times := all[m]; {
		case times > 0:
			v.delivered++
			v.repeated += times - 1
		default:
			by, _ := h.passed(m.partition, m.offset)
			if by.side == "" {
				by.side = others
			}
			v.lost[by.side] = append(v.lost[by.side],
				fmt.Sprintf("%s at %d, passed by %s from %d to %d", m.partition, m.offset, by.member, by.before, by.after))
		}
	}
	return v
}
