// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package strictjson reads JSON that strangers send (RFC 8259): in one pass, without reflection, and with nothing
// guessed.
//
// What encoding/json lets pass, it refuses: names that differ only in case from those that are known, a name that comes
// twice, bytes that are no UTF-8 and halves of surrogate pairs (both become U+FFFD there), and values that are nested
// deeper than MaxDepth. A value that only passes through is handed out as the bytes that came, so that no number is
// rounded.
//
// It takes no memory in proportion to what a length in the input claims; strings without escapes, and raw values, are
// parts of the input itself.
package strictjson
