// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// checkConnect checks "host:port,host:port/chroot". The port may be left out, as in ZooKeeper's own connect strings.
func checkConnect(f *faults, path, connect string) {
	if connect == "" {
		f.add(path, "is missing; give HOST:PORT,HOST:PORT/CHROOT as in Kafka's zookeeper.connect")
		return
	}
	hosts, chroot, _ := strings.Cut(connect, "/")
	for host := range strings.SplitSeq(hosts, ",") {
		if reason := badAddress(strings.TrimSpace(host)); reason != "" {
			f.add(path, "%q: host %q %s", connect, host, reason)
		}
	}
	if chroot == "" {
		return
	}
	for part := range strings.SplitSeq(chroot, "/") {
		// A comma is legal there, but what it means is nearly always a chroot behind each host.
		if layout.CheckName(part) != nil || strings.Contains(part, ",") {
			f.add(path, "%q: chroot /%s is no path in ZooKeeper; write it once, behind the last host", connect, chroot)
		}
	}
}

// mostServers are more than anybody needs to begin with: the first that answers tells all others.
const mostServers = 64

// checkServers checks brokers to begin with. They have no customary port that is right often enough to be left out.
func checkServers(f *faults, path string, servers []string) {
	if len(servers) > mostServers {
		f.add(path, "has %d addresses; %d are enough, each broker tells the others", len(servers), mostServers)
	}
	for i, server := range servers {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, _, err := net.SplitHostPort(server); err != nil {
			f.add(at, "%q is no HOST:PORT", server)
		} else if reason := badAddress(server); reason != "" {
			f.add(at, "%q %s", server, reason)
		}
	}
}

// badAddress says what is wrong with "host" or "host:port"; nothing if it is well.
func badAddress(address string) string {
	host, port := address, "2181"
	if strings.Contains(strings.TrimPrefix(address, "["), ":") {
		var err error
		if host, port, err = net.SplitHostPort(address); err != nil {
			return "is no HOST:PORT"
		}
	}
	if host == "" || strings.ContainsAny(host, " \t@") {
		return "has no name"
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return "has a port that is no number from 1 to 65535"
	}
	return ""
}

// withHost gives an address to listen at with another host: a name, or an IP address with or without the brackets of
// IPv6.
func withHost(f *faults, listen, host string) string {
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(bare); err != nil && strings.Trim(host, hostCharacters) != "" {
		f.add("--address", "%q is no host; give a name or an IP address, without a port", host)
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

func checkListen(f *faults, listen string) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		f.add("listen", "%q is no address; give HOST:PORT, or :PORT for all of the machine's addresses", listen)
		return
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		f.add("listen", "%q has a port that is no number from 0 to 65535", listen)
	}
	if strings.ContainsAny(host, "/ ") {
		f.add("listen", "%q names no host; give an address, without http://", listen)
	}
}
