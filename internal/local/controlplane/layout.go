// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// files is what lies in the directory of a control plane.
type files struct {
	directory       string
	authority       string
	etcd            pair // of the server and its one client, the API server
	apiServer       pair
	admin           pair
	serviceAccounts pair
}

// prepare makes directories, certificates and keys anew.
func prepare(directory string) (files, error) {
	pki := filepath.Join(directory, "pki")
	for _, d := range []string{directory, pki, filepath.Join(directory, "log"), filepath.Join(directory, "etcd")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return files{}, fmt.Errorf("control plane: %w", err)
		}
	}
	a, err := newAuthority(pki)
	if err != nil {
		return files{}, err
	}
	f := files{directory: directory, authority: a.file()}
	for _, certificate := range []struct {
		to     *pair
		name   string
		groups []string
	}{
		{&f.etcd, "etcd", nil},
		{&f.apiServer, "kube-apiserver", nil},
		// system:masters may do everything, by the API server's own rule and without an object that could be deleted.
		{&f.admin, "samsa-local-admin", []string{"system:masters"}},
	} {
		if *certificate.to, err = a.issue(certificate.name, certificate.groups...); err != nil {
			return files{}, err
		}
	}
	f.serviceAccounts, err = serviceAccountKeys(pki)
	return f, err
}

func (f files) log(program string) string { return filepath.Join(f.directory, "log", program+".log") }

func (f files) kubeconfig() string { return filepath.Join(f.directory, "kubeconfig") }

// writeKubeconfig makes kubectl and the controller manager reach the API server as the administrator.
func (f files) writeKubeconfig(url string) error {
	const name = "samsa-local"
	config := clientcmdapi.NewConfig()
	var err error
	read := func(path string) []byte {
		text, failure := os.ReadFile(path)
		if failure != nil {
			err = failure
		}
		return text
	}
	config.Clusters[name] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: read(f.authority)}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: read(f.admin.certificate), ClientKeyData: read(f.admin.key),
	}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	if err == nil {
		err = clientcmd.WriteToFile(*config, f.kubeconfig())
	}
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return nil
}
