// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"crypto/sha1" // the digest scheme is defined by it
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	permRead = 1 << iota
	permWrite
	permCreate
	permDelete
	permAdmin
	permAll = permRead | permWrite | permCreate | permDelete | permAdmin
)

const (
	schemeWorld  = "world"
	schemeAuth   = "auth"
	schemeDigest = "digest"
	schemeIP     = "ip"
	schemeSuper  = "super"
	idAnyone     = "anyone"
)

// ACL is one entry of a node's access control list: what those whom Scheme and ID name may do.
type ACL struct {
	Perms  int32 // bits: read 1, write 2, create 4, delete 8, admin 16
	Scheme string
	ID     string
}

// identity is whom a connection has proved to be.
type identity struct{ scheme, id string }

func openACL() []ACL { return []ACL{{Perms: permAll, Scheme: schemeWorld, ID: idAnyone}} }

// authenticate follows the providers digest and ip; others are unknown to the server.
func authenticate(scheme string, auth []byte, addr string) (identity, bool) {
	switch scheme {
	case schemeDigest:
		return identity{schemeDigest, digest(string(auth))}, true
	case schemeIP:
		return identity{schemeIP, addr}, true
	}
	return identity{}, false
}

// digest turns user:password into user:base64(sha1(user:password)).
func digest(userPassword string) string {
	user, _, _ := strings.Cut(userPassword, ":")
	sum := sha1.Sum([]byte(userPassword))
	return user + ":" + base64.StdEncoding.EncodeToString(sum[:])
}

// permitted follows ZooKeeperServer.checkACL: an empty list permits everything.
func permitted(list []ACL, perm int32, who []identity) bool {
	if len(list) == 0 || slices.ContainsFunc(who, func(w identity) bool { return w.scheme == schemeSuper }) {
		return true
	}
	return slices.ContainsFunc(list, func(a ACL) bool {
		return a.Perms&perm != 0 && (a.Scheme == schemeWorld && a.ID == idAnyone || a.names(who))
	})
}

func (a ACL) names(who []identity) bool {
	return slices.ContainsFunc(who, func(w identity) bool {
		if w.scheme != a.Scheme {
			return false
		}
		if a.Scheme == schemeIP {
			return ipMatches(w.id, a.ID)
		}
		return a.Scheme == schemeDigest && w.id == a.ID
	})
}

// fixACL follows PrepRequestProcessor.fixupACL: doubles go, "auth" becomes the identities of the one who
// asks, and every other entry must be of a known scheme and well formed.
func fixACL(list []ACL, who []identity) ([]ACL, code) {
	var fixed []ACL
	for i, a := range list {
		switch {
		case slices.Contains(list[:i], a):
		case a.Scheme == schemeAuth:
			own := authACL(a.Perms, who)
			if len(own) == 0 {
				return nil, codeInvalidACL
			}
			fixed = append(fixed, own...)
		case a.valid():
			fixed = append(fixed, a)
		default:
			return nil, codeInvalidACL
		}
	}
	if len(fixed) == 0 {
		return nil, codeInvalidACL
	}
	return fixed, codeOK
}

// authACL leaves out the address, which the real provider does not count as authenticated.
func authACL(perms int32, who []identity) []ACL {
	var own []ACL
	for _, w := range who {
		if w.scheme == schemeDigest {
			own = append(own, ACL{Perms: perms, Scheme: w.scheme, ID: w.id})
		}
	}
	return own
}

func (a ACL) valid() bool {
	switch a.Scheme {
	case schemeWorld:
		return a.ID == idAnyone
	case schemeDigest:
		// Java's split, by which the real server counts the parts, drops empty ones at the end.
		return len(strings.Split(strings.TrimRight(a.ID, ":"), ":")) == 2
	case schemeIP:
		_, ok := parseNet(a.ID)
		return ok
	}
	return false
}

// maskACL hides the digests from one who may not administer the node.
func maskACL(list []ACL) []ACL {
	masked := slices.Clone(list)
	for i, a := range masked {
		if user, _, ok := strings.Cut(a.ID, ":"); ok && a.Scheme == schemeDigest {
			masked[i].ID = user + ":x"
		}
	}
	return masked
}

func ipMatches(addr, expr string) bool {
	ip, err := netip.ParseAddr(addr)
	prefix, ok := parseNet(expr)
	return err == nil && ok && prefix.Contains(ip)
}

// parseNet reads an address with or without a number of bits.
func parseNet(expr string) (netip.Prefix, bool) {
	addr, bits, cut := strings.Cut(expr, "/")
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.Prefix{}, false
	}
	n := ip.BitLen()
	if cut {
		if n, err = strconv.Atoi(bits); err != nil {
			return netip.Prefix{}, false
		}
	}
	prefix, err := ip.Prefix(n)
	return prefix, err == nil
}
