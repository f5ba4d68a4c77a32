// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package format

import (
	"strconv"
	"strings"
)

// unescape undoes percent-encoding: what is not %XX stands for itself.
func unescape(s string) ([]byte, error) {
	first := strings.IndexByte(s, '%')
	if first < 0 {
		return []byte(s), nil
	}
	dst := append(make([]byte, 0, len(s)), s[:first]...)
	for i := first; i < len(s); i++ {
		if s[i] != '%' {
			dst = append(dst, s[i])
			continue
		}
		if i+2 >= len(s) {
			return nil, malformed("it ends within %%XX; a percent sign itself is %%25")
		}
		n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil || s[i+1] == '+' {
			return nil, malformed("%q is no %%XX; a percent sign itself is %%25", s[i:i+3])
		}
		dst = append(dst, byte(n))
		i += 2
	}
	return dst, nil
}
