// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure_test

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/secure"
)

func TestACertificateForManyNamesIsToldInALine(t *testing.T) {
	certificate := new(x509.Certificate)
	for i := range 1000 {
		certificate.DNSNames = append(certificate.DNSNames, fmt.Sprintf("host-%d.example", i))
	}
	told := secure.Explain(x509.HostnameError{Certificate: certificate, Host: "kafka"}).Error()
	if len(told) > 500 || !strings.Contains(told, "host-4.example and 995 more") {
		t.Errorf("%d bytes: %.300s", len(told), told)
	}
}
