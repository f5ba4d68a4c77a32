// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// class says which bytes stand for themselves.
type class uint8

const (
	// inText: printable ASCII except space, '"' and '%', as CloudEvents' HTTP binding has it (§3.1.3.2).
	inText class = 1 << iota
	// inList: the same without what separates the elements of Samsa-Header and their parts.
	inList
	// inName: what the name of an HTTP header may consist of (RFC 9110 §5.6.2).
	inName
)

var classes = func() (table [256]class) {
	for c := byte('!'); c <= '~'; c++ {
		if c != '"' && c != '%' {
			table[c] |= inText
		}
		if !strings.ContainsRune(`"%,=!`, rune(c)) {
			table[c] |= inList
		}
		if !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, rune(c)) {
			table[c] |= inName
		}
	}
	return table
}()

const upperHex = "0123456789ABCDEF"

// appendEscaped appends s such that only bytes of the class stand for themselves and every other is %XX.
func appendEscaped[T string | []byte](dst []byte, s T, plain class) []byte {
	for i := range len(s) {
		if c := s[i]; classes[c]&plain != 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// unescape undoes appendEscaped. It takes no byte that must have been escaped, so that what it accepts means one
// thing only.
func unescape(s string, plain class) ([]byte, error) {
	dst := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case classes[c]&plain != 0:
			dst = append(dst, c)
		case c != '%':
			return nil, fmt.Errorf("byte %#x at %d must be written as %%%02X", c, i, c)
		case i+2 >= len(s):
			return nil, errors.New("it ends within %XX")
		default:
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high < 0 || low < 0 {
				return nil, fmt.Errorf("%q at %d is no %%XX", s[i:i+3], i)
			}
			dst = append(dst, byte(high<<4|low))
			i += 2
		}
	}
	return dst, nil
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// validName reports whether s may be the name of an HTTP header.
func validName(s string) bool {
	for i := range len(s) {
		if classes[s[i]]&inName == 0 {
			return false
		}
	}
	return s != ""
}

// validValue reports whether s may be the value of an HTTP header and comes out as it went in.
func validValue[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return len(s) == 0 || !blank(s[0]) && !blank(s[len(s)-1])
}

// validKey reports whether s may begin an Idempotency-Key: what appendEscaped gives.
func validKey(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// validText reports whether s is a string by CloudEvents' type system (§3.1): Unicode without control characters and
// noncharacters.
func validText[T string | []byte](s T) bool {
	text := string(s)
	if !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef
	})
}
