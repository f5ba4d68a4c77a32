// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"fmt"
	"strconv"
	"strings"
)

// charSet is a set of ASCII characters: what a class of Java's holds of those that names of topics are made of.
type charSet [2]uint64

func setOf(chars ...byte) (s charSet) {
	for _, c := range chars {
		s.add(c, c)
	}
	return s
}

func (s *charSet) add(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s[c/64] |= 1 << (c % 64)
	}
}

func (s charSet) has(c byte) bool { return s[c/64]&(1<<(c%64)) != 0 }

func (s charSet) union(other charSet) charSet { return charSet{s[0] | other[0], s[1] | other[1]} }

func (s charSet) complement() charSet { return charSet{^s[0], ^s[1]} }

// appendTo writes the set as a class of Go's. An empty class would not compile: what is not ASCII stands for it, which
// no name of a topic holds.
func (s charSet) appendTo(out *strings.Builder) {
	out.WriteByte('[')
	for c := 0; c < 128; c++ {
		if !s.has(byte(c)) {
			continue
		}
		from := c
		for c < 127 && s.has(byte(c+1)) {
			c++
		}
		fmt.Fprintf(out, `\x%02x-\x%02x`, from, c)
	}
	if s == (charSet{}) {
		out.WriteString(`\x{80}`)
	}
	out.WriteByte(']')
}

func ranges(pairs string) (s charSet) {
	for i := 0; i < len(pairs); i += 2 {
		s.add(pairs[i], pairs[i+1])
	}
	return s
}

// The sets that have names.
var (
	lineTerminators = setOf('\n', '\r')
	digits          = ranges("09")
	letters         = ranges("AZaz")
	words           = ranges("09AZaz__")
	spaces          = ranges("\t\r  ") // \t\n\x0B\f\r and the blank
	punctuation     = ranges("!/:@[`{~")
)

// posix are the classes \p{...} that mean ASCII in every version of Java.
var posix = map[string]charSet{
	"Lower": ranges("az"), "Upper": ranges("AZ"), "Alpha": letters, "Digit": digits, "Alnum": letters.union(digits),
	"ASCII": ranges("\x00\x7f"), "Punct": punctuation, "Graph": ranges("!~"), "Print": ranges(" ~"),
	"Blank": setOf(' ', '\t'), "Cntrl": ranges("\x00\x1f\x7f\x7f"), "XDigit": ranges("09AFaf"), "Space": spaces,
}

// class reads [...].
func (j *javaRegexp) class() (charSet, error) {
	begin := j.at
	j.at++
	negated := j.peek() == '^'
	if negated {
		j.at++
	}
	var set charSet
	for first := true; j.peek() != ']' || first; first = false {
		if j.peek() == 0 {
			j.at = begin
			return set, j.refuse("a class that is not closed")
		}
		member, err := j.classMember(first)
		if err != nil {
			return set, err
		}
		set = set.union(member)
	}
	j.at++
	if negated {
		set = set.complement()
	}
	return set, nil
}

// classMember reads one character, range or named set of a class. A '-' that makes no range stands first or last.
func (j *javaRegexp) classMember(first bool) (charSet, error) {
	switch c := j.peek(); {
	case c == '[':
		return charSet{}, j.refuse("a class within a class")
	case c == '&':
		return charSet{}, j.refuse("an unescaped & in a class, where && intersects")
	case c == '^', c == ']':
		return charSet{}, j.refuse("an unescaped " + string(c) + " at a place where versions of Java differ")
	case c == '-' && !(j.peekAt(1) == ']' || first && j.peekAt(1) != '-'):
		return charSet{}, j.refuse("an unescaped - that is neither first nor last")
	}
	from, set, err := j.classChar()
	if err != nil || j.peek() != '-' || j.peekAt(1) == ']' || j.peekAt(1) == 0 {
		return set, err
	}
	if from < 0 {
		return set, j.refuse("a range that begins with a class")
	}
	return j.classRange(byte(from))
}

func (j *javaRegexp) classRange(from byte) (set charSet, err error) {
	begin := j.at
	j.at++
	if c := j.peek(); strings.IndexByte("[&^-", c) >= 0 {
		return set, j.refuse("a range that ends with an unescaped " + string(c))
	}
	to, _, err := j.classChar()
	if err != nil {
		return set, err
	}
	if to < int(from) {
		j.at = begin
		return set, j.refuse("a range that ends with a class, or before it begins")
	}
	set.add(from, byte(to))
	return set, nil
}

// classChar reads a character, or an escaped set of them: then char is negative.
func (j *javaRegexp) classChar() (char int, set charSet, err error) {
	c := j.peek()
	if c == '\\' {
		return j.escape()
	}
	j.at++
	return int(c), setOf(c), nil
}

// escaped reads what begins with a backslash outside of classes.
func (j *javaRegexp) escaped() (part, error) {
	switch j.peekAt(1) {
	case 'Q':
		return j.quoted()
	case 'A':
		return j.anchor(2, `\A`)
	case 'z', 'Z': // \Z also before a line's end, which no name of a topic has
		return j.anchor(2, `\z`)
	}
	_, set, err := j.escape()
	return j.one(set, err)
}

// quoted reads \Q...\E. What comes behind it repeats the last character alone.
func (j *javaRegexp) quoted() (part, error) {
	text, _, _ := strings.Cut(j.text[j.at+2:], `\E`)
	if text == "" {
		return part{}, j.refuse(`a quotation \Q of nothing`)
	}
	for _, c := range []byte(text) {
		setOf(c).appendTo(&j.out)
	}
	j.at = min(j.at+2+len(text)+2, len(j.text))
	return part{weight: len(text)}, nil
}

// controls are the characters that have an escape of their own.
var controls = map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a', 'e': 0x1b}

// sets are the classes that have an escape of their own.
var sets = map[byte]charSet{
	'd': digits, 'D': digits.complement(), 'w': words, 'W': words.complement(),
	's': spaces, 'S': spaces.complement(),
}

// escape reads a character, or a set of them, that begins with a backslash; char is negative for a set.
func (j *javaRegexp) escape() (char int, set charSet, err error) {
	c := j.peekAt(1)
	named, isSet := sets[c]
	control, isControl := controls[c]
	switch {
	case c == 0:
		return 0, set, j.refuse("a backslash with nothing behind it")
	case isSet:
		j.at += 2
		return -1, named, nil
	case isControl:
		j.at += 2
		return int(control), setOf(control), nil
	case c == 'x':
		return j.hexadecimal(2)
	case c == 'u':
		return j.hexadecimal(4)
	case c == 'p', c == 'P':
		return j.property()
	case !letters.union(digits).has(c):
		j.at += 2
		return int(c), setOf(c), nil
	default:
		return 0, set, j.refuse(unknownEscape(c))
	}
}

func unknownEscape(c byte) string {
	switch {
	case c >= '1' && c <= '9', c == 'k':
		return `a back reference \` + string(c)
	case strings.IndexByte("bBG", c) >= 0:
		return `a boundary \` + string(c)
	default:
		return `the escape \` + string(c)
	}
}

// hexadecimal reads \xhh or \uhhhh.
func (j *javaRegexp) hexadecimal(digits int) (char int, set charSet, err error) {
	if j.at+2+digits <= len(j.text) {
		char, err := strconv.ParseUint(j.text[j.at+2:j.at+2+digits], 16, 16)
		if err == nil && char < 128 {
			j.at += 2 + digits
			return int(char), setOf(byte(char)), nil
		}
	}
	return 0, set, j.refuse("an escape that is not the hexadecimal number of an ASCII character")
}

// property reads \p{...} or \P{...}.
func (j *javaRegexp) property() (char int, set charSet, err error) {
	name, _, closed := strings.Cut(j.text[j.at+2:], "}")
	if closed && strings.HasPrefix(name, "{") {
		if set, ok := posix[name[1:]]; ok {
			if j.text[j.at+1] == 'P' {
				set = set.complement()
			}
			j.at += 2 + len(name) + 1
			return -1, set, nil
		}
	}
	return 0, set, j.refuse("a class of characters other than those of POSIX, as in \\p{Alpha}")
}
