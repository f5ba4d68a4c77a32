// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// namesPort is that of the DNS server, at the node's own address. Like claimPort, any will do.
	namesPort = 28053
	// namesTTL, in seconds, is for how long others may keep an answer: here everything changes within one.
	namesTTL = 1
	// leastDatagram is what every resolver takes, and mostDatagram what none needs more than: an answer with an address
	// for each pod of a node, 16 bytes each, is shorter.
	leastDatagram, mostDatagram = 512, 4096
	// outsideAtOnce bounds the questions about other domains that this machine's own resolver is asked at once.
	outsideAtOnce = 64
	// outsideTimeout is when who asks has given up.
	outsideTimeout = 5 * time.Second
	// streamIdle is how long a connection may be silent.
	streamIdle = 10 * time.Second
)

// names is a DNS server. It knows Services, by the addresses of their pods, and asks this machine's resolver about
// everything else.
type names struct {
	services *services
	outside  func(ctx context.Context, network, host string) ([]netip.Addr, error)
	datagram net.PacketConn
	stream   net.Listener
	asking   chan struct{}
}

// listenNames makes the server; run answers.
func listenNames(ctx context.Context, s *services, at netip.AddrPort) (*names, error) {
	var listen net.ListenConfig
	stream, err := listen.Listen(ctx, "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("names: %w", err)
	}
	datagram, err := listen.ListenPacket(ctx, "udp", stream.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("names: %w", err), stream.Close())
	}
	return &names{
		services: s, outside: net.DefaultResolver.LookupNetIP, datagram: datagram, stream: stream,
		asking: make(chan struct{}, outsideAtOnce),
	}, nil
}

// run answers until ctx ends, and closes what it listens at.
func (n *names) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { _, _ = n.datagram.Close(), n.stream.Close() })()
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { n.accept(ctx, &all) })
	for {
		query := make([]byte, mostDatagram)
		length, from, err := n.datagram.ReadFrom(query)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // an answer that nobody took, say
		}
		n.spawn(ctx, &all, func() {
			if answer := n.answer(ctx, query[:length], leastDatagram); answer != nil {
				_, _ = n.datagram.WriteTo(answer, from) // lost datagrams are asked for again
			}
		})
	}
}

// spawn does it beside, unless too much is going on: who asks asks again.
func (n *names) spawn(ctx context.Context, all *sync.WaitGroup, do func()) {
	select {
	case n.asking <- struct{}{}:
		all.Go(func() {
			defer func() { <-n.asking }()
			do()
		})
	case <-ctx.Done():
	}
}

func (n *names) accept(ctx context.Context, all *sync.WaitGroup) {
	for {
		conn, err := n.stream.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			n.spawn(ctx, all, func() { n.serve(ctx, conn) })
		}
	}
}

// serve answers what comes on a connection: messages with two bytes of length before them.
func (n *names) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	for {
		_ = conn.SetDeadline(time.Now().Add(streamIdle)) // a connection that is closed says so below
		var length uint16
		if binary.Read(conn, binary.BigEndian, &length) != nil {
			return
		}
		query := make([]byte, length)
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := n.answer(ctx, query, 1<<16-1)
		if answer == nil {
			return
		}
		framed := binary.BigEndian.AppendUint16(nil, uint16(len(answer))) //nolint:gosec // at most 1<<16-1
		if _, err := conn.Write(append(framed, answer...)); err != nil {
			return
		}
	}
}

// answer is nil for what is no question. limit is how long it may be, unless the question allows for more.
func (n *names) answer(ctx context.Context, query []byte, limit int) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil || header.Response {
		return nil
	}
	reply := dnsmessage.Message{Header: dnsmessage.Header{
		ID: header.ID, Response: true, OpCode: header.OpCode, RecursionDesired: header.RecursionDesired,
		RecursionAvailable: true,
	}}
	questions, err := p.AllQuestions()
	if err != nil || len(questions) != 1 || header.OpCode != 0 {
		reply.RCode = dnsmessage.RCodeNotImplemented
		return pack(&reply, limit)
	}
	reply.Questions = questions
	if allowed := datagramOf(&p); limit == leastDatagram {
		limit = min(max(limit, allowed), mostDatagram)
	}
	var addresses []netip.Addr
	addresses, reply.Authoritative, reply.RCode = n.resolve(ctx, &questions[0])
	for _, address := range addresses {
		reply.Answers = append(reply.Answers, resourceOf(&questions[0], address))
	}
	return pack(&reply, limit)
}

// datagramOf is the length that a question allows for, 0 if it says nothing.
func datagramOf(p *dnsmessage.Parser) int {
	if p.SkipAllAnswers() != nil || p.SkipAllAuthorities() != nil {
		return 0
	}
	for {
		header, err := p.AdditionalHeader()
		if err != nil {
			return 0
		}
		if header.Type == dnsmessage.TypeOPT {
			return int(header.Class)
		}
		if p.SkipAdditional() != nil {
			return 0
		}
	}
}

// pack leaves the answers away that are too long, and says so: then they are asked for by TCP.
func pack(reply *dnsmessage.Message, limit int) []byte {
	packed, err := reply.Pack()
	if err == nil && len(packed) > limit {
		reply.Truncated, reply.Answers = true, nil
		packed, err = reply.Pack()
	}
	if err != nil {
		return nil
	}
	return packed
}

func (n *names) resolve(
	ctx context.Context, q *dnsmessage.Question,
) (addresses []netip.Addr, authoritative bool, code dnsmessage.RCode) {
	host := strings.TrimSuffix(q.Name.String(), ".")
	key, named, ours := serviceOf(host)
	switch {
	case named:
		addresses, code = n.service(key, q.Type)
		return addresses, true, code
	case ours:
		return nil, true, dnsmessage.RCodeNameError
	case q.Class != dnsmessage.ClassINET || q.Type != dnsmessage.TypeA && q.Type != dnsmessage.TypeAAAA:
		return nil, false, dnsmessage.RCodeNotImplemented
	}
	addresses, code = n.elsewhere(ctx, host, q.Type)
	return addresses, false, code
}

// service gives the addresses of the pods behind a Service. There are no others here: who needs its ports, where they
// differ from those of the pods, comes by the proxy.
func (n *names) service(key types.NamespacedName, kind dnsmessage.Type) ([]netip.Addr, dnsmessage.RCode) {
	_, pods, err := n.services.find(key)
	if err != nil {
		return nil, dnsmessage.RCodeNameError
	}
	var addresses []netip.Addr
	for _, pod := range pods {
		if address, err := netip.ParseAddr(pod.Status.PodIP); err == nil && kind == dnsmessage.TypeA {
			addresses = append(addresses, address)
		}
	}
	return addresses, dnsmessage.RCodeSuccess
}

// elsewhere asks this machine's resolver.
func (n *names) elsewhere(ctx context.Context, host string, kind dnsmessage.Type) ([]netip.Addr, dnsmessage.RCode) {
	ctx, cancel := context.WithTimeout(ctx, outsideTimeout)
	defer cancel()
	network := "ip4"
	if kind == dnsmessage.TypeAAAA {
		network = "ip6"
	}
	addresses, err := n.outside(ctx, network, host)
	if failure, ok := errors.AsType[*net.DNSError](err); ok && failure.IsNotFound {
		return nil, dnsmessage.RCodeNameError
	}
	if err != nil {
		return nil, dnsmessage.RCodeServerFailure
	}
	return slices.DeleteFunc(addresses, func(a netip.Addr) bool {
		return a.Unmap().Is4() != (kind == dnsmessage.TypeA)
	}), dnsmessage.RCodeSuccess
}

func resourceOf(q *dnsmessage.Question, address netip.Addr) dnsmessage.Resource {
	resource := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{
		Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: namesTTL,
	}}
	if q.Type == dnsmessage.TypeA {
		resource.Body = &dnsmessage.AResource{A: address.Unmap().As4()}
	} else {
		resource.Body = &dnsmessage.AAAAResource{AAAA: address.As16()}
	}
	return resource
}
