// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

const (
	// bindingsRoot is where bindings are mounted in a container that has no such place of its own, which is what
	// rootVariable says; see the Service Binding specification.
	bindingsRoot = "/bindings"
	rootVariable = "SERVICE_BINDING_ROOT"
	// tokenLife is how long a token is good for, which the kubelet renews: an hour is what pods' own tokens have.
	tokenLife = 3600
	// bindingAnnotation begins the annotation of a bound workload, whose value tells one projection from another.
	bindingAnnotation = "bindings.kafka.samsa.dev/"
	// nameField is what containers, volumes and variables are told apart by.
	nameField = "name"
)

// SubjectResource is the kind of a workload as the API server knows it.
func SubjectResource(kind v1alpha1.SubjectKind) schema.GroupVersionKind {
	if kind == v1alpha1.SubjectCronJob {
		return schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: string(kind)}
	}
	return schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: string(kind)}
}

// podPath is where a workload's pods are described.
func podPath(kind v1alpha1.SubjectKind) []string {
	const spec = "spec"
	template := []string{spec, "template", spec}
	if kind == v1alpha1.SubjectCronJob {
		return append([]string{spec, "jobTemplate"}, template...)
	}
	return template
}

// Project gives what is to be applied to a workload, as it stands, so that its pods can publish to a binding. hash is
// for telling what is applied from what was. The error says what about the workload does not fit.
func Project(
	binding *v1alpha1.ProducerBinding, certificates bool, workload *unstructured.Unstructured, hash func([]byte) string,
) (*unstructured.Unstructured, error) {
	p := projection{binding: binding, certificates: certificates}
	kind := v1alpha1.SubjectKind(workload.GetKind())
	pod, _, err := unstructured.NestedMap(workload.Object, podPath(kind)...)
	if err != nil {
		return nil, fmt.Errorf("its pods' template: %w", err)
	}
	if err := p.check(pod, workload.GetNamespace()); err != nil {
		return nil, err
	}
	template := map[string]any{"volumes": []any{p.volume()}}
	for _, list := range []string{"containers", "initContainers"} {
		bound, err := p.containers(pod[list])
		if err != nil {
			return nil, err
		}
		if len(bound) > 0 {
			template[list] = bound
		}
	}
	apply := &unstructured.Unstructured{Object: map[string]any{}}
	if err := unstructured.SetNestedMap(apply.Object, template, podPath(kind)...); err != nil {
		return nil, fmt.Errorf("a template of its pods: %w", err)
	}
	data, err := json.Marshal(apply.Object)
	if err != nil {
		return nil, fmt.Errorf("a template of its pods: %w", err)
	}
	Identify(apply, workload)
	apply.SetAnnotations(map[string]string{bindingAnnotation + binding.Name: hash(data)})
	return apply, nil
}

// Identify makes a configuration be about an object, and no other of its name.
func Identify(apply, live *unstructured.Unstructured) {
	apply.SetGroupVersionKind(live.GroupVersionKind())
	apply.SetNamespace(live.GetNamespace())
	apply.SetName(live.GetName())
	apply.SetUID(live.GetUID())
}

type projection struct {
	binding      *v1alpha1.ProducerBinding
	certificates bool
}

func (p projection) volumeName() string { return "binding-" + p.binding.Name }

// volume has a file for each entry of the binding's Secret and, where callers need one, a token.
func (p projection) volume() map[string]any {
	sources := []any{map[string]any{"secret": map[string]any{nameField: BindingSecretName(p.binding.Name)}}}
	if audience := Audience(p.binding); audience != "" {
		sources = append(sources, map[string]any{"serviceAccountToken": map[string]any{
			"audience": audience, "expirationSeconds": int64(tokenLife), "path": "token",
		}})
	}
	if files := credentials(p.binding); files != nil {
		items := make([]any, 0, len(files))
		for _, file := range files {
			items = append(items, map[string]any{"key": file.key, "path": file.key})
		}
		sources = append(sources, map[string]any{"secret": map[string]any{
			nameField: p.binding.Spec.Subject.CredentialsSecretRef.Name, "items": items,
		}})
	}
	return map[string]any{nameField: p.volumeName(), "projected": map[string]any{"sources": sources}}
}

// credential is an entry of the Secret by which pods say who they are, and the end of the name of its variable.
type credential struct{ key, variable string }

// credentials are those that the callers of a binding show; nil where they need no Secret.
func credentials(binding *v1alpha1.ProducerBinding) []credential {
	switch AuthOf(binding) {
	case v1alpha1.AuthBasic:
		return []credential{
			{corev1.BasicAuthUsernameKey, "USERNAME_FILE"}, {corev1.BasicAuthPasswordKey, "PASSWORD_FILE"},
		}
	case v1alpha1.AuthMTLS:
		return []credential{{corev1.TLSCertKey, "CERT_FILE"}, {corev1.TLSPrivateKeyKey, "KEY_FILE"}}
	case v1alpha1.AuthServiceAccount, v1alpha1.AuthNone:
	}
	return nil
}

// CredentialKeys are the keys that spec.subject.credentialsSecretRef's Secret has to have; none where there is no need
// of one.
func CredentialKeys(binding *v1alpha1.ProducerBinding) (keys []string) {
	for _, file := range credentials(binding) {
		keys = append(keys, file.key)
	}
	return keys
}

// check makes sure that there are the containers that are asked for, and that their pods would be let in.
func (p projection) check(pod map[string]any, namespace string) error {
	for _, wanted := range p.binding.Spec.Subject.Containers {
		if !slices.ContainsFunc(slices.Concat(listOf(pod["containers"]), listOf(pod["initContainers"])),
			func(c map[string]any) bool { return c[nameField] == wanted }) {
			return fmt.Errorf("it has no container %s: correct spec.subject.containers", wanted)
		}
	}
	named, _ := pod["serviceAccountName"].(string)
	account := accountOr(named)
	if AuthOf(p.binding) == v1alpha1.AuthServiceAccount && !Allows(p.binding, namespace, account) {
		return fmt.Errorf("its pods run as ServiceAccount %s/%s, which may not publish: add it to "+
			"spec.http.auth.serviceAccount.allow, or give them another serviceAccountName", namespace, account)
	}
	return nil
}

func (p projection) containers(list any) (bound []any, err error) {
	wanted := p.binding.Spec.Subject.Containers
	for _, container := range listOf(list) {
		name, _ := container[nameField].(string)
		if len(wanted) > 0 && !slices.Contains(wanted, name) {
			continue
		}
		root, own, err := rootOf(container)
		if err != nil {
			return nil, fmt.Errorf("container %s: %w", name, err)
		}
		bound = append(bound, map[string]any{
			nameField: name,
			"env":     p.env(root, own),
			"volumeMounts": []any{map[string]any{
				nameField: p.volumeName(), "mountPath": root + "/" + p.binding.Name, "readOnly": true,
			}},
		})
	}
	return bound, nil
}

// env says where everything is. A container's own root of bindings stays its own.
func (p projection) env(root string, own bool) []any {
	prefix := p.binding.Spec.Subject.EnvPrefix
	if prefix == "" {
		prefix = "SAMSA_BINDING_"
	}
	directory := root + "/" + p.binding.Name + "/"
	env := []any{
		variable(prefix+"URL", GatewayURL(p.binding)), variable(prefix+"TOPIC", string(p.binding.Spec.Topic)),
	}
	if Audience(p.binding) != "" {
		env = append(env, variable(prefix+"TOKEN_FILE", directory+"token"))
	}
	for _, file := range credentials(p.binding) {
		env = append(env, variable(prefix+file.variable, directory+file.key))
	}
	if p.certificates {
		env = append(env, variable(prefix+"CA_FILE", directory+"certificates"))
	}
	if !own {
		env = append(env, variable(rootVariable, root))
	}
	return env
}

func variable(name, value string) map[string]any {
	return map[string]any{nameField: name, "value": value}
}

// rootOf is where a container wants bindings, and whether it says so itself.
func rootOf(container map[string]any) (root string, own bool, err error) {
	for _, v := range listOf(container["env"]) {
		if v[nameField] != rootVariable {
			continue
		}
		value, _ := v["value"].(string)
		switch {
		case value == "" || value[0] != '/':
			return "", false, fmt.Errorf("its %s is no path that is written out: make it one", rootVariable)
		case value != bindingsRoot:
			return value, true, nil
		}
	}
	return bindingsRoot, false, nil
}

func listOf(value any) (list []map[string]any) {
	elements, _ := value.([]any)
	for _, element := range elements {
		if fields, ok := element.(map[string]any); ok {
			list = append(list, fields)
		}
	}
	return list
}
