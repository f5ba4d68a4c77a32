// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"encoding/json"
	"errors"
	"fmt"
)

// maxNode bounds what is decoded: 1 MiB, the most a ZooKeeper server of default settings (jute.maxbuffer) lets a node
// hold.
const maxNode = 1 << 20

// maxQuote is how much of a malformed node an error shows: enough to recognize it, short enough for a status.
const maxQuote = 40

// decodeJSON reads one JSON value. encoding/json itself bounds how deep it may nest (10,000 levels).
func decodeJSON(data []byte, into any) error {
	if len(data) > maxNode {
		return fmt.Errorf("%d bytes, more than the %d any node may have", len(data), maxNode)
	}
	if len(data) == 0 {
		return errors.New("the node is empty")
	}
	err := json.Unmarshal(data, into)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("want %s at byte %d, have a JSON %s in %s", wrong.Type, wrong.Offset, wrong.Value, quote(data))
	}
	if err != nil {
		return fmt.Errorf("not JSON: %s", quote(data))
	}
	return nil
}

func quote(data []byte) string {
	if len(data) > maxQuote {
		return fmt.Sprintf("%q...", data[:maxQuote])
	}
	return fmt.Sprintf("%q", data)
}
