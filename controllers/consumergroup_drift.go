// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

const mergePatch = types.MergePatchType

// mapKeys are the fields that tell elements of lists apart, as the API server's own schema has them: in such a list
// others may have elements of their own, which server-side apply keeps.
func mapKeys() []string { return []string{"name", "uid", "mountPath", "topologyKey", "port"} }

// covers tells that live holds everything that desired says.
func covers(live, desired any) bool {
	switch desired := desired.(type) {
	case map[string]any:
		live, ok := live.(map[string]any)
		if !ok {
			return false
		}
		for key, value := range desired {
			if !covers(live[key], value) {
				return false
			}
		}
		return true
	case []any:
		live, ok := live.([]any)
		return ok && coversList(live, desired)
	default:
		return reflect.DeepEqual(live, desired)
	}
}

func coversList(live, desired []any) bool {
	for i, element := range desired {
		if key := keyOf(element); key != "" {
			if !coveredByOne(live, element, key) {
				return false
			}
		} else if len(live) != len(desired) || !covers(live[i], element) {
			return false
		}
	}
	return len(desired) > 0 || len(live) == 0
}

// keyOf is the field that tells a list's element from the others, empty if there is none.
func keyOf(element any) string {
	fields, ok := element.(map[string]any)
	if !ok {
		return ""
	}
	for _, key := range mapKeys() {
		if fields[key] != nil {
			return key
		}
	}
	return ""
}

func coveredByOne(live []any, element any, key string) bool {
	wanted, _ := element.(map[string]any)
	return slices.ContainsFunc(live, func(candidate any) bool {
		has, ok := candidate.(map[string]any)
		return ok && has[key] == wanted[key] && covers(has, wanted)
	})
}
