// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/sink"
)

const (
	// The longest that a sink may ask for: with less, a restart of the sink's own dependencies would be hammered;
	// with more, one mistaken answer ("Retry-After: 99999999") would stop a partition until somebody looks.
	maxRetryAfter = time.Hour
	// A status is read by people; an address longer than this is cut.
	maxLocation = 256
)

// judge turns an answer into a result; doc.go has the table.
func (s *Sink) judge(answer *http.Response) sink.Result {
	outcome := outcomeOf(answer.StatusCode)
	if outcome == sink.Done {
		return sink.Result{Outcome: sink.Done}
	}
	result := sink.Result{Outcome: outcome, Err: &Error{where: s.where, reason: reasonOf(answer)}}
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable {
		result.After = retryAfter(answer.Header.Get("Retry-After"), s.config.Now)
	}
	return result
}

// outcomeOf keeps Permanent for answers that judge the message: what judges the sink, the way to it or our right
// to use it may be mended without the message, and must not drive messages to the dead letters meanwhile.
func outcomeOf(status int) sink.Outcome {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusProxyAuthRequired,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone,
		http.StatusLengthRequired, http.StatusRequestURITooLong, http.StatusExpectationFailed,
		http.StatusMisdirectedRequest, http.StatusUpgradeRequired, http.StatusPreconditionRequired:
		return sink.Retry // The address, the credentials, or how the sink is set up.
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusFailedDependency:
		return sink.Retry // The moment.
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return sink.Retry // The sink's state; also how a sink refuses a claim that is older than one it has seen.
	}
	switch status / 100 {
	case 2:
		return sink.Done
	case 4:
		return sink.Permanent // RFC 9110 §15: a status that is not known means what the first of its class means.
	}
	return sink.Retry
}

// reasonOf uses the registered names of statuses: what a server writes behind the number may change with every answer.
func reasonOf(answer *http.Response) string {
	reason := strings.TrimSpace(strconv.Itoa(answer.StatusCode) + " " + http.StatusText(answer.StatusCode))
	if answer.StatusCode/100 != 3 {
		return reason
	}
	if location := answer.Header.Get("Location"); location != "" {
		reason += " to " + stableLocation(location)
	}
	return reason + " (redirects are not followed: set the sink's address to where it is)"
}

// stableLocation leaves out what may be secret or new every time.
func stableLocation(location string) string {
	parsed, err := url.Parse(location)
	if err != nil {
		return "a location that is no URL"
	}
	return cut(redact(parsed), maxLocation)
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// retryAfter reads the two forms of the header (RFC 9110 §10.2.3). Anything else is as good as none.
func retryAfter(text string, now func() time.Time) time.Duration {
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now()), 0), maxRetryAfter)
}
