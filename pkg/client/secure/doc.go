// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package secure makes TLS connections whose certificates may change while they are in use: those of authorities, and
// this side's own, are asked for anew at each connection. It says what is wrong with one that fails, and what to do.
package secure
