// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"
)

// write shows a group: its members, its partitions, and what is wrong with it.
func (v groupView) write(out io.Writer, format string) error {
	if format == formatJSON {
		return writeJSON(out, v)
	}
	err := list(out, format, "MEMBER NAME STATE TOPICS", v.Members, func(m groupMember) []string {
		return []string{m.ID, m.Name, m.State, orDash(strings.Join(m.Topics, ","))}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := writePartitions(out, format, v.Partitions, nil); err != nil {
		return err
	}
	for _, topic := range v.Missing {
		fmt.Fprintf(out, "\ntopic %s does not exist\n", topic)
	}
	for _, problem := range v.Problems {
		fmt.Fprintf(out, "\n%s\n", problem)
	}
	return nil
}

func writePartitions(out io.Writer, format string, rows []groupPartition, failure error) error {
	return report(out, format, "TOPIC PARTITION OWNER COMMITTED END LAG UNIT", rows, failure,
		func(p groupPartition) []string {
			return []string{
				p.Topic, p.ID, orDash(p.Owner), p.Committed.String(), p.End.String(), p.Lag.String(), p.Unit,
			}
		})
}
