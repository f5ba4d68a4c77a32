// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// problem is why a message was not taken (RFC 9457).
type problem struct {
	status int
	// kind is the end of the type's URI; what is the same for all messages of the kind is in title.
	kind, title, detail string
	// unknown says that the message may have been written all the same.
	unknown bool
	// retryAfter is when to come back, if that is any use.
	retryAfter time.Duration
	// challenge is the value of WWW-Authenticate, allow that of Allow.
	challenge, allow string
	// hangUp ends the connection: more of the request may be on its way, and nobody will read it.
	hangUp bool
}

// problemType begins the types of problems: a name, where nothing can be fetched.
const problemType = "urn:samsa:problem:"

// The values of outcome.
const (
	outcomeRefused = "refused"
	outcomeUnknown = "unknown"
)

func (p *problem) outcome() string {
	if p.unknown {
		return outcomeUnknown
	}
	return outcomeRefused
}

// appendMembers appends the members of the JSON object, without its braces.
func (p *problem) appendMembers(dst []byte) []byte {
	dst = append(dst, `"type":"`+problemType...)
	dst = append(dst, p.kind...)
	dst = append(dst, `","title":`...)
	dst = appendText(dst, p.title)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(p.status), 10)
	dst = append(dst, `,"detail":`...)
	dst = appendText(dst, p.detail)
	dst = append(dst, `,"outcome":"`...)
	dst = append(dst, p.outcome()...)
	dst = append(dst, '"')
	if p.retryAfter > 0 {
		dst = append(dst, `,"retryAfter":`...)
		dst = strconv.AppendInt(dst, seconds(p.retryAfter), 10)
	}
	return dst
}

// setHeaders sets those headers of the answer that say what the problem says.
func (p *problem) setHeaders(header http.Header) {
	if p.retryAfter > 0 {
		header["Retry-After"] = []string{strconv.FormatInt(seconds(p.retryAfter), 10)}
	}
	if p.challenge != "" {
		header["Www-Authenticate"] = []string{p.challenge}
	}
	if p.allow != "" {
		header["Allow"] = []string{p.allow}
	}
	if p.hangUp {
		header["Connection"] = []string{"close"}
	}
}

// seconds rounds up: who comes back too early is refused again.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// appendText appends a string of JSON; what is no UTF-8 in it becomes U+FFFD.
func appendText(dst []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil { // it never is: any string can be one of JSON
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}
