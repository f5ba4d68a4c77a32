// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/format"
)

// exchange is one request and its answer.
type exchange struct {
	h      *Handler
	w      http.ResponseWriter
	r      *http.Request
	began  time.Time
	route  route
	caller caller.Caller
	pass   *caller.Pass
	// key is the Idempotency-Key, empty if there is none or nobody remembers it.
	key string

	// What Observe is told.
	status            int
	messages, written int
	bytes             int64
}

// The media types of answers.
var (
	typeJSON    = []string{"application/json"}
	typeProblem = []string{"application/problem+json"}
	typeLines   = []string{format.TypeLines}
	typeRecords = []string{"application/vnd.kafka.v2+json"}
)

// route is what a path stands for.
type route struct {
	// pattern is empty where there is nothing.
	pattern string
	// read says that it is to be read, with GET.
	read bool
	// topic and partition are those that the path names.
	topic, partition string
}

// The paths.
const (
	pathMessage   = "/"
	pathTopic     = "/topics/{topic}"
	pathPartition = "/topics/{topic}/partitions/{partition}"
	pathOpenAPI   = "/openapi.json"
	pathHealth    = "/healthz"
	pathReady     = "/readyz"
)

func (r route) allow() string {
	if r.read {
		return "GET, HEAD"
	}
	return http.MethodPost
}

func routeOf(r *http.Request) route {
	switch path := r.URL.Path; path {
	case pathMessage:
		return route{pattern: pathMessage}
	case pathOpenAPI, pathHealth, pathReady:
		return route{pattern: path, read: true}
	default:
		rest, ok := strings.CutPrefix(path, "/topics/")
		if !ok {
			return route{}
		}
		topic, partition, deeper := strings.Cut(rest, "/partitions/")
		if topic == "" || strings.Contains(topic, "/") || strings.Contains(partition, "/") || deeper && partition == "" {
			return route{}
		}
		if !deeper {
			return route{pattern: pathTopic, topic: topic}
		}
		return route{pattern: pathPartition, topic: topic, partition: partition}
	}
}

// maxKey is the longest Idempotency-Key: a UUID has 36 characters, the id of a message that a ConsumerGroup delivers up
// to 300.
const maxKey = 512

// idempotencyKey reads the header of that name. Where nobody remembers keys, it has no effect.
func (x *exchange) idempotencyKey() error {
	lines := x.r.Header["Idempotency-Key"]
	if len(lines) == 0 {
		return nil
	}
	if len(lines) > 1 || lines[0] == "" || len(lines[0]) > maxKey || strings.ContainsFunc(lines[0], invisible) {
		return format.Malformed("header Idempotency-Key: it must come once, with 1 to 512 visible characters of ASCII")
	}
	if x.h.config.Window != nil {
		x.key = lines[0]
	}
	return nil
}

func invisible(r rune) bool { return r <= ' ' || r > '~' }
