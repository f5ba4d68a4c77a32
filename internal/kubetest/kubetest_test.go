// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import "testing"

func TestStartsAndStops(t *testing.T) {
	config, stop, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(config.Host)
	if err := stop(); err != nil {
		t.Error(err)
	}
}
