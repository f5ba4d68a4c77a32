// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// HeaderName is the header of a message that was sent with an Idempotency-Key: where a new owner of the key learns of
// it. Its value is opaque, but the same for the same key of the same caller.
const HeaderName = "samsa-idempotency-key"

// The parts of an ID. 128 bits of a key: a million keys collide once in 10^26 windows. 64 bits of what was sent tell
// two requests apart that one caller has given the same key by mistake; nobody gains by making them the same.
const (
	keyBytes     = 16
	contentBytes = 8
)

// ID is the key of a request, and what the request says.
type ID struct {
	key     [keyBytes]byte
	content [contentBytes]byte
}

// Identify gives the ID of a key that a caller has given to a message. Two callers never share a key, nor do two
// scopes: others may publish to the same topic, and a rebuilt window reads what all of them wrote. content is all that
// makes the message: where it differs, the key is used for something else.
func Identify(scope, caller, key string, content ...[]byte) ID {
	var id ID
	sum := digest([]byte(scope), []byte(caller), []byte(key))
	copy(id.key[:], sum[:])
	sum = digest(content...)
	copy(id.content[:], sum[:])
	return id
}

// digest tells apart where one part ends and the next begins.
func digest(parts ...[]byte) [sha256.Size]byte {
	hash := sha256.New()
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		_, _ = hash.Write(length[:]) // a hash takes everything
		_, _ = hash.Write(part)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// Header is the value of the message's header: KEY.CONTENT.TIME, where the time is when the gateway wrote it, in
// milliseconds. The message's own timestamp may be anything that its sender likes.
func (i ID) Header(at time.Time) string {
	encoding := base64.RawURLEncoding
	return encoding.EncodeToString(i.key[:]) + "." + encoding.EncodeToString(i.content[:]) + "." +
		strconv.FormatInt(at.UnixMilli(), 10)
}

// maxHeader is the longest value: 22 and 11 characters of base64, a sign and 19 digits, and two points.
const maxHeader = 22 + 11 + 20 + 2

// ParseHeader reads what Header gives; false for anything else.
func ParseHeader(value string) (ID, time.Time, bool) {
	if len(value) > maxHeader {
		return ID{}, time.Time{}, false
	}
	key, rest, _ := strings.Cut(value, ".")
	content, milliseconds, found := strings.Cut(rest, ".")
	at, err := strconv.ParseInt(milliseconds, 10, 64)
	var id ID
	if !found || err != nil || !decode(id.key[:], key) || !decode(id.content[:], content) {
		return ID{}, time.Time{}, false
	}
	return id, time.UnixMilli(at), true
}

func decode(target []byte, text string) bool {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && copy(target, data) == len(target) && len(data) == len(target)
}
