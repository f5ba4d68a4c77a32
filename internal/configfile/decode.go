// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package configfile

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Decode reads YAML into config, a pointer to a struct, field by field. The decoders at hand stop at the first unknown
// field or wrong type, and name no path; whoever writes a file wants all of them at once. It is false for what holds no
// fields at all: nothing more can be said of that. first is a field that most files begin with.
func (f *Faults) Decode(data []byte, config any, first string) bool {
	const file = "the file"
	asJSON, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		f.Add(file, "is no YAML: %s", strings.Join(strings.Fields(err.Error()), " "))
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(asJSON))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		f.Add(file, "cannot be read: %v", err)
		return false
	}
	fields, ok := tree.(map[string]any)
	if !ok {
		f.Add(file, "holds %s where the fields of a configuration should be; begin with `%s`", kindOf(tree), first)
		return false
	}
	f.object("", fields, reflect.ValueOf(config).Elem())
	return true
}

// value sets target, of one of the types that configurations are made of, from a node of the tree.
func (f *Faults) value(path string, node any, target reflect.Value) {
	if node == nil {
		return // `field:` with nothing behind it is a field left out
	}
	if target.Kind() == reflect.Pointer {
		fresh := reflect.New(target.Type().Elem())
		f.value(path, node, fresh.Elem())
		target.Set(fresh)
		return
	}
	if text, ok := reflect.TypeAssert[encoding.TextUnmarshaler](target.Addr()); ok {
		f.text(path, node, text)
		return
	}
	switch node := node.(type) {
	case map[string]any:
		f.mapping(path, node, target)
	case []any:
		f.items(path, node, target)
	case string:
		if target.Kind() == reflect.String {
			target.SetString(node)
			return
		}
		f.mismatch(path, node, target)
	case json.Number:
		f.number(path, node, target)
	case bool:
		if target.Kind() == reflect.Bool {
			target.SetBool(node)
			return
		}
		f.mismatch(path, node, target)
	default:
		f.mismatch(path, node, target)
	}
}

func (f *Faults) number(path string, node json.Number, target reflect.Value) {
	if target.Kind() != reflect.Int {
		f.mismatch(path, node, target)
		return
	}
	whole, err := strconv.Atoi(node.String())
	if err != nil {
		f.Add(path, "%s is no whole number; write it in digits alone, as in 1000000", node)
		return
	}
	target.SetInt(int64(whole))
}

func (f *Faults) text(path string, node any, target encoding.TextUnmarshaler) {
	text, ok := node.(string)
	if !ok {
		text = fmt.Sprint(node)
	}
	if err := target.UnmarshalText([]byte(text)); err != nil {
		f.Add(path, "%v", err)
	}
}

func (f *Faults) mapping(path string, node map[string]any, target reflect.Value) {
	switch target.Kind() {
	case reflect.Struct:
		f.object(path+".", node, target)
	case reflect.Map:
		target.Set(reflect.MakeMapWithSize(target.Type(), len(node)))
		for _, key := range slices.Sorted(maps.Keys(node)) {
			element := reflect.New(target.Type().Elem()).Elem()
			f.value(path+"["+key+"]", node[key], element)
			target.SetMapIndex(reflect.ValueOf(key), element)
		}
	default:
		f.mismatch(path, node, target)
	}
}

func (f *Faults) items(path string, node []any, target reflect.Value) {
	if target.Kind() != reflect.Slice {
		f.mismatch(path, node, target)
		return
	}
	target.Set(reflect.MakeSlice(target.Type(), len(node), len(node)))
	for i, element := range node {
		f.value(fmt.Sprintf("%s[%d]", path, i), element, target.Index(i))
	}
}

// object sets the fields of a struct. Names are matched exactly: a file that works by luck of case is no favor to its
// next reader.
func (f *Faults) object(prefix string, node map[string]any, target reflect.Value) {
	known := make(map[string]reflect.Value, target.NumField())
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
		known[name] = target.Field(i)
	}
	for _, name := range slices.Sorted(maps.Keys(node)) {
		field, ok := known[name]
		if !ok {
			f.Add(prefix+name, "is no field of the configuration; %s", suggest(name, known))
			continue
		}
		f.value(prefix+name, node[name], field)
	}
}

func suggest(name string, known map[string]reflect.Value) string {
	names := slices.Sorted(maps.Keys(known))
	for _, candidate := range names {
		if strings.EqualFold(candidate, name) {
			return "write it " + candidate
		}
	}
	if len(names) == 0 {
		return "remove it, there are none here"
	}
	return "remove it, or use one of " + strings.Join(names, ", ")
}

func (f *Faults) mismatch(path string, node any, target reflect.Value) {
	wanted := "a text"
	switch target.Kind() {
	case reflect.Int:
		wanted = "a number"
	case reflect.Bool:
		wanted = "true or false"
	case reflect.Struct:
		wanted = "fields, or {}"
	case reflect.Map:
		wanted = "names with values"
	case reflect.Slice:
		wanted = "a list, as in [orders]"
	}
	hint := ""
	if number, ok := node.(json.Number); ok && target.Kind() == reflect.String {
		hint = fmt.Sprintf(" (put it in quotes: %q)", number)
	} else if truth, ok := node.(bool); ok && target.Kind() == reflect.String {
		hint = fmt.Sprintf(" (put it in quotes: %q)", strconv.FormatBool(truth))
	}
	f.Add(path, "is %s where %s should be%s", kindOf(node), wanted, hint)
}

func kindOf(node any) string {
	switch node.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a set of fields"
	}
	return "something else"
}
