// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text takes a string and gives what it stands for: a part of the input if nothing in it is escaped.
func (s *Scanner) Text() ([]byte, error) {
	if err := s.expect(String); err != nil {
		return nil, err
	}
	return s.text()
}

func (s *Scanner) text() ([]byte, error) {
	from := s.at + 1
	escaped, err := s.quoted()
	if err != nil {
		return nil, err
	}
	inner := s.data[from : s.at-1 : s.at-1]
	if !escaped {
		return inner, nil
	}
	return unescape(inner), nil
}

// quoted steps over a string and says whether anything in it is escaped.
func (s *Scanner) quoted() (escaped bool, err error) {
	if s.unescaped() {
		return false, nil
	}
	for s.at++; ; s.at++ {
		s.at += plain(s.data[s.at:])
		switch c := s.peek(); {
		case s.at >= len(s.data):
			return false, s.malformed("")
		case c == '"':
			s.at++
			return escaped, nil
		case c < ' ':
			return false, s.malformed("a control character must be escaped")
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return false, err
			}
		}
	}
}

// unescaped steps over a string of a simple text in which nothing is escaped: the quote that comes next ends it. Two
// searches by the processor's own instructions for that take a fifth of what plain takes.
func (s *Scanner) unescaped() bool {
	if !s.simple {
		return false
	}
	inner := s.data[s.at+1:]
	end := bytes.IndexByte(inner, '"')
	if end < 0 || bytes.IndexByte(inner[:end], '\\') >= 0 {
		return false
	}
	s.at += 1 + end + 1
	return true
}

// simple says that a text holds ASCII from the space on alone: nothing that must be escaped but quotes and backslashes,
// and nothing that could be wrong UTF-8.
func simple(text []byte) bool {
	const word, words = 8, 4 * 8
	for ; len(text) >= words; text = text[words:] {
		four := (*[words]byte)(text)
		if (odd(four[:])|odd(four[word:])|odd(four[2*word:])|odd(four[3*word:]))&high != 0 {
			return false
		}
	}
	for _, c := range text {
		if c < ' ' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// odd has a high bit if one of the first eight bytes is below the space or above ASCII. Only a byte below it borrows
// from the next, and then has its own high bit.
func odd(data []byte) uint64 {
	word := binary.LittleEndian.Uint64(data)
	return word - ones*' ' | word
}

// A word of eight bytes that are 1 each, and one of their high bits.
const ones, high = 0x0101010101010101, 0x8080808080808080

// plain is how much of a string, in words of eight bytes, holds neither quote, backslash nor control character. Most
// strings hold nothing else for long, and four words take little longer than a byte: 1 KiB a twentieth of what its
// bytes take.
func plain(data []byte) int {
	const word, words = 8, 4 * 8
	rest := data
	for len(rest) >= words {
		found := special(rest) | special(rest[word:]) | special(rest[2*word:]) | special(rest[3*word:])
		if found != 0 {
			break
		}
		rest = rest[words:]
	}
	for len(rest) >= word && special(rest) == 0 {
		rest = rest[word:]
	}
	return len(data) - len(rest)
}

// special is not 0 if a quote, a backslash or a control character is among the first eight bytes.
func special(data []byte) uint64 {
	word := binary.LittleEndian.Uint64(data)
	// Control characters are below ' '; with this bit turned the quote is ' ' itself, and they are still below.
	low, backslash := word^(ones*('"'^' ')), word^(ones*'\\')
	// A byte that is less than another borrows from its highest bit.
	return ((low-ones*(' '+1))&^low | (backslash-ones)&^backslash) & high
}

// escape steps onto the last byte of an escape; a pair of surrogates is one escape.
func (s *Scanner) escape() error {
	s.at++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
	default:
		return s.malformed("there is no such escape")
	}
	first, ok := hex(s.data[s.at:])
	if !ok {
		return s.malformed("four hexadecimal digits must follow")
	}
	s.at += 4
	if !utf16.IsSurrogate(first) {
		return nil
	}
	if rest := s.data[s.at+1:]; len(rest) >= 2 && rest[0] == '\\' && rest[1] == 'u' {
		if second, ok := hex(rest[1:]); ok && utf16.DecodeRune(first, second) != utf8.RuneError {
			s.at += 6
			return nil
		}
	}
	return s.malformed("this is half of a surrogate pair")
}

// hex reads u and four hexadecimal digits.
func hex(data []byte) (rune, bool) {
	if len(data) < 5 {
		return 0, false
	}
	// ParseUint would take "+123" and "1_23" too.
	for _, c := range data[1:5] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(data[1:5]), 16, 16)
	return rune(n), err == nil
}

// unescape undoes the escapes of a string that quoted found in order.
func unescape(inner []byte) []byte {
	text := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			text = append(text, inner[i])
			continue
		}
		i++
		switch inner[i] {
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r, _ := hex(inner[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				second, _ := hex(inner[i+2:])
				r = utf16.DecodeRune(r, second)
				i += 6
			}
			text = utf8.AppendRune(text, r)
		default:
			text = append(text, inner[i])
		}
	}
	return text
}
