// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	// ownAccount is where pods have the token of their account, which programs look for there and nowhere else. Here
	// nothing can be there, so KUBECONFIG says where it is.
	ownAccount = "/var/run/secrets/kubernetes.io/serviceaccount"
	// namesVariable is how the programs of samsa are told which DNS server to ask.
	namesVariable = "SAMSA_DNS"
	// loopback is what a program reaches by itself.
	loopback = "localhost,127.0.0.0/8,::1"
)

// surround adds to an environment how Services are reached, and the API server. What the pod says itself stays: of two
// spellings of a variable, either.
func (n *Node) surround(v *variables, kubeconfig string) {
	at := "http://" + n.Proxy()
	for _, add := range [][3]string{
		{"HTTP_PROXY", "http_proxy", at}, {"HTTPS_PROXY", "https_proxy", at}, {"NO_PROXY", "no_proxy", loopback},
		{namesVariable, namesVariable, n.names.datagram.LocalAddr().String()},
		{clientcmd.RecommendedConfigPathEnvVar, clientcmd.RecommendedConfigPathEnvVar, kubeconfig},
	} {
		_, upper := v.values[add[0]]
		_, lower := v.values[add[1]]
		if add[2] != "" && !upper && !lower {
			v.set(add[0], add[2])
			v.set(add[1], add[2])
		}
	}
}

// kubeconfig writes, for a container that has the token of an account, how the API server is reached with it. The name
// is empty for others.
func (r *runner) kubeconfig(spec *corev1.Container) (name string, err error) {
	token := false
	for _, m := range spec.VolumeMounts {
		token = token || filepath.Clean(m.MountPath) == ownAccount
	}
	if !token {
		return "", nil
	}
	root := r.disk.root(spec.Name)
	const own = "own"
	config := clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{own: {
			Server: r.node.config.REST.Host, CertificateAuthority: filepath.Join(root, ownAccount, "ca.crt"),
		}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{own: {TokenFile: filepath.Join(root, ownAccount, "token")}},
		Contexts:       map[string]*clientcmdapi.Context{own: {Cluster: own, AuthInfo: own, Namespace: r.key.Namespace}},
		CurrentContext: own,
	}
	text, err := clientcmd.Write(config)
	if err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	name = filepath.Join(filepath.Dir(root), "kubeconfig")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	return name, nil
}
