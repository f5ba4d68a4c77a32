// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package clusterconfig

import "github.com/samsa-dev/samsa/internal/configfile"

// Cluster is how to reach a Kafka cluster. At least one of ZooKeeper and BootstrapServers is given.
type Cluster struct {
	// ZooKeeper is where brokers are registered, and groups are kept. Beside BootstrapServers it is for groups alone.
	ZooKeeper *ZooKeeper `json:"zookeeper,omitempty"`
	// BootstrapServers are brokers, HOST:PORT each, that tell the others. Kafka 0.8 and newer.
	BootstrapServers []string `json:"bootstrapServers,omitempty"`
	// TLS encrypts connections to brokers where it is given; {} trusts whom the system trusts.
	TLS *TLS `json:"tls,omitempty"`
	// SASL proves to brokers who this is. Kafka 0.10 and newer.
	SASL *SASL `json:"sasl,omitempty"`
	// MaxMessageBytes is the largest message that brokers of Kafka 0.7 take, in bytes: a fetch grows up to it for one
	// message, and a larger one blocks its partition. With Kafka 0.8 and later it changes nothing.
	MaxMessageBytes int `json:"maxMessageBytes,omitempty"`
}

// ZooKeeper is how to reach the ensemble that a cluster is registered in.
type ZooKeeper struct {
	// Connect is "host:port,host:port/chroot", as in Kafka's own zookeeper.connect.
	Connect string `json:"connect"`
	// SessionTimeout is asked of the server, which may give another within its own bounds.
	SessionTimeout configfile.Duration `json:"sessionTimeout,omitempty"`
	// DigestFile holds "user:password"; it is read for every session.
	DigestFile string `json:"digestFile,omitempty"`
	TLS        *TLS   `json:"tls,omitempty"`
}

// TLS names the files of a TLS connection. They are read for every connection, so what is renewed in place is used
// without a restart.
type TLS struct {
	// CAFile holds who may have signed the server's certificate; default: who the system trusts.
	CAFile string `json:"caFile,omitempty"`
	// CertFile and KeyFile are this side's certificate, where the server wants one.
	CertFile string `json:"certFile,omitempty"`
	KeyFile  string `json:"keyFile,omitempty"`
	// ServerName is the name expected in the server's certificate; default: the host connected to.
	ServerName string `json:"serverName,omitempty"`
}

// SASL is how a client proves to brokers who it is. The files are read for every connection, as those of TLS.
type SASL struct {
	Mechanism Mechanism `json:"mechanism"`
	// UsernameFile and PasswordFile are for all mechanisms but OAUTHBEARER, which has TokenFile. A line's end at the end
	// of what they hold does not count.
	UsernameFile string `json:"usernameFile,omitempty"`
	PasswordFile string `json:"passwordFile,omitempty"`
	TokenFile    string `json:"tokenFile,omitempty"`
}

// Mechanism is the name of a SASL mechanism.
type Mechanism string

// The mechanisms.
const (
	MechanismPlain       Mechanism = "PLAIN"
	MechanismScramSHA256 Mechanism = "SCRAM-SHA-256"
	MechanismScramSHA512 Mechanism = "SCRAM-SHA-512"
	MechanismOAuthBearer Mechanism = "OAUTHBEARER"
)

// Default is the block where the file says nothing.
func Default() Cluster { return Cluster{MaxMessageBytes: 1_000_000} }
