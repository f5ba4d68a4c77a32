// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// result is one cell.
type result struct {
	ran    bool
	err    error
	reason string // why it did not run
	took   time.Duration
	notes  []string
}

// word is the result as the matrix has it.
func (r result) word() string {
	switch {
	case r.err != nil:
		return "FAIL"
	case r.ran:
		return "pass"
	case r.reason != "":
		return "n/a"
	}
	return "-" // nobody came to it
}

// line is the result with everything about it.
func (r result) line() string {
	text := fmt.Sprintf("%s %s", r.word(), round(r.took))
	if len(r.notes) > 0 {
		text += " (" + strings.Join(r.notes, "; ") + ")"
	}
	if r.err != nil {
		text += ": " + r.err.Error()
	}
	return text
}

// matrix is all results, by row and column. add may be called concurrently; everything else is for when all have ended.
type matrix struct {
	columns []column
	mu      sync.Mutex // guards what follows
	rows    []string
	cells   map[string]map[string]result // by row, by column
}

func newMatrix(columns []column) *matrix {
	return &matrix{columns: columns, cells: map[string]map[string]result{}}
}

func (m *matrix) add(row string, c column, r result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.rows, row) {
		m.rows = append(m.rows, row)
		m.cells[row] = map[string]result{}
		// What a column cannot have is known before the rest has run.
		all := scenarios()
		number := func(name string) int {
			return slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		}
		slices.SortFunc(m.rows, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	}
	m.cells[row][c.String()] = r
}

func (m *matrix) failures() (count int) {
	for _, cells := range m.cells {
		for _, r := range cells {
			if r.err != nil {
				count++
			}
		}
	}
	return count
}

// markdown is the matrix as a table, a release a row, and under it what is not applicable, and what is worth knowing.
func (m *matrix) markdown() string {
	var text strings.Builder
	text.WriteString("| Kafka | groups |")
	for i := range m.rows {
		fmt.Fprintf(&text, " %d |", i+1)
	}
	text.WriteString("\n|---|---|" + strings.Repeat("---|", len(m.rows)) + "\n")
	for _, c := range m.columns {
		fmt.Fprintf(&text, "| %s | %s |", c.servers(), c.way)
		for _, row := range m.rows {
			fmt.Fprintf(&text, " %s |", m.cells[row][c.String()].word())
		}
		text.WriteString("\n")
	}
	text.WriteString("\n")
	for i, row := range m.rows {
		fmt.Fprintf(&text, "%d. %s\n", i+1, row)
		m.remarks(&text, row)
	}
	return text.String()
}

// remarks tells once what several columns have in common.
func (m *matrix) remarks(text *strings.Builder, row string) {
	by := map[string][]string{}
	var order []string
	for _, c := range m.columns {
		r := m.cells[row][c.String()]
		for _, remark := range append([]string{r.reason}, r.notes...) {
			if remark == "" {
				continue
			}
			if by[remark] == nil {
				order = append(order, remark)
			}
			by[remark] = append(by[remark], c.String())
		}
	}
	for _, remark := range order {
		fmt.Fprintf(text, "   - %s: %s\n", strings.Join(by[remark], "; "), remark)
	}
}

func (m *matrix) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s\n", m.markdown())
	for _, row := range m.rows {
		for _, c := range m.columns {
			if r := m.cells[row][c.String()]; r.err != nil {
				fmt.Fprintf(out, "FAIL %s, %s: %v\n", c, row, r.err)
			}
		}
	}
	fmt.Fprintf(out, "%d failures\n", m.failures())
}

// The marks between which a document has the matrix.
const (
	beginMark = "<!-- begin: made by make conformance -->"
	endMark   = "<!-- end -->"
)

// write puts the matrix into a document, between its marks.
func (m *matrix) write(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("document: %w", err)
	}
	before, rest, found := bytes.Cut(old, []byte(beginMark))
	_, after, ended := bytes.Cut(rest, []byte(endMark))
	if !found || !ended {
		return fmt.Errorf("document %s has no %s and %s", path, beginMark, endMark)
	}
	text := fmt.Sprintf("%s%s\n\n%s\n%s%s", before, beginMark, m.markdown(), endMark, after)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // it is for everybody to read
		return fmt.Errorf("document: %w", err)
	}
	return nil
}
