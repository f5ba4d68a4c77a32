// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/samsa-dev/samsa/pkg/gateway/strictjson"
)

func raw(data []byte) ([]byte, error) {
	s, err := strictjson.New(data)
	if err != nil {
		return nil, err
	}
	value, err := s.Raw()
	if err != nil {
		return nil, err
	}
	return value, s.End()
}

func TestRefusals(t *testing.T) {
	deep := strings.Repeat("[", strictjson.MaxDepth+1) + strings.Repeat("]", strictjson.MaxDepth+1)
	for text, want := range map[string]string{
		"":                   "at byte 0: it ends too early",
		" \n":                "at byte 2: it ends too early",
		"{":                  "at byte 1: it ends too early",
		"{\"a\"}":            "at byte 4: a colon is missing",
		"{\"a\":1,}":         "at byte 7: here must be a name in quotes",
		"{\"a\":}":           "at byte 5: here must be a value",
		"[1 2]":              "at byte 3: here must be a comma or the end of the array",
		"[1,]":               "at byte 3: here must be a value",
		"1 2":                "at byte 2: something comes after the end",
		"nul":                "at byte 0: this is neither true, false nor null",
		"01":                 "at byte 1: something comes after the end",
		"-":                  "at byte 1: it ends too early",
		"1.e5":               "at byte 2: here must be a digit",
		"1e+x":               "at byte 3: here must be a digit",
		"\"a":                "at byte 2: it ends too early",
		"\"a\nb\"":           "at byte 2: a control character must be escaped",
		"\"\\x\"":            "at byte 2: there is no such escape",
		"\"\\u12g4\"":        "at byte 2: four hexadecimal digits must follow",
		"\"\\ud800\"":        "at byte 6: this is half of a surrogate pair",
		"\"\\ud800\\u0041\"": "at byte 6: this is half of a surrogate pair",
		"\"\xff\"":           "at byte 1: it is not UTF-8",
		deep:                 "at byte 64: it is nested too deep",
		"NaN":                "at byte 0: here must be a value",
		"'a'":                "at byte 0: here must be a value",
		"/* */ 1":            "at byte 0: here must be a value",
	} {
		_, err := raw([]byte(text))
		problem := new(strictjson.Error)
		if !errors.As(err, &problem) || !problem.Malformed || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestShapes(t *testing.T) {
	read := func(text string, take func(s *strictjson.Scanner) error) string {
		s, err := strictjson.New([]byte(text))
		if err == nil {
			err = take(s)
		}
		if err == nil {
			err = s.End()
		}
		if err == nil {
			return ""
		}
		return err.Error()
	}
	integer := func(s *strictjson.Scanner) error { _, err := s.Int(); return err }
	text := func(s *strictjson.Scanner) error { _, err := s.Text(); return err }
	boolean := func(s *strictjson.Scanner) error { _, err := s.Bool(); return err }
	null := func(s *strictjson.Scanner) error { _, err := s.Null(); return err }
	for _, c := range []struct {
		text string
		take func(s *strictjson.Scanner) error
		want string
	}{
		{" 12 ", integer, ""},
		{"-9223372036854775808", integer, ""},
		{"9223372036854775808", integer, "at byte 0: it must be an integer of at most 64 bits"},
		{"1.00", integer, ""},
		{"1.01", integer, "at byte 0: it must be an integer of at most 64 bits"},
		{"1e2", integer, "at byte 0: it must be an integer of at most 64 bits"},
		{"\"1\"", integer, "at byte 0: it is a string, it must be a number"},
		{"null", text, "at byte 0: it is null, it must be a string"},
		{"true", boolean, ""},
		{"fals", boolean, "at byte 0: this is neither true, false nor null"},
		{"null", null, ""},
		{"nuxx", null, "at byte 0: this is neither true, false nor null"},
		{"{}", text, "at byte 0: it is an object, it must be a string"},
		{"[]", boolean, "at byte 0: it is an array, it must be true or false"},
	} {
		if got := read(c.text, c.take); got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

// Strings are looked through in words, those of ASCII in another way: wherever something stands that is not
// plain, it is found.
func TestEveryPlaceInAString(t *testing.T) {
	for _, alphabet := range []string{" !#[]~\x7f", "!#[]~\x7f\u00e9\uffff"} {
		testEveryPlace(t, alphabet)
	}
}

func testEveryPlace(t *testing.T, alphabet string) {
	t.Helper()
	const longest = 80 // two rounds of four words, and what is left
	for n := range longest {
		plain := strings.Repeat(alphabet, longest)[:n]
		if !utf8.ValidString(plain) {
			continue
		}
		for _, wrong := range []string{"\x80", "\x9f", "\xff"} {
			_, err := strictjson.New([]byte("\"" + plain + wrong + plain + "\""))
			if want := fmt.Sprintf("at byte %d: it is not UTF-8", n+1); err == nil || err.Error() != want {
				t.Errorf("%d bytes, then %q: got %v, want %s", n, wrong, err, want)
			}
		}
		for middle, want := range map[string]string{
			"": plain + "after", "\\n": plain + "\nafter", "\"": "", "\x1f": "", "\x00": "",
		} {
			s, err := strictjson.New([]byte("\"" + plain + middle + "after\""))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Text()
			if err == nil {
				err = s.End()
			}
			if (err == nil) != (want != "") || want != "" && string(got) != want {
				t.Errorf("%d bytes, then %q: got %q, %v, want %q", n, middle, got, err, want)
			}
		}
	}
}

// Names are kept from one text to the next, those of other lengths beside them.
func TestNamesOfManyTexts(t *testing.T) {
	long := strings.Repeat("long", 10)
	s := new(strictjson.Scanner)
	for _, want := range []string{"key", "value", "key", "yek", "", "12345678901", long, "abc" + long, "value", "Value"} {
		var got string
		err := s.Reset([]byte(`{"` + want + `":null}`))
		if err == nil {
			err = s.Object(func(name string) error {
				got = name
				_, err := s.Null()
				return err
			})
		}
		if err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

// What is taken is what encoding/json takes too, and means the same.
func FuzzRaw(f *testing.F) {
	for _, seed := range []string{
		"{\"a\":[1,-2.5e+3,true,null,\"\\u00e9\\ud83d\\ude00\"]}", " [ ] ", "\"\\ \\\" \\/\"", "{\"\":{}}", "0",
		"{\"a\" : \" b \\\" }",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := raw(data)
		if err != nil {
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, data); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		if got := strictjson.AppendCompact(nil, value); !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%q: got %q, want %q", data, got, want.Bytes())
		}
	})
}

// A string means what encoding/json says that it means, and is refused where that would guess.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"a", "\\u00e9", "\\ud83d\\ude00", "\\n\\\"", "\\ud800"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, inner []byte) {
		data := append(append([]byte{'"'}, inner...), '"')
		s, err := strictjson.New(data)
		if err != nil {
			return
		}
		got, err := s.Text()
		if err != nil || s.End() != nil {
			return
		}
		var want string
		if err := json.Unmarshal(data, &want); err != nil || want != string(got) {
			t.Fatalf("%q: got %q, want %q (%v)", data, got, want, err)
		}
	})
}
