// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// comparePartitions orders by topic, then by partition id as Kafka does.
func comparePartitions(a, b Partition) int {
	return cmp.Or(compareStrings(a.Topic, b.Topic), comparePartitionIDs(a.ID, b.ID))
}

// comparePartitionIDs orders numbers as numbers, as Kafka 0.8 and later sort them, and 0.7's "<broker>-<number>" as
// strings, as 0.7 does: "0-10" comes before "0-2". A registry has one kind only; should both appear, numbers come
// first, so that the order stays total.
func comparePartitionIDs(a, b string) int {
	switch aNumber, bNumber := isNumber(a), isNumber(b); {
	case aNumber && bNumber:
		x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(a, b))
	case aNumber:
		return -1
	case bNumber:
		return 1
	}
	return compareStrings(a, b)
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// compareStrings orders as java.lang.String.compareTo does, by UTF-16 code units. That differs from Go's order by
// bytes for characters beyond U+FFFF: their surrogates (D800 to DFFF) sort before U+E000 to U+FFFF.
func compareStrings(a, b string) int {
	for i := 0; i < len(a) && i < len(b); {
		x, size := utf8.DecodeRuneInString(a[i:])
		y, sizeY := utf8.DecodeRuneInString(b[i:])
		if x != y {
			return cmp.Compare(utf16Rank(x), utf16Rank(y))
		}
		// Broken bytes all decode to U+FFFD: tell them apart all the same.
		if order := cmp.Compare(a[i:i+size], b[i:i+sizeY]); order != 0 {
			return order
		}
		i += size
	}
	return cmp.Compare(len(a), len(b))
}

// utf16Rank moves U+E000 to U+FFFF behind the last code point, U+10FFFF.
func utf16Rank(r rune) rune {
	if r >= 0xE000 && r <= 0xFFFF {
		return r + utf8.MaxRune
	}
	return r
}
