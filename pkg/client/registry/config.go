// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	// defaultTimeout is five ticks of a server with default settings (2 s), of which a session may ask for 2 to 20.
	defaultTimeout = 10 * time.Second
	// minTimeout catches a number without a unit (10 is 10 ns), and still leaves tests room.
	minTimeout = 100 * time.Millisecond
	// maxTimeout is beyond any server's limit (20 ticks) by far; more is a mistake of units.
	maxTimeout = time.Hour

	// An attempt at one server may take a third of the session's timeout, shared out among the servers, so that a
	// connection to a live one stands before the lease of the session lapses (two thirds). The bounds: a second is
	// what TLS needs on a bad day; five leave another attempt within the 10 s that everything has to heal in.
	minAttempt = time.Second
	maxAttempt = 5 * time.Second
)

// Config says how to reach ZooKeeper.
type Config struct {
	// Connect lists the servers and the directory in which Kafka lives: host1:port1,host2:port2/chroot. Without a
	// port it is 2181, without a chroot the root.
	Connect string
	// SessionTimeout is how long ZooKeeper waits for a silent client before it gives its claims to others. Default 10
	// s. The server has its own limits, 2 to 20 ticks by default.
	SessionTimeout time.Duration
	// TLS is used for every connection if set. An empty ServerName becomes the host connected to.
	TLS *tls.Config
	// Digest is user:password for ZooKeeper's scheme "digest"; empty for none.
	Digest string
	// DigestSource gives the digest in place of Digest, where set: asked at the beginning of each session and every few
	// seconds in it, so that one that changes is used without another session. It must not block for long.
	DigestSource func() (string, error)
	// Dial opens connections. Names reach it unresolved, and again at each attempt. Default is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger gets changes of state; default is none.
	Logger *slog.Logger
}

// settings is a Config that has been understood.
type settings struct {
	Config
	servers []string // host:port, in random order
	chroot  string   // "" or "/a/b"
	attempt time.Duration
}

func (c Config) settings() (*settings, error) {
	s := &settings{Config: c}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	check(s.parseConnect())
	check(s.checkTimeout())
	check(checkDigest(c.Digest))
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Dial == nil {
		s.Dial = new(net.Dialer).DialContext
	}
	s.attempt = min(max(s.SessionTimeout/3/time.Duration(max(len(s.servers), 1)), minAttempt), maxAttempt)
	return s, errors.Join(errs...)
}

func (s *settings) checkTimeout() error {
	if s.SessionTimeout == 0 {
		s.SessionTimeout = defaultTimeout
	}
	if s.SessionTimeout < minTimeout || s.SessionTimeout > maxTimeout {
		return fmt.Errorf("session timeout %v: want %v to %v, usually 6s to 30s", s.SessionTimeout, minTimeout, maxTimeout)
	}
	return nil
}

func (s *settings) parseConnect() error {
	servers, chroot, _ := strings.Cut(s.Connect, "/")
	chroot = strings.TrimSuffix(chroot, "/")
	var errs []error
	if chroot != "" {
		s.chroot = "/" + chroot
		errs = append(errs, checkChroot(s.chroot))
	}
	for server := range strings.SplitSeq(servers, ",") {
		address, err := parseServer(strings.TrimSpace(server))
		if err != nil {
			errs = append(errs, err)
		} else if !slices.Contains(s.servers, address) {
			s.servers = append(s.servers, address)
		}
	}
	// Every client in another order, or all would be with the first server.
	rand.Shuffle(len(s.servers), func(i, j int) { s.servers[i], s.servers[j] = s.servers[j], s.servers[i] })
	return errors.Join(errs...)
}

func checkChroot(chroot string) error {
	for part := range strings.SplitSeq(chroot[1:], "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, ",: \x00") {
			return fmt.Errorf("connect: chroot %q: want host1:port1,host2:port2/directory, the chroot once, at the end", chroot)
		}
	}
	return nil
}

func parseServer(server string) (string, error) {
	want := func(what string) error {
		return fmt.Errorf("connect: server %q: %s; want host:port, host1:port1,host2:port2/chroot in all", server, what)
	}
	if server == "" {
		return "", want("empty")
	}
	if _, err := netip.ParseAddr(strings.Trim(server, "[]")); err == nil {
		return net.JoinHostPort(strings.Trim(server, "[]"), strconv.Itoa(zk.DefaultPort)), nil
	}
	if !strings.Contains(server, ":") {
		server = net.JoinHostPort(server, strconv.Itoa(zk.DefaultPort))
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil || host == "" || strings.ContainsAny(host, " \t@") {
		return "", want("not a host and a port")
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return "", want("the port is not between 1 and 65535")
	}
	return net.JoinHostPort(host, port), nil
}

// full is the path on the server of a path seen from the chroot.
func (s *settings) full(path string) string {
	if path == "/" && s.chroot != "" {
		return s.chroot
	}
	return s.chroot + path
}
