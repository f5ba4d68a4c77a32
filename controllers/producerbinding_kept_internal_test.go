// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestKept(t *testing.T) {
	const (
		env   = `{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:name":{},"f:env":{"k:{\"name\":\"URL\"}":`
		end   = `}}}}}`
		whole = env + `{".":{},"f:name":{},"f:value":{}}` + end
		value = env + `{"f:value":{}}` + end
		app   = `{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:name":{}}}}}`
		list  = `{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:volumeMounts":{"k:{\"mountPath\":\"/b\"}":`
		mount = list + `{".":{},"f:mountPath":{},"f:name":{}}` + end
		bent  = list + `{"f:subPath":{}}` + end
		stays = `{"spec":{"containers":[{"env":[{"name":"URL"}],"name":"app"}]}}`
	)
	for name, c := range map[string]struct {
		ours   string
		others []string
		want   string
	}{
		"nobody else":                     {whole, nil, `null`},
		"somebody else has the rest":      {whole, []string{app}, `null`},
		"somebody else set the value":     {whole, []string{app, value}, stays},
		"somebody else made it, too":      {whole, []string{whole}, `null`},
		"one made it, another set it":     {whole, []string{whole, value}, `null`},
		"somebody else set a mount of it": {mount, []string{app, bent}, `null`},
		"what is not ours is left alone":  {app, []string{value}, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			entry := func(manager, fields string) metav1.ManagedFieldsEntry {
				return metav1.ManagedFieldsEntry{
					Manager: manager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(fields),
				}
			}
			entries := []metav1.ManagedFieldsEntry{entry("us", c.ours)}
			for _, fields := range c.others {
				entries = append(entries, entry("them", fields))
			}
			live := &unstructured.Unstructured{Object: map[string]any{}}
			live.SetManagedFields(entries)
			fields, err := kept(live, "us")
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(fields)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}
