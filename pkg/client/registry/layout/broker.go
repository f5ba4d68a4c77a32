// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// protocolPlain is the listener samsa prefers, and the only one there was before Kafka 0.9.
const protocolPlain = "PLAINTEXT"

// BrokerRegistration is what a live broker registered.
type BrokerRegistration struct {
	// ID is the name of the broker's node.
	ID string
	// Host and Port are where clients connect: the plain listener where there is one, else the first.
	Host string
	Port int
	// Endpoints are all listeners, in the broker's order; one of protocol PLAINTEXT for brokers before Kafka 0.9.
	Endpoints []Endpoint
	// Version is that of the registration's format: 1 for Kafka 0.8, 2 for 0.9, more later; 0 for 0.7.
	Version int
	// JMXPort is 0 where the broker offers none.
	JMXPort int
	// Rack is empty where none is set.
	Rack string
	// Era07 says that the broker is of Kafka 0.7, which speaks another protocol.
	Era07 bool
}

// Endpoint is one listener of a broker.
type Endpoint struct {
	// Listener is its name.
	Listener string
	// Protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
	Protocol string
	Host     string
	Port     int
}

// DecodeBroker reads a broker's registration: the JSON of Kafka 0.8 and later (versions 1 to 5), or 0.7's
// creator:host:port.
func DecodeBroker(id string, data []byte) (BrokerRegistration, error) {
	if len(data) > 0 && data[0] != '{' {
		return decodeBroker07(id, data)
	}
	var node struct {
		Version   int               `json:"version"`
		Host      *string           `json:"host"`
		Port      int               `json:"port"`
		JMXPort   int               `json:"jmx_port"`
		Endpoints []string          `json:"endpoints"`
		Rack      *string           `json:"rack"`
		Protocols map[string]string `json:"listener_security_protocol_map"`
	}
	if err := decodeJSON(data, &node); err != nil {
		return BrokerRegistration{}, err
	}
	broker := BrokerRegistration{ID: id, Version: node.Version, JMXPort: max(node.JMXPort, 0)}
	if node.Rack != nil {
		broker.Rack = *node.Rack
	}
	for _, text := range node.Endpoints {
		endpoint, err := parseEndpoint(text, node.Protocols)
		if err != nil {
			return BrokerRegistration{}, err
		}
		broker.Endpoints = append(broker.Endpoints, endpoint)
	}
	// Host and port are those of the plain listener, and null and -1 where there is none.
	if node.Host != nil && *node.Host != "" && node.Port > 0 {
		broker.Host, broker.Port = *node.Host, node.Port
	}
	return broker.complete()
}

// complete gives the broker an address where only endpoints say it, and an endpoint where only the address was
// registered.
func (b BrokerRegistration) complete() (BrokerRegistration, error) {
	if len(b.Endpoints) == 0 && b.Host == "" {
		return BrokerRegistration{}, errors.New("neither host and port nor endpoints are registered")
	}
	if len(b.Endpoints) == 0 {
		b.Endpoints = []Endpoint{{Listener: protocolPlain, Protocol: protocolPlain, Host: b.Host, Port: b.Port}}
	}
	if b.Host == "" {
		preferred := b.Endpoints[0]
		for _, endpoint := range b.Endpoints {
			if endpoint.Protocol == protocolPlain {
				preferred = endpoint
				break
			}
		}
		b.Host, b.Port = preferred.Host, preferred.Port
	}
	return b, checkAddress(b.Host, b.Port)
}

// parseEndpoint reads LISTENER://host:port; where no map says otherwise, a listener is named by its protocol.
func parseEndpoint(text string, protocols map[string]string) (Endpoint, error) {
	listener, address, ok := strings.Cut(text, "://")
	if !ok {
		return Endpoint{}, fmt.Errorf("endpoint %s: want LISTENER://host:port", quote([]byte(text)))
	}
	host, port, err := splitAddress(address)
	if err != nil {
		return Endpoint{}, fmt.Errorf("endpoint %s: %w", quote([]byte(text)), err)
	}
	protocol := protocols[listener]
	if protocol == "" {
		protocol = listener
	}
	return Endpoint{Listener: listener, Protocol: protocol, Host: host, Port: port}, nil
}

func decodeBroker07(id string, data []byte) (BrokerRegistration, error) {
	if len(data) > maxNode {
		return BrokerRegistration{}, fmt.Errorf("%d bytes, more than the %d any node may have", len(data), maxNode)
	}
	_, address, ok := strings.Cut(string(data), ":")
	if !ok {
		return BrokerRegistration{}, fmt.Errorf("want JSON, or creator:host:port of Kafka 0.7, have %s", quote(data))
	}
	host, port, err := splitAddress(address)
	if err != nil {
		return BrokerRegistration{}, fmt.Errorf("want JSON, or creator:host:port of Kafka 0.7, have %s: %w", quote(data), err)
	}
	return BrokerRegistration{
		ID: id, Host: host, Port: port, Era07: true,
		Endpoints: []Endpoint{{Listener: protocolPlain, Protocol: protocolPlain, Host: host, Port: port}},
	}, nil
}

// splitAddress takes the last colon, so that IPv6 addresses need no brackets, which Kafka 0.7 and 0.8 did not write.
func splitAddress(address string) (string, int, error) {
	host, text, ok := cutLast(address, ":")
	port, err := strconv.Atoi(text)
	if !ok || err != nil {
		return "", 0, errors.New("no port in it")
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	return host, port, checkAddress(host, port)
}

// checkAddress refuses what no resolver can mean, before it reaches a dialer, a log or a status.
func checkAddress(host string, port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("port %d is not between 1 and 65535", port)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	// 253 is the longest name DNS can hold.
	if host == "" || len(host) > 253 || strings.ContainsAny(host, ":/@[] \t\r\n") || url.PathEscape(host) != host {
		return fmt.Errorf("host %s is neither a name nor an address", quote([]byte(host)))
	}
	return nil
}
