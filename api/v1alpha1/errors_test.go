// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"encoding/json"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// decoded is an error with the text that kubectl shows: the status that the API server sent, if it sent one.
func decoded(answer []byte, err error) error {
	var status metav1.Status
	if json.Unmarshal(answer, &status) == nil && status.Message != "" {
		return errors.New(status.Message)
	}
	return err
}
