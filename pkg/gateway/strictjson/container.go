// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package strictjson

// enter and leave count how deep the scanner is.
func (s *Scanner) enter() error {
	if s.depth++; s.depth > MaxDepth {
		return &Error{At: s.at, Malformed: true, Problem: "it is nested too deep"}
	}
	s.at++
	return nil
}

func (s *Scanner) leave() error {
	s.depth--
	s.at++
	return nil
}

// Object takes an object. field is called with each name and must take the value, by any method of the scanner. Whether
// a name may come, and how often, is for field to say.
func (s *Scanner) Object(field func(name string) error) error {
	if err := s.expect(Object); err != nil {
		return err
	}
	return s.object(func(name []byte) error { return field(s.name(name)) })
}

// longestName is the longest that is kept: those that are known to anybody are shorter.
const longestName = 16

// name is a name as a string: the one that was made before, if it is among those that came last. The texts of a stream
// have the same few names, and a string for each would be garbage by the thousand.
func (s *Scanner) name(name []byte) string {
	if len(name) > longestName {
		return string(name)
	}
	last := &s.names[len(name)%len(s.names)]
	if *last != string(name) {
		*last = string(name)
	}
	return *last
}

func (s *Scanner) object(field func(name []byte) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.space(); s.peek() == '}' {
		return s.leave()
	}
	for {
		if s.space(); s.peek() != '"' {
			return s.malformed("here must be a name in quotes")
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if s.space(); s.peek() != ':' {
			return s.malformed("a colon is missing")
		}
		s.at++
		if err := field(name); err != nil {
			return err
		}
		switch s.space(); s.peek() {
		case ',':
			s.at++
		case '}':
			return s.leave()
		default:
			return s.malformed("here must be a comma or the end of the object")
		}
	}
}

// Array takes an array. element is called for each value, which it must take.
func (s *Scanner) Array(element func(i int) error) error {
	if err := s.expect(Array); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	if s.space(); s.peek() == ']' {
		return s.leave()
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		switch s.space(); s.peek() {
		case ',':
			s.at++
		case ']':
			return s.leave()
		default:
			return s.malformed("here must be a comma or the end of the array")
		}
	}
}

// Raw takes any value and gives its text, without the space around it: a part of the input.
func (s *Scanner) Raw() ([]byte, error) {
	from := s.At()
	if err := s.skip(); err != nil {
		return nil, err
	}
	return s.data[from:s.at:s.at], nil
}

func (s *Scanner) skip() error {
	switch s.Kind() {
	case Object:
		return s.object(func([]byte) error { return s.skip() })
	case Array:
		return s.Array(func(int) error { return s.skip() })
	case String:
		_, err := s.quoted()
		return err
	case Number:
		return s.number()
	case Bool:
		_, err := s.Bool()
		return err
	case Null:
		return s.literal("null")
	case Invalid:
	}
	return s.malformed("here must be a value")
}

// AppendCompact appends a value that Raw gave, without space between its parts.
func AppendCompact(dst, raw []byte) []byte {
	inside := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case !inside && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		case inside && c == '\\':
			dst = append(dst, c)
			i++ // what is escaped ends no string
		case c == '"':
			inside = !inside
		}
		dst = append(dst, raw[i])
	}
	return dst
}

// Since is the input from a place that At gave to the end of what was taken last.
func (s *Scanner) Since(from int) []byte { return s.data[from:s.at:s.at] }
