// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package clusterconfig

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// checkConnect checks "host:port,host:port/chroot". The port may be left out, as in ZooKeeper's own connect strings.
func checkConnect(f *configfile.Faults, path, connect string) {
	if connect == "" {
		f.Add(path, "is missing; give HOST:PORT,HOST:PORT/CHROOT as in Kafka's zookeeper.connect")
		return
	}
	hosts, chroot, _ := strings.Cut(connect, "/")
	for host := range strings.SplitSeq(hosts, ",") {
		if reason := badAddress(strings.TrimSpace(host)); reason != "" {
			f.Add(path, "%q: host %q %s", connect, host, reason)
		}
	}
	if chroot == "" {
		return
	}
	for part := range strings.SplitSeq(chroot, "/") {
		// A comma is legal there, but what it means is nearly always a chroot behind each host.
		if layout.CheckName(part) != nil || strings.Contains(part, ",") {
			f.Add(path, "%q: chroot /%s is no path in ZooKeeper; write it once, behind the last host", connect, chroot)
		}
	}
}

// mostServers are more than anybody needs to begin with: the first that answers tells all others.
const mostServers = 64

// checkServers checks brokers to begin with. They have no customary port that is right often enough to be left out.
func checkServers(f *configfile.Faults, path string, servers []string) {
	if len(servers) > mostServers {
		f.Add(path, "has %d addresses; %d are enough, each broker tells the others", len(servers), mostServers)
	}
	for i, server := range servers {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, _, err := net.SplitHostPort(server); err != nil {
			f.Add(at, "%q is no HOST:PORT", server)
		} else if reason := badAddress(server); reason != "" {
			f.Add(at, "%q %s", server, reason)
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
