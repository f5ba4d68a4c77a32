// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What a gateway may answer to two messages, and what that means.
func TestEntranceReadsAnswers(t *testing.T) {
	at := func(id string, offset int64) result {
		return result{acknowledged: true, partition: kafka.Partition{Topic: lines, ID: id}, offset: offset}
	}
	for name, c := range map[string]struct {
		status int
		body   string
		want   []result
	}{
		"both taken": {http.StatusOK, `{"status":201,"topic":"lines","partition":"3","offset":7}
{"status":201,"topic":"lines","partition":"0-1","offset":null}
`, []result{at("3", 7), at("0-1", -1)}},
		"one refused for now": {http.StatusMultiStatus, `{"status":503,"outcome":"refused"}
{"status":201,"partition":"3","offset":7}`, []result{{refused: true, later: true}, at("3", 7)}},
		"cut off": {http.StatusMultiStatus, `{"status":201,"partition":"3","offset":7}`, []result{at("3", 7), {}}},
		"cut off within": {http.StatusMultiStatus, `{"status":201,"partition":"3","offset":7}
{"sta`, []result{at("3", 7), {}}},
		"nobody may": {
			http.StatusForbidden, `{"status":403,"outcome":"refused"}`, []result{{refused: true}, {refused: true}},
		},
		"unknown":          {http.StatusGatewayTimeout, `{"status":504,"outcome":"unknown"}`, []result{{}, {}}},
		"no gateway there": {http.StatusBadGateway, "<html>", []result{{}, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.URL.Host != "lines.svc" || string(body) != "\x00\x00\x00\x01a\x00\x00\x00\x00" ||
					r.Header.Get("Authorization") != "Bearer t" {
					t.Errorf("asked %s with %q", r.URL, body)
				}
				w.Header().Set("Content-Type", "application/x-ndjson")
				if c.status == http.StatusForbidden || c.status >= 500 {
					w.Header().Set("Content-Type", "application/problem+json")
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer gateway.Close()
			e := newEntrance("http://lines.svc/", "t", strings.TrimPrefix(gateway.URL, "http://"))
			defer e.close()
			got, err := e.publish(t.Context(), values("a", ""))
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i].why = ""; !got[i].acknowledged {
					got[i].partition, got[i].offset = kafka.Partition{}, 0
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	e := newEntrance("http://lines.svc/", "t", "127.0.0.1:1")
	if got, err := e.publish(t.Context(), values("a")); err != nil || !got[0].refused || !got[0].later {
		t.Errorf("nobody there: got %+v, %v", got, err)
	}
}
