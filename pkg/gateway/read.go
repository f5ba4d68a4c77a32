// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	_ "embed"
	"net/http"
)

// OpenAPI describes all of this: OpenAPI 3.1, in JSON.
//
//go:embed openapi.json
var openAPI []byte

// serveRead answers what is read, which anybody may.
func (x *exchange) serveRead() {
	switch x.route.pattern {
	case pathOpenAPI:
		x.writeStatus(http.StatusOK, typeJSON)
		x.write(openAPI)
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
