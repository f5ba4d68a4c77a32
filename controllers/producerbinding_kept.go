// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ownership is a node of who owns what, as metav1.FieldsV1 has it: "f:name" is a field, "k:{...}" an entry of a list
// with the fields that it is known by, and "." the node itself.
type ownership map[string]any

// node is what is owned in a node.
func (o ownership) node(name string) ownership {
	fields, _ := o[name].(map[string]any)
	return fields
}

const (
	ownedField = "f:"
	ownedEntry = "k:"
	ownedSelf  = "."
	// variables is the list whose entries may be set by others.
	variables = "env"
)

// kept is what has to be applied on: variables that the binding made and that somebody else has set since, as kubectl
// set env does. The API server removes an entry of a list with who made it, whatever is in it; a variable that is still
// applied, by nothing but its name, stays, and is what others made of it. Volumes and mounts are nothing without what
// the binding put into them.
func kept(live *unstructured.Unstructured, by string) (map[string]any, error) {
	ours, others := ownership{}, []ownership{}
	for _, entry := range live.GetManagedFields() {
		var fields ownership
		if entry.FieldsV1 == nil || entry.Subresource != "" {
			continue
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			return nil, fmt.Errorf("who owns what in %s: %w", live.GetName(), err)
		}
		if entry.Manager == by && entry.Operation == metav1.ManagedFieldsOperationApply {
			ours = fields
		} else {
			others = append(others, fields)
		}
	}
	return keptFields(ours, others)
}

// keep adds to what is applied what has to be kept, and is not in it anyway.
func keep(applied, kept map[string]any) {
	for field, value := range kept {
		switch value := value.(type) {
		case map[string]any:
			within, ok := applied[field].(map[string]any)
			if !ok {
				within = map[string]any{}
				applied[field] = within
			}
			keep(within, value)
		case []any:
			list, _ := applied[field].([]any)
			applied[field] = keepEntries(list, value)
		}
	}
}

// keepEntries does so with containers and variables, which are known by their names.
func keepEntries(applied, kept []any) []any {
	for _, entry := range kept {
		entry, _ := entry.(map[string]any)
		at := slices.IndexFunc(applied, func(other any) bool {
			known, _ := other.(map[string]any)
			return known["name"] == entry["name"]
		})
		if at < 0 {
			applied = append(applied, entry)
		} else if known, ok := applied[at].(map[string]any); ok {
			keep(known, entry)
		}
	}
	return applied
}

// keptFields are those of an object; nil if there is nothing to be kept in it.
func keptFields(ours ownership, others []ownership) (map[string]any, error) {
	var result map[string]any
	for name := range ours {
		field, is := strings.CutPrefix(name, ownedField)
		if !is {
			continue
		}
		fields, within := ours.node(name), inside(others, name)
		list, err := keptEntries(fields, within, field == variables)
		if err != nil {
			return nil, err
		}
		object, err := keptFields(fields, within)
		if err != nil {
			return nil, err
		}
		switch {
		case len(list) > 0:
			result = with(result, field, list)
		case object != nil:
			result = with(result, field, object)
		}
	}
	return result, nil
}

// keptEntries are those of a list; themselves is whether any is kept for what is in it.
func keptEntries(ours ownership, others []ownership, themselves bool) (list []any, err error) {
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		known, is := strings.CutPrefix(name, ownedEntry)
		if !is {
			continue
		}
		entry, within := ours.node(name), inside(others, name)
		object, err := keptFields(entry, within)
		if err != nil {
			return nil, err
		}
		if object == nil && (!themselves || !claimed(entry, within)) {
			continue
		}
		var keys map[string]any
		if err := json.Unmarshal([]byte(known), &keys); err != nil {
			return nil, fmt.Errorf("who owns what: entry %s: %w", known, err)
		}
		for key, value := range keys {
			object = with(object, key, value)
		}
		list = append(list, object)
	}
	return list, nil
}

// claimed tells an entry that would go with who made it though somebody else has set what is in it. One that others
// have made, too, stays by itself.
func claimed(ours ownership, others []ownership) bool {
	_, made := ours[ownedSelf]
	set := false
	for _, other := range others {
		if _, too := other[ownedSelf]; too {
			return false
		}
		set = set || len(other) > 0
	}
	return made && set
}

// inside is what they own in a node, of those who own anything in it.
func inside(all []ownership, name string) (found []ownership) {
	for _, fields := range all {
		if _, ok := fields[name]; ok {
			found = append(found, fields.node(name))
		}
	}
	return found
}

func with(object map[string]any, field string, value any) map[string]any {
	if object == nil {
		object = map[string]any{}
	}
	object[field] = value
	return object
}
