// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package strictjson

import "fmt"

// Error says what is wrong with a text, and where.
type Error struct {
	// At counts bytes from 0.
	At int
	// Malformed says that it is no JSON at all; otherwise it is JSON of another shape than was asked for.
	Malformed bool
	// Problem is what is wrong.
	Problem string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("at byte %d: %s", e.At, e.Problem) }

func (s *Scanner) malformed(problem string) error {
	if s.at >= len(s.data) {
		problem = "it ends too early"
	}
	return &Error{At: s.at, Malformed: true, Problem: problem}
}

// Unfit is an error about the value that was read last, which began at byte at: well-formed, but not what is wanted.
func Unfit(at int, problem string) error { return &Error{At: at, Problem: problem} }
