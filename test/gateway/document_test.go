// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// document is what a gateway promises of itself.
type document struct {
	Paths map[string]map[string]struct {
		Responses map[string]promise
	}
	Components struct {
		Responses map[string]promise
	}
}

// promise is what an answer has.
type promise struct {
	Ref     string `json:"$ref"`
	Headers map[string]struct{ Required bool }
	Content map[string]any
}

func parseDocument(data []byte) (document, error) {
	var d document
	err := json.Unmarshal(data, &d)
	return d, err
}

// statuses are those that a route promises, with their answers.
func (d document) statuses(method, route string) map[int]promise {
	all := map[int]promise{}
	for code, p := range d.Paths[route][strings.ToLower(method)].Responses {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/responses/"); ok {
			p = d.Components.Responses[name]
		}
		status, err := strconv.Atoi(code)
		if err != nil {
			panic(err) // a range: write it down code by code
		}
		all[status] = p
	}
	return all
}

// broken says what of an answer was not promised; empty if all was.
func (d document) broken(method, route string, a *answer) string {
	p, ok := d.statuses(method, route)[a.status]
	if !ok {
		return fmt.Sprintf("%s %s promises no %d", method, route, a.status)
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if len(p.Content) > 0 || len(a.body) > 0 {
		if _, ok := p.Content[kind]; !ok {
			return fmt.Sprintf("%d with %q is not promised", a.status, kind)
		}
	}
	var missing []string
	for name, header := range p.Headers {
		if header.Required && a.header.Get(name) == "" {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		return fmt.Sprintf("%d without %s", a.status, strings.Join(missing, ", "))
	}
	return ""
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	// closed says that the connection ends with it.
	closed bool
}

func (a *answer) String() string { return fmt.Sprintf("%d %v\n%s", a.status, a.header, a.body) }

// result is what an answer says of one message.
type result struct {
	Status    int
	Partition json.RawMessage
	Offset    *int64
	Timestamp *string
	Type      string
	Outcome   string
	// ErrorCode is in the words of the others.
	ErrorCode int `json:"error_code"` //nolint:tagliatelle // see above
}

func (r *result) refused() bool { return r.Outcome == "refused" }
func (r *result) unknown() bool { return r.Outcome == "unknown" }

// place is the partition's name; empty if it is not told.
func (r *result) place() string {
	place := strings.Trim(string(r.Partition), `"`)
	if place == "null" {
		return ""
	}
	return place
}

// results reads what an answer says of each of n messages; what it says of all, for each.
func (a *answer) results(f *format, n int) ([]result, error) {
	if a.status == http.StatusNoContent {
		return slices.Repeat([]result{{Status: http.StatusCreated}}, n), nil
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if kind == typeLines {
		return a.lines()
	}
	var whole struct {
		result
		Results, Offsets []result
	}
	if kind == typeText && a.status == http.StatusRequestHeaderFieldsTooLarge { // the server's own
		return slices.Repeat([]result{{Status: a.status, Outcome: "refused"}}, n), nil
	}
	if err := json.Unmarshal(a.body, &whole); err != nil {
		return nil, fmt.Errorf("%w in %s", err, a)
	}
	each := whole.Results
	if f.kind == theirs {
		each = whole.Offsets
		for i := range each {
			if each[i].Status = each[i].ErrorCode; each[i].Status == 0 {
				each[i].Status = http.StatusCreated
				if a.status == http.StatusAccepted {
					each[i].Status = http.StatusAccepted
				}
			}
		}
	}
	switch {
	case each != nil:
		return each, nil
	case f.kind == single || a.status >= http.StatusBadRequest:
		whole.Status = a.status
		return slices.Repeat([]result{whole.result}, n), nil
	}
	return nil, fmt.Errorf("no results in %s", a)
}

func (a *answer) lines() (all []result, err error) {
	for line := range strings.Lines(string(a.body)) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%w in %s", err, a)
		}
		all = append(all, r)
	}
	return all, nil
}
