// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

const title = `# API reference

Generated from the CustomResourceDefinitions by ` + "`make docs`; the same texts stand in `kubectl explain`" + `.
A field is optional unless it says otherwise. What the API server refuses, it refuses with the messages below.
`

const site = "https://kubernetes.io/docs/"

// kubernetes are the fields of Kubernetes' own types: where they are described, and what is not repeated here.
var kubernetes = map[string]string{
	"affinity":                  site + "concepts/scheduling-eviction/assign-pod-node/#affinity-and-anti-affinity",
	"conditions":                site + "reference/kubernetes-api/common-definitions/condition/",
	"imagePullSecrets":          site + "concepts/containers/images/#specifying-imagepullsecrets-on-a-pod",
	"resources":                 site + "concepts/configuration/manage-resources-containers/",
	"tolerations":               site + "concepts/scheduling-eviction/taint-and-toleration/",
	"topologySpreadConstraints": site + "concepts/scheduling-eviction/topology-spread-constraints/",
}

// reference is the whole document.
func reference(kinds []apiextensionsv1.CustomResourceDefinition) string {
	var out strings.Builder
	out.WriteString(title)
	for i := range kinds {
		kind(&out, &kinds[i])
	}
	return out.String()
}

func kind(out *strings.Builder, definition *apiextensionsv1.CustomResourceDefinition) {
	names, version := definition.Spec.Names, &definition.Spec.Versions[0]
	schema := version.Schema.OpenAPIV3Schema
	fmt.Fprintf(out, "\n## %s\n\n", names.Kind)
	fmt.Fprintf(out, "`apiVersion: %s/%s`, `kind: %s`; short name `%s`.\n\n",
		definition.Spec.Group, version.Name, names.Kind, strings.Join(names.ShortNames, "`, `"))
	fmt.Fprintln(out, oneLine(schema.Description))
	rules(out, schema)
	for _, part := range []string{"spec", "status"} {
		fmt.Fprintf(out, "\n### %s %s\n\n", names.Kind, part)
		property := schema.Properties[part]
		fmt.Fprintln(out, oneLine(property.Description))
		rules(out, &property)
		out.WriteString("\n| field | type | what it says |\n|---|---|---|\n")
		fields(out, part, &property)
	}
}

// rules lists what is refused of a whole object; messages about fields stand with the fields.
func rules(out *strings.Builder, schema *apiextensionsv1.JSONSchemaProps) {
	if len(schema.XValidations) == 0 {
		return
	}
	out.WriteString("\n")
	for _, rule := range schema.XValidations {
		fmt.Fprintf(out, "- %s\n", oneLine(rule.Message))
	}
}

// fields writes a row for each field below a path, those that must be given first.
func fields(out *strings.Builder, path string, schema *apiextensionsv1.JSONSchemaProps) {
	names := slices.SortedFunc(maps.Keys(schema.Properties), func(a, b string) int {
		required := func(name string) int {
			if slices.Contains(schema.Required, name) {
				return 0
			}
			return 1
		}
		if order := required(a) - required(b); order != 0 {
			return order
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		property := schema.Properties[name]
		field := path + "." + name
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", field, typeOf(&property), says(name, schema, &property))
		if _, known := kubernetes[name]; known {
			continue
		}
		below := &property
		if items := property.Items; items != nil && items.Schema != nil {
			below, field = items.Schema, field+"[]"
		}
		fields(out, field, below)
	}
}

// says is everything about a field: its description, whether it must be given, its default and what is refused.
func says(name string, parent, property *apiextensionsv1.JSONSchemaProps) string {
	var parts []string
	if slices.Contains(parent.Required, name) {
		parts = append(parts, "**Required.**")
	}
	parts = append(parts, oneLine(property.Description))
	if link, known := kubernetes[name]; known {
		parts = append(parts, "See [Kubernetes]("+link+").")
	}
	if property.Default != nil && !strings.Contains(property.Description, "Default") {
		parts = append(parts, fmt.Sprintf("Default %#q.", property.Default.Raw))
	}
	parts = append(parts, messages(property)...)
	if items := property.Items; items != nil && items.Schema != nil {
		parts = append(parts, messages(items.Schema)...)
	}
	return strings.ReplaceAll(strings.Join(parts, " "), "|", `\|`)
}

func messages(schema *apiextensionsv1.JSONSchemaProps) []string {
	found := make([]string, 0, len(schema.XValidations))
	for _, rule := range schema.XValidations {
		found = append(found, "<br>*"+strings.ReplaceAll(oneLine(rule.Message), "*", `\*`)+"*")
	}
	return found
}

// typeOf names a type with its bounds.
func typeOf(schema *apiextensionsv1.JSONSchemaProps) string {
	switch {
	case len(schema.Enum) > 0:
		values := make([]string, len(schema.Enum))
		for i, value := range schema.Enum {
			values[i] = "`" + strings.Trim(string(value.Raw), `"`) + "`"
		}
		return strings.Join(values, ", ")
	case schema.Type == "array":
		return "list of " + typeOf(schema.Items.Schema) + upTo(schema.MaxItems)
	case schema.Type == "object" && schema.AdditionalProperties != nil:
		return "map of strings" + upTo(schema.MaxProperties)
	case schema.Type == "string" && schema.Format == "date-time":
		return "time"
	case schema.Type == "string" && schema.MaxLength != nil:
		return fmt.Sprintf("string, at most %d characters", *schema.MaxLength)
	case schema.Minimum != nil && schema.Maximum != nil:
		return fmt.Sprintf("integer, %.0f to %.0f", *schema.Minimum, *schema.Maximum)
	case schema.Minimum != nil:
		return fmt.Sprintf("integer, at least %.0f", *schema.Minimum)
	}
	return schema.Type
}

func upTo(limit *int64) string {
	if limit == nil {
		return ""
	}
	return fmt.Sprintf(", at most %d", *limit)
}

// oneLine makes a text fit into a cell of a table: without line ends, and without what Markdown takes for HTML.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "<", "&lt;")
}
