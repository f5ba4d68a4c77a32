// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	_ "embed"
	"net/http"
	"strings"
)

// openAPI describes all of this for any binding: OpenAPI 3.1, in JSON.
//
//go:embed openapi.json
var openAPI string

// What of the document one binding knows better.
const (
	anyTopic    = `"schema": {"type": "string", "pattern": "^[a-zA-Z0-9._-]{1,249}$"}`
	anySecurity = `"security": [{}, {"token": []}, {"basic": []}, {"certificate": []}]`
)

// describe is the document of this binding: with its one topic, and the way in which its callers say who they are.
// Whoever makes a client of it, or tests against it, needs to know that.
func describe(topic string, security Security) []byte {
	changes := []string{anyTopic, `"schema": {"type": "string", "const": "` + topic + `"}`}
	switch security {
	case SecurityAny:
	case SecurityNone:
		changes = append(changes, anySecurity, `"security": []`)
	case SecurityToken, SecurityBasic, SecurityCertificate:
		changes = append(changes, anySecurity, `"security": [{"`+string(security)+`": []}]`)
	}
	return []byte(strings.NewReplacer(changes...).Replace(openAPI))
}

// serveRead answers what is read, which anybody may.
func (x *exchange) serveRead() {
	switch x.route.pattern {
	case pathOpenAPI:
		x.writeStatus(http.StatusOK, typeJSON)
		x.write(x.h.document)
	case pathHealth:
		x.healthy()
	case pathReady:
		x.ready()
	}
}

func (x *exchange) healthy() {
	x.writeStatus(http.StatusOK, typeJSON)
	x.write([]byte(`{"status":"ok"}`))
}

// ready says whether the gateway should get requests.
func (x *exchange) ready() {
	if x.h.draining.Load() {
		p := draining()
		p.hangUp = false // whoever asks asks again
		x.refuse(p)
		return
	}
	if x.h.config.Ready != nil {
		if err := x.h.config.Ready(); err != nil {
			x.refuse(problem{status: http.StatusServiceUnavailable, kind: "not-ready", title: "Not ready",
				detail: err.Error(), retryAfter: retryBusy})
			return
		}
	}
	x.healthy()
}
