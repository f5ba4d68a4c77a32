// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested in each other: people nest some ten deep, and each level costs
// this package a stack frame of some 200 bytes.
const MaxDepth = 64

// Kind is what a value is.
type Kind uint8

// The kinds of values. Invalid is also the end of the text.
const (
	Invalid Kind = iota
	Object
	Array
	String
	Number
	Bool
	Null
)

// String gives the kind as an error calls it.
func (k Kind) String() string {
	return [...]string{"nothing", "an object", "an array", "a string", "a number", "true or false", "null"}[k]
}

// Scanner reads one text from front to back. Not safe for concurrent use.
type Scanner struct {
	data  []byte
	at    int
	depth int
	// simple says that there is nothing in the text but ASCII from the space on.
	simple bool
	// names are the last ones of a length each, for the texts that come after a Reset too.
	names [8]string
}

// New begins to read a text. The error is about its encoding.
func New(data []byte) (*Scanner, error) {
	s := new(Scanner)
	if err := s.Reset(data); err != nil {
		return nil, err
	}
	return s, nil
}

// Reset begins to read another text, as New does.
func (s *Scanner) Reset(data []byte) error {
	s.data, s.at, s.depth, s.simple = data, 0, 0, simple(data)
	if !s.simple && !utf8.Valid(data) {
		at := 0
		for at < len(data) {
			r, size := utf8.DecodeRune(data[at:])
			if r == utf8.RuneError && size <= 1 {
				break
			}
			at += size
		}
		return &Error{At: at, Malformed: true, Problem: "it is not UTF-8"}
	}
	return nil
}

// At is where the next value begins.
func (s *Scanner) At() int {
	s.space()
	return s.at
}

func (s *Scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end; 0 is not part of any JSON.
func (s *Scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// Kind is that of the next value, by its first byte.
func (s *Scanner) Kind() Kind {
	s.space()
	switch c := s.peek(); {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == '-' || c >= '0' && c <= '9':
		return Number
	case c == 't' || c == 'f':
		return Bool
	case c == 'n':
		return Null
	}
	return Invalid
}

// expect refuses a value of another kind.
func (s *Scanner) expect(want Kind) error {
	switch got := s.Kind(); got {
	case want:
		return nil
	case Invalid:
		return s.malformed("here must be a value")
	default:
		return Unfit(s.at, "it is "+got.String()+", it must be "+want.String())
	}
}

// End refuses anything that comes after the value.
func (s *Scanner) End() error {
	if s.space(); s.at < len(s.data) {
		return s.malformed("something comes after the end")
	}
	return nil
}

// Null takes the next value if it is null.
func (s *Scanner) Null() (bool, error) {
	if s.Kind() != Null {
		return false, nil
	}
	return true, s.literal("null")
}

func (s *Scanner) literal(word string) error {
	if end := s.at + len(word); end <= len(s.data) && string(s.data[s.at:end]) == word {
		s.at = end
		return nil
	}
	return s.malformed("this is neither true, false nor null")
}

// Bool takes true or false.
func (s *Scanner) Bool() (bool, error) {
	if err := s.expect(Bool); err != nil {
		return false, err
	}
	if s.peek() == 't' {
		return true, s.literal("true")
	}
	return false, s.literal("false")
}

// Int takes an integer of 64 bits. One whose fraction is zero is one too, as JSON Schema has it; one with an exponent
// is not, since nobody writes such.
func (s *Scanner) Int() (int64, error) {
	if err := s.expect(Number); err != nil {
		return 0, err
	}
	from := s.at
	if err := s.number(); err != nil {
		return 0, err
	}
	text := string(s.data[from:s.at])
	if whole, fraction, found := strings.Cut(text, "."); found && strings.Trim(fraction, "0") == "" {
		text = whole
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, Unfit(from, "it must be an integer of at most 64 bits")
	}
	return n, nil
}

// number steps over one: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *Scanner) number() error {
	if s.peek() == '-' {
		s.at++
	}
	switch c := s.peek(); {
	case c == '0':
		s.at++
	case c >= '1' && c <= '9':
		s.digits()
	default:
		return s.malformed("here must be a digit")
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return s.malformed("here must be a digit")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if !s.digits() {
			return s.malformed("here must be a digit")
		}
	}
	return nil
}

func (s *Scanner) digits() bool {
	from := s.at
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > from
}
