// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package configfile

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// WithHost gives an address to listen at with another host: a name, or an IP address with or without the brackets of
// IPv6. A host that is none is a fault of --address.
func WithHost(f *Faults, listen, host string) string {
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(bare); err != nil && strings.Trim(host, hostCharacters) != "" {
		f.Add("--address", "%q is no host; give a name or an IP address, without a port", host)
		return listen
	}
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen // the check of listen says what is wrong
	}
	return net.JoinHostPort(bare, port)
}

// hostCharacters are those of names in DNS, and '_', which some have all the same.
const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

// CheckListen checks an address to listen at; port 0 is a free one.
func CheckListen(f *Faults, path, listen string) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		f.Add(path, "%q is no address; give HOST:PORT, or :PORT for all of the machine's addresses", listen)
		return
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		f.Add(path, "%q has a port that is no number from 0 to 65535", listen)
	}
	if strings.ContainsAny(host, "/ ") {
		f.Add(path, "%q names no host; give an address, without http://", listen)
	}
}
