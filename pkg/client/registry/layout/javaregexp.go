// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Kafka's own consumers match the names of topics with java.util.regex: String.matches, so the whole name. What is
// translated here is the part of that language of which it is certain that Java and Go (RE2) accept the same names of
// topics, which are made of letters, digits, '.', '_' and '-'. Everything else is an error that names the construct:
// what a member consumes is never guessed. That is
//
//	what RE2 cannot do: looking around, back references, possessive and atomic repetitions;
//	what depends on the version or the settings of Java: flags, classes of Unicode, classes within classes;
//	what Java itself does wrong: (a|^){2} does not match "a" there, nor x{2}{3} "xxxxxx".
//
// Table and fuzz tests compare it with the answers of a real one.
const (
	// maxExpression bounds the text: 16 names of the longest topics there may be, and some hundred of usual ones.
	maxExpression = 4 << 10
	// maxWeight bounds what it comes to when repetitions are written out, in matched characters: Go steps through all of
	// them for each character of a name in the worst case, 8,192 x 249 steps or some 20 ms for a topic.
	maxWeight = 8 << 10
	// maxRepeat is the most that Go repeats.
	maxRepeat = 1000
	// maxDepth bounds how deep groups nest.
	maxDepth = 50
)

// compileJava gives an expression that matches those names of topics that Java's does as a whole.
func compileJava(expression string) (*regexp.Regexp, error) {
	translated, err := translateJava(expression)
	if err != nil {
		return nil, err
	}
	whole, err := regexp.Compile(translated)
	if err != nil { // in total it repeats more often than Go does
		return nil, fmt.Errorf("the expression %s: %w", quote([]byte(expression)), err)
	}
	return whole, nil
}

func translateJava(expression string) (string, error) {
	if len(expression) > maxExpression {
		return "", fmt.Errorf("the expression %s has %d bytes, more than the %d that are read",
			quote([]byte(expression)), len(expression), maxExpression)
	}
	j := &javaRegexp{text: expression}
	for i, c := range []byte(expression) {
		if c < ' ' || c > '~' {
			j.at = i
			return "", j.refuse("a character that is not printable ASCII")
		}
	}
	j.out.WriteString(`\A(?:`)
	if _, err := j.alternatives(); err != nil {
		return "", err
	}
	if j.at < len(j.text) {
		return "", j.refuse("a closing parenthesis without an opening one")
	}
	j.out.WriteString(`)\z`)
	return j.out.String(), nil
}

// javaRegexp walks over an expression of Java's and writes Go's.
type javaRegexp struct {
	text  string
	at    int
	depth int
	out   strings.Builder
}

// part is what is known of a part of the expression.
type part struct {
	// weight is how many characters it has when repetitions are written out, and a few more.
	weight int
	// empty says that it can match nothing at all; anchored that it looks at where it stands.
	empty, anchored bool
}

// refuse names what stands here and cannot be translated.
func (j *javaRegexp) refuse(construct string) error {
	return fmt.Errorf("the expression %s has, at byte %d, %s; samsa cannot be certain to match it as Java does",
		quote([]byte(j.text)), j.at, construct)
}

// peek gives the byte here, 0 at the end: there is none in the text.
func (j *javaRegexp) peek() byte { return j.peekAt(0) }

func (j *javaRegexp) peekAt(ahead int) byte {
	if j.at+ahead >= len(j.text) {
		return 0
	}
	return j.text[j.at+ahead]
}

// alternatives reads up to a closing parenthesis, or the end.
func (j *javaRegexp) alternatives() (part, error) {
	whole, err := j.sequence()
	for err == nil && j.peek() == '|' {
		j.at++
		j.out.WriteByte('|')
		var next part
		next, err = j.sequence()
		whole.empty = whole.empty || next.empty
		whole.anchored = whole.anchored || next.anchored
		if whole.weight += 1 + next.weight; err == nil && whole.weight > maxWeight {
			return part{}, j.tooHeavy()
		}
	}
	return whole, err
}

func (j *javaRegexp) sequence() (part, error) {
	whole := part{empty: true}
	for {
		switch j.peek() {
		case 0, '|', ')':
			return whole, nil
		}
		next, err := j.repeated()
		if err != nil {
			return part{}, err
		}
		whole.empty = whole.empty && next.empty
		whole.anchored = whole.anchored || next.anchored
		if whole.weight += next.weight; whole.weight > maxWeight {
			return part{}, j.tooHeavy()
		}
	}
}

func (j *javaRegexp) tooHeavy() error {
	return j.refuse("more than " + strconv.Itoa(maxWeight) + " characters, repetitions written out")
}

// repeated reads one atom, and how often it may come.
func (j *javaRegexp) repeated() (part, error) {
	atom, err := j.atom()
	if err != nil || !isRepetition(j.peek()) {
		return atom, err
	}
	switch {
	case atom.anchored:
		return part{}, j.refuse("a repetition of something that looks at where it stands")
	case atom.empty: // versions of Java differ in when they leave such a loop
		return part{}, j.refuse("a repetition of something that may be nothing")
	}
	least, most, err := j.repetition()
	if err != nil {
		return part{}, err
	}
	switch j.peek() {
	case '?': // reluctant: other groups, the same names
		j.at++
	case '+':
		return part{}, j.refuse("a possessive repetition")
	}
	if isRepetition(j.peek()) {
		return part{}, j.refuse("a repetition of a repetition")
	}
	return part{weight: 1 + atom.weight*max(least, most, 1), empty: least == 0}, nil
}

func isRepetition(c byte) bool { return strings.IndexByte("?*+{", c) >= 0 }

// repetition reads one of ? * + {n} {n,} {n,m}; most is 0 where there is no bound.
func (j *javaRegexp) repetition() (least, most int, err error) {
	c := j.peek()
	if c != '{' {
		j.at++
		j.out.WriteByte(c)
		return map[byte]int{'+': 1}[c], map[byte]int{'?': 1}[c], nil
	}
	end := strings.IndexByte(j.text[j.at:], '}')
	if end < 0 {
		return 0, 0, j.refuse("a brace that is not closed")
	}
	inner := j.text[j.at+1 : j.at+end]
	from, to, ranged := strings.Cut(inner, ",")
	least, ok := count(from)
	most = least
	if ranged && to == "" {
		most = 0
	} else if ranged && ok {
		most, ok = count(to)
		ok = ok && most >= least
	}
	if !ok {
		return 0, 0, j.refuse("a repetition that is none of {n}, {n,} and {n,m} up to " + strconv.Itoa(maxRepeat))
	}
	switch { // anew: Go takes numbers that begin with 0 for text
	case !ranged:
		fmt.Fprintf(&j.out, "{%d}", least)
	case to == "":
		fmt.Fprintf(&j.out, "{%d,}", least)
	default:
		fmt.Fprintf(&j.out, "{%d,%d}", least, most)
	}
	j.at += end + 1
	return least, most, nil
}

// count reads a number as it stands in braces.
func count(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil && n <= maxRepeat
}

// atom reads what a repetition would be of.
func (j *javaRegexp) atom() (part, error) {
	switch c := j.peek(); c {
	case '(':
		return j.group()
	case '[':
		set, err := j.class()
		return j.one(set, err)
	case '.':
		j.at++
		return j.one(lineTerminators.complement(), nil)
	case '^':
		return j.anchor(1, `\A`)
	case '$': // also before a line's end, which no name of a topic has
		return j.anchor(1, `\z`)
	case '\\':
		return j.escaped()
	case '*', '+', '?':
		return part{}, j.refuse("a repetition of nothing")
	case '{':
		return part{}, j.refuse("a brace that repeats nothing")
	default:
		j.at++
		return j.one(setOf(c), nil)
	}
}

// one writes one character of a set.
func (j *javaRegexp) one(set charSet, err error) (part, error) {
	if err != nil {
		return part{}, err
	}
	set.appendTo(&j.out)
	return part{weight: 1}, nil
}

func (j *javaRegexp) anchor(length int, written string) (part, error) {
	j.at += length
	j.out.WriteString(written)
	return part{weight: 1, empty: true, anchored: true}, nil
}

func (j *javaRegexp) group() (part, error) {
	if j.depth++; j.depth > maxDepth {
		return part{}, j.refuse("groups more than " + strconv.Itoa(maxDepth) + " deep")
	}
	begin := j.at
	j.at++
	if j.peek() == '?' {
		if j.peekAt(1) != ':' {
			j.at = begin
			return part{}, j.refuse(j.special())
		}
		j.at += 2
	}
	j.out.WriteString("(?:")
	inner, err := j.alternatives()
	if err != nil {
		return part{}, err
	}
	if j.peek() != ')' {
		j.at = begin
		return part{}, j.refuse("a parenthesis that is not closed")
	}
	j.at++
	j.out.WriteByte(')')
	j.depth--
	inner.weight++
	return inner, nil
}

// special names what begins with "(?" here.
func (j *javaRegexp) special() string {
	rest := j.text[j.at:]
	for _, known := range []struct{ prefix, name string }{
		{"(?=", "a look ahead"}, {"(?!", "a look ahead"}, {"(?<=", "a look behind"}, {"(?<!", "a look behind"},
		{"(?>", "an atomic group"}, {"(?<", "a named group"},
	} {
		if strings.HasPrefix(rest, known.prefix) {
			return known.name + " " + known.prefix
		}
	}
	return "a flag (?"
}
