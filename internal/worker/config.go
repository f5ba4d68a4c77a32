// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"os"
	"time"
)

// Config is the file of `samsa worker --config FILE`. It holds no credentials, only names of files that do.
type Config struct {
	// Group is the consumer group, shared with whoever else consumes under this name.
	Group string `json:"group"`
	// Member is the stable name of this worker: what comes back under it gets its partitions back. Default: $POD_NAME,
	// else the host's name.
	Member string `json:"member,omitempty"`
	// Topics are what the group consumes.
	Topics []string `json:"topics"`
	// Cluster is how to reach Kafka.
	Cluster Cluster `json:"cluster"`
	// Start is where a group that never committed begins.
	Start Start `json:"start,omitempty"`
	// Assignment is how partitions are shared out, as long as all members of the group are samsa's.
	Assignment Assignment `json:"assignment,omitempty"`
	// CommitInterval is how often acknowledged positions are written, and so how much a crash delivers again.
	CommitInterval Duration `json:"commitInterval,omitempty"`
	// DrainTimeout is how long deliveries under way may take to end after SIGTERM.
	DrainTimeout Duration `json:"drainTimeout,omitempty"`
	// Delivery is how attempts at the sink are made.
	Delivery Delivery `json:"delivery,omitzero"`
	// Sink is where messages go.
	Sink Sink `json:"sink"`
	// Listen is the address of health, readiness, metrics and status. Port 0 takes a free one; the log says which.
	Listen string `json:"listen,omitempty"`
}

// Cluster is how to reach a Kafka cluster.
type Cluster struct {
	ZooKeeper *ZooKeeper `json:"zookeeper,omitempty"`
}

// ZooKeeper is how to reach the ensemble that a cluster is registered in.
type ZooKeeper struct {
	// Connect is "host:port,host:port/chroot", as in Kafka's own zookeeper.connect.
	Connect string `json:"connect"`
	// SessionTimeout is asked of the server, which may give another within its own bounds.
	SessionTimeout Duration `json:"sessionTimeout,omitempty"`
	// DigestFile holds "user:password"; it is read at the start.
	DigestFile string `json:"digestFile,omitempty"`
	TLS        *TLS   `json:"tls,omitempty"`
}

// TLS names the files of a TLS connection.
type TLS struct {
	// CAFile holds who may have signed the server's certificate; default: who the system trusts. It is read at the
	// start.
	CAFile string `json:"caFile,omitempty"`
	// CertFile and KeyFile are this side's certificate, where the server wants one. They are read for every connection,
	// so a certificate that is renewed in place is used without a restart.
	CertFile string `json:"certFile,omitempty"`
	KeyFile  string `json:"keyFile,omitempty"`
	// ServerName is the name expected in the server's certificate; default: the host connected to.
	ServerName string `json:"serverName,omitempty"`
}

// Start is where a group that never committed begins.
type Start string

// Where a group may begin.
const (
	StartEarliest Start = "Earliest"
	StartLatest   Start = "Latest"
)

// Assignment is how partitions are shared out among the members of a group.
type Assignment string

// How partitions may be shared out.
const (
	AssignSticky Assignment = "Sticky"
	AssignRange  Assignment = "Range"
)

// Delivery is how attempts at the sink are made.
type Delivery struct {
	// Timeout bounds one attempt.
	Timeout Duration `json:"timeout,omitempty"`
	Retry   Retry    `json:"retry,omitzero"`
}

// Retry is the wait between attempts: it doubles, with jitter, from InitialBackoff up to MaxBackoff.
type Retry struct {
	InitialBackoff Duration `json:"initialBackoff,omitempty"`
	MaxBackoff     Duration `json:"maxBackoff,omitempty"`
}

// Sink is where messages go; exactly one is set.
type Sink struct {
	HTTP    *HTTPSink    `json:"http,omitempty"`
	Log     *LogSink     `json:"log,omitempty"`
	Discard *DiscardSink `json:"discard,omitempty"`
}

// HTTPSink posts each message.
type HTTPSink struct {
	URL     string            `json:"url"`
	Format  Format            `json:"format,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

// Format is how a message stands in a request.
type Format string

// How a message may stand in a request.
const (
	FormatRaw               Format = "Raw"
	FormatCloudEventsBinary Format = "CloudEventsBinary"
)

// LogSink writes each message to standard output, as one line of JSON.
type LogSink struct{}

// DiscardSink acknowledges every message at once.
type DiscardSink struct{}

// Duration is a time.Duration that reads and writes as "1m30s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration; write it with a unit, as in 500ms, 10s or 1m30s", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String gives the duration as it stands in the file.
func (d Duration) String() string { return time.Duration(d).String() }

// Default is the configuration where the file says nothing.
func Default() Config {
	return Config{
		Start:          StartEarliest,
		Assignment:     AssignSticky,
		CommitInterval: Duration(time.Second),
		DrainTimeout:   Duration(30 * time.Second),
		Delivery: Delivery{
			Timeout: Duration(30 * time.Second),
			Retry:   Retry{InitialBackoff: Duration(200 * time.Millisecond), MaxBackoff: Duration(30 * time.Second)},
		},
		Listen: "127.0.0.1:8080",
	}
}

// Load reads a configuration file, fills in what it leaves out, and checks it together with the files it names. The
// error holds everything that is wrong, a line each, with the field and what to do about it.
func Load(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return Parse(data)
}

// Parse is Load on what the file holds.
func Parse(data []byte) (Config, error) {
	config := Default()
	var faults faults
	if faults.decode(data, &config) {
		config.fill(&faults)
		config.check(&faults)
	}
	if err := faults.err(); err != nil {
		return Config{}, err
	}
	return config, nil
}

// fill sets the defaults that depend on the rest of the file or on the machine.
func (c *Config) fill(f *faults) {
	if c.Member == "" {
		c.Member = defaultMember(f)
	}
	if zk := c.Cluster.ZooKeeper; zk != nil && zk.SessionTimeout == 0 && !f.has("cluster.zookeeper.sessionTimeout") {
		zk.SessionTimeout = Duration(10 * time.Second)
	}
	if sink := c.Sink.HTTP; sink != nil && sink.Format == "" {
		sink.Format = FormatCloudEventsBinary
	}
}

func defaultMember(f *faults) string {
	if pod := os.Getenv("POD_NAME"); pod != "" {
		return pod
	}
	host, err := os.Hostname()
	if err != nil {
		f.add("member", "is not given, and the machine does not tell its name (%v); set it, or $POD_NAME", err)
	}
	return host
}
