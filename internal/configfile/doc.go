// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package configfile reads the configuration files of samsa's processes: strictly, and with everything that is wrong
// said at once, each fault with the field and what to do about it.
package configfile
