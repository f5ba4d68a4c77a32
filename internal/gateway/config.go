// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"time"

	"github.com/samsa-dev/samsa/internal/clusterconfig"
	"github.com/samsa-dev/samsa/internal/configfile"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
)

// Config is the file of `samsa gateway --config FILE`. It holds no credentials, only names of files that do; names that
// are relative are so to the directory of the file itself.
//
// What is left out when a Config is written with sigs.k8s.io/yaml gets its default when it is read.
type Config struct {
	// Cluster is how to reach Kafka.
	Cluster clusterconfig.Cluster `json:"cluster"`
	// Topic is what is published to.
	Topic string `json:"topic"`
	// HTTP is where the gateway listens.
	HTTP HTTP `json:"http,omitzero"`
	// Auth is who may publish.
	Auth Auth `json:"auth,omitzero"`
	// Produce is how messages are written.
	Produce Produce `json:"produce,omitzero"`
	// Limits are those of each caller; what is 0 is not limited.
	Limits Limits `json:"limits,omitzero"`
	// Idempotency is what becomes of requests with an Idempotency-Key.
	Idempotency Idempotency `json:"idempotency,omitzero"`
}

// HTTP is where the gateway listens, and for how long it takes part in a request.
type HTTP struct {
	// Address is where callers connect to. Port 0 takes a free one; the log says which.
	Address string `json:"address,omitempty"`
	// InternalAddress answers health, readiness and metrics, to everybody and without TLS.
	InternalAddress string `json:"internalAddress,omitempty"`
	// MaxBodyBytes is the longest body, and the longest message of a stream.
	MaxBodyBytes int `json:"maxBodyBytes,omitempty"`
	// BodyTimeout is how long headers and body of a request may take to come; a stream may be silent for twice as long.
	BodyTimeout configfile.Duration `json:"bodyTimeout,omitempty"`
	// RequestTimeout is how long a request may wait for its outcome.
	RequestTimeout configfile.Duration `json:"requestTimeout,omitempty"`
	// DrainDelay is how long requests are still taken after SIGTERM, while readiness says that no more should come: as
	// long as the endpoints of a Service take to change everywhere.
	DrainDelay configfile.Duration `json:"drainDelay,omitempty"`
	// TLS is for callers; without it they speak plain HTTP. The files are read for every connection.
	TLS *ServerTLS `json:"tls,omitempty"`
}

// ServerTLS names the files of the gateway's certificate.
type ServerTLS struct {
	CertFile string `json:"certFile"`
	KeyFile  string `json:"keyFile"`
	// CAFile holds the certificates of those who may have signed the other replicas' certificate, and ServerName is the
	// name that it is for. The file may be missing: then those may have signed it whom the system trusts. Without a name,
	// the other replicas have to have the very certificate that this one has.
	CAFile     string `json:"caFile,omitempty"`
	ServerName string `json:"serverName,omitempty"`
}

// AuthType is how callers prove who they are.
type AuthType string

// How callers may prove who they are.
const (
	// AuthServiceAccount: by a token of Kubernetes.
	AuthServiceAccount AuthType = "ServiceAccount"
	// AuthMTLS: by a certificate.
	AuthMTLS AuthType = "MTLS"
	// AuthBasic: by name and password.
	AuthBasic AuthType = "Basic"
	// AuthNone: not at all.
	AuthNone AuthType = "None"
)

// Auth is who may publish.
type Auth struct {
	Type           AuthType       `json:"type,omitempty"`
	ServiceAccount ServiceAccount `json:"serviceAccount,omitzero"`
	MTLS           MTLS           `json:"mtls,omitzero"`
	Basic          Basic          `json:"basic,omitzero"`
}

// ReviewMode is how a token is verified.
type ReviewMode string

// How a token may be verified.
const (
	// ReviewToken asks Kubernetes, which also knows that an account was deleted; answers are believed for 10 s.
	ReviewToken ReviewMode = "TokenReview"
	// ReviewJWKS takes the issuer's public keys: a deleted account may publish until its token expires.
	ReviewJWKS ReviewMode = "JWKS"
)

// ServiceAccount is which tokens of Kubernetes are good.
type ServiceAccount struct {
	// Audience is whom a token has to be for.
	Audience string     `json:"audience,omitempty"`
	Mode     ReviewMode `json:"mode,omitempty"`
	// Issuer is whose tokens are good, with mode JWKS. Default: the issuer of this gateway's own token.
	Issuer string `json:"issuer,omitempty"`
	// JWKSURL is where the issuer's keys are. Default: the API server's /openid/v1/jwks.
	JWKSURL string `json:"jwksUrl,omitempty"`
	// Allow are those who may publish. Empty: all whose token is good.
	Allow []Allowed `json:"allow,omitempty"`
}

// Allowed is a ServiceAccount that may publish, or all of a namespace where it has no name.
type Allowed struct {
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount,omitempty"`
}

// MTLS is which certificates are good.
type MTLS struct {
	// CAFile holds who may have signed them.
	CAFile string `json:"caFile,omitempty"`
	// Allow are the names of those who may publish. Empty: all whose certificate is good.
	Allow []string `json:"allow,omitempty"`
}

// Basic is where names and passwords are.
type Basic struct {
	// UsersFile holds NAME:HASH, a line each, as htpasswd -B writes them.
	UsersFile string `json:"usersFile,omitempty"`
}

// Produce is how messages are written.
type Produce struct {
	// Partitioner is random, round-robin or key.
	Partitioner string `json:"partitioner,omitempty"`
	// KeyedMoves lets a message with a key change its partition while the leader of its own is away.
	KeyedMoves bool `json:"keyedMoves,omitempty"`
	// Acks is all, leader or none.
	Acks string `json:"acks,omitempty"`
	// Compression is none, gzip, snappy and what else the client knows.
	Compression string `json:"compression,omitempty"`
	// Linger is how long a message may wait for others to be sent with.
	Linger configfile.Duration `json:"linger,omitempty"`
	// Timeout is that of one message.
	Timeout configfile.Duration `json:"timeout,omitempty"`
	// MaxBufferedBytes bounds the messages that have no outcome yet; what is more is refused.
	MaxBufferedBytes int `json:"maxBufferedBytes,omitempty"`
}

// Limits are those of each caller at this replica.
type Limits struct {
	MessagesPerSecond int `json:"messagesPerSecond,omitempty"`
	BytesPerSecond    int `json:"bytesPerSecond,omitempty"`
	Concurrent        int `json:"concurrent,omitempty"`
}

// Idempotency is what becomes of requests with an Idempotency-Key.
type Idempotency struct {
	// Window is how long a key gets the same answer; 0s: keys are ignored.
	Window *configfile.Duration `json:"window,omitempty"`
	// Peers is NAME:PORT, where the name has the addresses of all replicas (a headless Service); or several of that, with
	// commas. Empty: this is the only one.
	Peers string `json:"peers,omitempty"`
	// Scope tells keys of these replicas from those of other gateways that publish to the same topic. All replicas have
	// the same.
	Scope string `json:"scope,omitempty"`
}

// Default is the configuration where the file says nothing.
func Default() Config {
	window := configfile.Duration(5 * time.Minute)
	return Config{
		Cluster: clusterconfig.Default(),
		HTTP: HTTP{
			Address: ":8080", InternalAddress: ":8081", MaxBodyBytes: 1 << 20,
			BodyTimeout:    configfile.Duration(handling.ReadTimeout),
			RequestTimeout: configfile.Duration(30 * time.Second), DrainDelay: configfile.Duration(5 * time.Second),
		},
		Auth: Auth{Type: AuthServiceAccount, ServiceAccount: ServiceAccount{Mode: ReviewToken}},
		Produce: Produce{
			Partitioner: "key", Acks: "all", Compression: "none",
			Timeout: configfile.Duration(30 * time.Second), MaxBufferedBytes: 64 << 20,
		},
		Idempotency: Idempotency{Window: &window},
	}
}
