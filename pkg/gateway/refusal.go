// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/format"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// When to come back.
const (
	// A producer or a gateway that is full has room again in milliseconds; Retry-After knows no less than a second.
	retryBusy = time.Second
	// The election of a partition's leader lasts some seconds.
	retryUnavailable = 5 * time.Second
	// A topic or a right that is missing is given by a person, or by an operator's next pass.
	retryDenied = 30 * time.Second
)

func isRefused(err error) bool {
	_, certain := errors.AsType[*kafka.Refused](err)
	return certain
}

// errUndecided is the outcome of a message that the producer has said nothing of for RequestTimeout.
var errUndecided = errors.New("the producer has not said in time what became of the message")

// explain makes the problem that an error is to a caller. Addresses of brokers and the like stay in the log.
func explain(err error) problem {
	if fault, ok := errors.AsType[*format.Fault](err); ok {
		return ofFault(fault)
	}
	if end, ok := errors.AsType[*ended](err); ok {
		return end.problem
	}
	if full, ok := errors.AsType[*windowFull](err); ok {
		return problem{status: http.StatusServiceUnavailable, kind: "window-full", title: "Too many Idempotency-Keys",
			detail: full.Error(), retryAfter: full.after}
	}
	if moved, ok := errors.AsType[*window.Moved](err); ok {
		return problem{status: http.StatusServiceUnavailable, kind: "key-moves", title: "Idempotency-Key not known yet",
			detail: moved.Error(), retryAfter: moved.RetryAfter}
	}
	if errors.Is(err, window.ErrReused) {
		return problem{status: http.StatusUnprocessableEntity, kind: "key-reused", title: "Idempotency-Key used before",
			detail: window.ErrReused.Error()}
	}
	if isRefused(err) {
		return ofRefusal(err)
	}
	return problem{status: http.StatusGatewayTimeout, kind: "unknown-outcome", title: "Unknown outcome", unknown: true,
		detail: "no broker has said in time whether it holds the message: it may be written, now or in a moment, or not. " +
			"Who sends it again may make a second one, unless both have the same Idempotency-Key"}
}

func ofRefusal(err error) problem {
	switch {
	case errors.Is(err, kafka.ErrBusy):
		return busy("as much is underway to the brokers as there is memory for")
	case errors.Is(err, kafka.ErrTooLarge):
		return problem{status: http.StatusRequestEntityTooLarge, kind: "too-large", title: "Message too large",
			detail: "with the 70 bytes and more that its batch takes, it is larger than a message may be here or at the " +
				"brokers"}
	case errors.Is(err, kafka.ErrUnfit):
		return problem{status: http.StatusUnprocessableEntity, kind: "unfit", title: "Message that no broker takes",
			detail: err.Error()}
	case errors.Is(err, kafka.ErrNoTopic):
		return problem{status: http.StatusNotFound, kind: "no-topic", title: "No such topic",
			detail: "the topic of this binding does not exist (yet)", retryAfter: retryDenied}
	case errors.Is(err, kafka.ErrNoPartition):
		return problem{status: http.StatusNotFound, kind: "no-partition", title: "No such partition",
			detail: "the topic has no partition of this name"}
	case errors.Is(err, kafka.ErrDenied):
		return problem{status: http.StatusServiceUnavailable, kind: "denied", title: "Brokers refuse the gateway",
			detail: "the brokers do not allow the gateway to write to the topic", retryAfter: retryDenied}
	}
	if errors.Is(err, context.Canceled) { // read by who closes only its own side, and who has sent the same key meanwhile
		return problem{status: http.StatusServiceUnavailable, kind: "unavailable", title: "Given up",
			detail:     "whoever sent it first closed the connection, or its own side of it, before a broker had taken it",
			retryAfter: retryUnavailable}
	}
	return problem{status: http.StatusServiceUnavailable, kind: "unavailable", title: "No broker available",
		detail: "no broker that may take the message took it in time", retryAfter: retryUnavailable}
}

func busy(detail string) problem {
	return problem{status: http.StatusTooManyRequests, kind: "busy", title: "Too much at once", detail: detail,
		retryAfter: retryBusy}
}

func ofFault(fault *format.Fault) problem {
	p := problem{status: fault.Status, kind: "malformed", title: "Malformed request", detail: fault.Detail}
	switch fault.Status {
	case http.StatusUnprocessableEntity:
		p.kind, p.title = "no-message", "Not a message"
	case http.StatusUnsupportedMediaType:
		p.kind, p.title = "media-type", "Media type that is not read here"
	case http.StatusRequestHeaderFieldsTooLarge:
		p.kind, p.title = "headers-too-large", "Headers too large"
	case http.StatusRequestEntityTooLarge:
		p.kind, p.title = "too-large", "Too large"
	}
	return p
}

// ofCaller explains why a caller is not let in.
func ofCaller(err error) problem {
	if exceeded, ok := errors.AsType[*caller.Exceeded](err); ok {
		p := busy(exceeded.Error())
		p.kind, p.title, p.retryAfter = "limit", "Limit of the caller", max(exceeded.RetryAfter, retryBusy)
		return p
	}
	switch {
	case errors.Is(err, caller.ErrUnauthenticated):
		return problem{status: http.StatusUnauthorized, kind: "unauthenticated", title: "Not authenticated",
			detail: err.Error(), challenge: challenge(err)}
	case errors.Is(err, caller.ErrForbidden):
		return problem{status: http.StatusForbidden, kind: "forbidden", title: "Not allowed", detail: err.Error()}
	case errors.Is(err, caller.ErrUnavailable):
		return problem{status: http.StatusServiceUnavailable, kind: "callers-unavailable",
			title: "Callers cannot be verified", detail: err.Error(), retryAfter: retryUnavailable}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem{status: http.StatusServiceUnavailable, kind: "callers-unavailable",
			title: "Callers cannot be verified", detail: "it took too long", retryAfter: retryUnavailable}
	}
	return problem{status: http.StatusServiceUnavailable, kind: "callers-unavailable",
		title: "Callers cannot be verified", detail: "the caller cannot be verified now", retryAfter: retryUnavailable}
}

// challenge is never empty: RFC 9110 wants one with every 401.
func challenge(err error) string {
	if c := caller.Challenge(err); c != "" {
		return c
	}
	return "Bearer"
}
