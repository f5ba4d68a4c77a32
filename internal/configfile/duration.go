// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package configfile

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that reads and writes as "1m30s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration; write it with a unit, as in 500ms, 10s or 1m30s", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String gives the duration as it stands in the file.
func (d Duration) String() string { return time.Duration(d).String() }
