// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// The formats of output.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatRaw   = "raw"
)

// number is a count or a position; below 0 it is unknown.
type number int64

const unknown number = -1

// String implements fmt.Stringer.
func (n number) String() string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(int64(n), 10)
}

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if n < 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(n), 10), nil
}

// choice is the value of a flag that is one of a few words.
type choice struct {
	value   *string
	allowed []string
}

// String implements pflag.Value.
func (c choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

// Set implements pflag.Value.
func (c choice) Set(value string) error {
	if !slices.Contains(c.allowed, value) {
		return fmt.Errorf("use %s", orList(c.allowed))
	}
	*c.value = value
	return nil
}

// Type implements pflag.Value.
func (choice) Type() string { return "string" }

// orList is "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// writeJSON writes one object on one line.
func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false) // it is for terminals and programs, and "<" is easier to read
	return encoder.Encode(value)
}

// list writes rows: as a table with a header, the words of which are the columns', or as one object per line.
func list[T any](out io.Writer, format, header string, rows []T, cells func(T) []string) error {
	if format == formatJSON {
		for _, row := range rows {
			if err := writeJSON(out, row); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.ReplaceAll(header, " ", "\t"))
	for _, row := range rows {
		columns := cells(row)
		for i, cell := range columns {
			columns[i] = harmless(cell) // names and claims are whatever somebody wrote
		}
		fmt.Fprintln(table, strings.Join(columns, "\t"))
	}
	return table.Flush()
}

// report lists what there is, also where a failure says that it is not all. With nothing but a failure it writes
// nothing.
func report[T any](
	out io.Writer, format, header string, rows []T, failure error, cells func(T) []string,
) error {
	if failure != nil && len(rows) == 0 {
		return failure
	}
	return both(failure, list(out, format, header, rows, cells))
}

// orDash is what stands in a table for nothing.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
