// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"fmt"
	"strconv"
	"strings"
)

// side is who did something to the group.
type side string

const (
	samsas  side = "samsa"
	foreign side = "foreign"
	others  side = "nobody's"
)

// commit is one write of a position.
type commit struct {
	member string // the id of the member whose session wrote it
	side   side
	before int64 // what stood there, 0 where nothing did
	after  int64
}

// history is what the transaction log says about a group.
type history struct {
	commits map[partition][]commit
	// nudges counts how often a registration was made again by the same session.
	nudges int
	// claims counts how often a claim was made, by side.
	claims map[side]int
}

// historyOf folds the log of a server into the history of a group.
func historyOf(changes []change, root, group string) (history, error) {
	h := history{commits: map[partition][]commit{}, claims: map[side]int{}}
	members, last := map[int64]string{}, map[partition]int64{}
	prefix := root + "/consumers/" + group + "/"
	for _, c := range changes {
		rest, ok := strings.CutPrefix(c.path, prefix)
		if !ok || c.kind == deleted {
			continue
		}
		parts := strings.Split(rest, "/")
		switch {
		case parts[0] == "ids" && len(parts) == 2 && c.kind == created:
			if members[c.session] == parts[1] {
				h.nudges++
			}
			members[c.session] = parts[1]
		case parts[0] == "owners" && len(parts) == 3 && c.kind == created:
			h.claims[sideOf(group, members[c.session])]++
		case parts[0] == "offsets" && len(parts) == 3:
			if err := h.commit(group, members[c.session], parts, c, last); err != nil {
				return h, err
			}
		}
	}
	return h, nil
}

func (h *history) commit(group, member string, parts []string, c change, last map[partition]int64) error {
	if c.data == "" && c.kind == created { // how zkclient makes a node it writes next
		return nil
	}
	id, err := strconv.Atoi(parts[2])
	if err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	position, err := strconv.ParseInt(c.data, 10, 64)
	if err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	p := partition{parts[1], id}
	h.commits[p] = append(h.commits[p], commit{
		member: member, side: sideOf(group, member), before: last[p], after: position,
	})
	last[p] = position
	return nil
}

func sideOf(group, member string) side {
	switch {
	case member == "":
		return others
	case strings.HasPrefix(member, group+"_samsa1"):
		return samsas
	default:
		return foreign
	}
}

// passed says whose commit went past a message: samsa's, if any of them did.
func (h *history) passed(p partition, offset int64) (by commit, found bool) {
	for _, c := range h.commits[p] {
		if c.before <= offset && offset < c.after && (!found || c.side == samsas) {
			by, found = c, true
		}
	}
	return by, found
}

// rewinds counts the commits of a side that went backwards.
func (h *history) rewinds(of side) (count int) {
	for _, commits := range h.commits {
		for _, c := range commits {
			if c.side == of && c.after < c.before {
				count++
			}
		}
	}
	return count
}

// made counts the commits of a side.
func (h *history) made(of side) (count int) {
	for _, commits := range h.commits {
		for _, c := range commits {
			if c.side == of {
				count++
			}
		}
	}
	return count
}
