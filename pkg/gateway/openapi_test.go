// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"encoding/json"
	"fmt"
	"mime"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/gateway"
)

// object is JSON as encoding/json reads it.
type object = map[string]any

// document is the one that is served, as it lies there.
var document = sync.OnceValue(func() object {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		panic(err)
	}
	var document object
	if err := json.Unmarshal(text, &document); err != nil {
		panic(err)
	}
	return document
})

// resolve follows a reference.
func resolve(value any) object {
	o, _ := value.(object)
	reference, ok := o["$ref"].(string)
	if !ok {
		return o
	}
	at := any(document())
	for part := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
		at = at.(object)[part]
	}
	if at == nil {
		panic("the document refers to nothing: " + reference)
	}
	return resolve(at)
}

var patterns = map[string]*regexp.Regexp{
	"/topics/{topic}/partitions/{partition}": regexp.MustCompile(`^/topics/[^/]+/partitions/[^/]+$`),
	"/topics/{topic}":                        regexp.MustCompile(`^/topics/[^/]+$`),
}

func patternOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	for pattern, expression := range patterns {
		if expression.MatchString(path) {
			return pattern
		}
	}
	return path
}

// undocumented says what of an answer the document does not have.
func undocumented(method, path string, a answer) string {
	item, found := document()["paths"].(object)[patternOf(path)].(object)
	operation, allowed := item[strings.ToLower(method)].(object)
	if !found || !allowed {
		if a.status == 404 && !found || a.status == 405 && !allowed || method == "HEAD" {
			return ""
		}
		return fmt.Sprintf("%s %s answers %d, and is not in the document", method, path, a.status)
	}
	response := resolve(operation["responses"].(object)[strconv.Itoa(a.status)])
	if response == nil {
		return fmt.Sprintf("%s %s answers %d, which the document does not have", method, path, a.status)
	}
	if headers, ok := response["headers"].(object); ok {
		for name, header := range headers {
			if required, _ := resolve(header)["required"].(bool); required && a.header.Get(name) == "" {
				return fmt.Sprintf("%d has no header %s", a.status, name)
			}
		}
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	content, _ := response["content"].(object)
	if content == nil && a.body == "" {
		return ""
	}
	media, ok := content[kind].(object)
	if !ok {
		return fmt.Sprintf("%d is %q, which the document does not have", a.status, kind)
	}
	return mismatch(media["schema"], kind, a.body)
}

func mismatch(schema any, kind, body string) string {
	if kind == typeLines {
		for line := range strings.SplitSeq(strings.TrimSuffix(body, "\n"), "\n") {
			if problem := mismatch(resolve(schema)["items"], "", line); problem != "" {
				return problem
			}
		}
		return ""
	}
	if kind == "text/plain" {
		return ""
	}
	var value any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		return fmt.Sprintf("%v: %s", err, body)
	}
	if problem := violates(schema, value); problem != "" {
		return problem + ": " + body
	}
	return ""
}

// violates is as much of JSON Schema as the document needs for answers.
func violates(schema, value any) string {
	s := resolve(schema)
	if all, ok := s["allOf"].([]any); ok {
		for _, one := range all {
			if problem := violates(one, value); problem != "" {
				return problem
			}
		}
	}
	if choices, ok := s["oneOf"].([]any); ok {
		fitting, problems := 0, ""
		for _, one := range choices {
			if problem := violates(one, value); problem == "" {
				fitting++
			} else {
				problems += problem + "; "
			}
		}
		if fitting != 1 {
			return fmt.Sprintf("%d of oneOf fit: %s", fitting, problems)
		}
	}
	if want, ok := s["const"]; ok && want != value {
		return fmt.Sprintf("%v is not %v", value, want)
	}
	if choices, ok := s["enum"].([]any); ok {
		found := false
		for _, choice := range choices {
			found = found || choice == value
		}
		if !found {
			return fmt.Sprintf("%v is none of %v", value, choices)
		}
	}
	if problem := violatesType(s["type"], value); problem != "" {
		return problem
	}
	return violatesMembers(s, value)
}

func violatesType(want, value any) string {
	if want == nil {
		return ""
	}
	names, ok := want.([]any)
	if !ok {
		names = []any{want}
	}
	for _, name := range names {
		fits := false
		switch v := value.(type) {
		case nil:
			fits = name == "null"
		case string:
			fits = name == "string"
		case bool:
			fits = name == "boolean"
		case float64:
			fits = name == "number" || name == "integer" && v == float64(int64(v))
		case []any:
			fits = name == "array"
		case object:
			fits = name == "object"
		}
		if fits {
			return ""
		}
	}
	return fmt.Sprintf("%v is no %v", value, want)
}

func violatesMembers(s object, value any) string {
	switch v := value.(type) {
	case object:
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, found := v[name.(string)]; !found {
				return fmt.Sprintf("%s is missing", name)
			}
		}
		properties, _ := s["properties"].(object)
		for name, member := range v {
			if schema, known := properties[name]; known {
				if problem := violates(schema, member); problem != "" {
					return name + ": " + problem
				}
			}
		}
	case []any:
		if s["items"] == nil {
			return ""
		}
		for i, item := range v {
			if problem := violates(s["items"], item); problem != "" {
				return fmt.Sprintf("[%d]: %s", i, problem)
			}
		}
	}
	return ""
}

// written is a body as it goes out.
func written(kind string, body any) string {
	GinkgoHelper()
	values := []any{body}
	if list, ok := body.([]any); ok && kind == typeLines {
		values = list
	}
	var lines []string
	for _, value := range values {
		text, err := json.Marshal(value)
		Expect(err).NotTo(HaveOccurred())
		lines = append(lines, string(text))
	}
	return strings.Join(lines, "\n")
}

var _ = Describe("The document", func() {
	It("is served to everybody, and is the one that answers are held against", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}})
		a := send(ctx, "GET", url, "/openapi.json", nil)
		Expect(a.status).To(Equal(200))
		Expect(a.header.Get(contentType)).To(Equal("application/json"))
		text, err := os.ReadFile("openapi.json")
		Expect(err).NotTo(HaveOccurred())
		const (
			anyTopic  = `"schema": {"type": "string", "pattern": "^[a-zA-Z0-9._-]{1,249}$"}`
			thisTopic = `"schema": {"type": "string", "const": "orders"}`
		)
		Expect(string(text)).To(ContainSubstring(anyTopic))
		Expect(a.body).To(Equal(strings.ReplaceAll(string(text), anyTopic, thisTopic)))
		Expect(document()["openapi"]).To(Equal("3.1.0"))
	})

	DescribeTable("says how callers of the binding prove who they are",
		func(ctx SpecContext, security gateway.Security, want ...any) {
			_, url := serve(gateway.Config{Producer: &brokers{}, Security: security})
			Expect(decode(send(ctx, "GET", url, "/openapi.json", nil).body)["security"]).To(Equal(want))
		},
		Entry(nil, gateway.SecurityToken, object{"token": []any{}}),
		Entry(nil, gateway.SecurityBasic, object{"basic": []any{}}),
		Entry(nil, gateway.SecurityCertificate, object{"certificate": []any{}}),
		Entry(nil, gateway.SecurityAny, object{}, object{"token": []any{}}, object{"basic": []any{}},
			object{"certificate": []any{}}),
		Entry(nil, gateway.SecurityNone),
	)

	It("has the paths that there are, with their methods, and refers to what it has", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}})
		for pattern, item := range document()["paths"].(object) {
			path := strings.NewReplacer("{topic}", topic, "{partition}", "0").Replace(pattern)
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
				a := send(ctx, method, url, path, nil)
				_, documented := item.(object)[strings.ToLower(method)]
				if documented {
					Expect(a.status).NotTo(Equal(405), "%s %s", method, path)
					continue
				}
				Expect(a.status).To(Equal(405), "%s %s", method, path)
				Expect(a.header.Get("Allow")).NotTo(BeEmpty())
			}
		}
		var walk func(value any)
		walk = func(value any) {
			switch v := value.(type) {
			case object:
				resolve(v)
				for _, member := range v {
					walk(member)
				}
			case []any:
				for _, item := range v {
					walk(item)
				}
			}
		}
		walk(document())
	})

	// Schemathesis looks at the same from without; this one runs everywhere.
	It("has examples that are taken", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}})
		taken := 0
		for pattern, item := range document()["paths"].(object) {
			operation, _ := item.(object)["post"].(object)
			body, _ := operation["requestBody"].(object)
			content, _ := body["content"].(object)
			for kind, media := range content {
				example, there := media.(object)["example"]
				if !there {
					continue
				}
				taken++
				path := strings.NewReplacer("{topic}", topic, "{partition}", "0").Replace(pattern)
				a := post(ctx, url, path, written(kind, example), contentType, kind)
				Expect(a.status/100).To(Equal(2), "%s %s: %s", pattern, kind, a.body)
			}
		}
		Expect(taken).To(Equal(5 + 3 + 3))
	})

	It("is broken by what it does not have", func() {
		Expect(undocumented("POST", "/", answer{status: 418})).To(ContainSubstring("418"))
		a := answer{status: 201, body: "{}"}
		a.header = map[string][]string{contentType: {"application/json"}}
		Expect(undocumented("POST", "/", a)).To(ContainSubstring("is missing"))
	})
})
