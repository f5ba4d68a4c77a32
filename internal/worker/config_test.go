// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/internal/worker"
)

const least = `
group: billing
member: billing-0
topics: [orders]
cluster: {zookeeper: {connect: "127.0.0.1:2181/kafka"}}
sink: {discard: {}}
`

func TestParseFillsInDefaults(t *testing.T) {
	config, err := worker.Parse([]byte(least))
	if err != nil {
		t.Fatal(err)
	}
	want := worker.Default()
	want.Group, want.Member, want.Topics = "billing", "billing-0", []string{"orders"}
	want.Cluster.ZooKeeper = &worker.ZooKeeper{
		Connect: "127.0.0.1:2181/kafka", SessionTimeout: worker.Duration(10 * time.Second),
	}
	want.Sink.Discard = &worker.DiscardSink{}
	if got, want := asYAML(t, config), asYAML(t, want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestParseReadsEveryField(t *testing.T) {
	dir := t.TempDir()
	digest := filepath.Join(dir, "digest")
	write(t, digest, "samsa:secret\n")
	file := `
group: billing
member: billing-0
topics: [orders, returns]
semantics: Topic
outOfRange: Nearest
coordination: Kafka
cluster:
  maxMessageBytes: 2000000
  bootstrapServers: ["kafka-0:9092", "[::1]:9093"]
  tls: {}
  sasl: {mechanism: SCRAM-SHA-512, usernameFile: ` + digest + `, passwordFile: ` + digest + `}
  zookeeper:
    connect: zk-0:2181,zk-1/kafka/prod
    sessionTimeout: 6s
    digestFile: ` + digest + `
    tls: {serverName: zk}
start: Latest
assignment: Range
commitInterval: 100ms
drainTimeout: 1m30s
delivery: {timeout: 5s, retry: {initialBackoff: 1s, maxBackoff: 1s}}
sink: {http: {url: "http://billing/orders", format: Raw, headers: {X-Team: a}}}
listen: ":0"
`
	config, err := worker.Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	again, err := worker.Parse([]byte(asYAML(t, config)))
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if got, want := asYAML(t, again), asYAML(t, config); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, text := range []string{
		"1m30s", "zk-1/kafka/prod", "X-Team", "serverName: zk", "start: Latest", "outOfRange: Nearest",
		"semantics: Topic", "Range", digest, "maxMessageBytes: 2000000", "coordination: Kafka", "[::1]:9093",
		"mechanism: SCRAM-SHA-512", "tls: {}",
	} {
		if !strings.Contains(asYAML(t, config), text) {
			t.Errorf("%q was lost", text)
		}
	}
}

func TestMemberIsThePodsName(t *testing.T) {
	t.Setenv("POD_NAME", "billing-7")
	config, err := worker.Parse([]byte(strings.Replace(least, "member: billing-0", "", 1)))
	if err != nil || config.Member != "billing-7" {
		t.Errorf("got %q, %v", config.Member, err)
	}
}

func TestMemberIsElseTheHostsName(t *testing.T) {
	t.Setenv("POD_NAME", "")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	config, err := worker.Parse([]byte(strings.Replace(least, "member: billing-0", "", 1)))
	if err != nil || config.Member != host {
		t.Errorf("got %q, %v", config.Member, err)
	}
}

func TestParseRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), "")
	t.Chdir(dir)
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown field", "group:", "gruop: x\ngroup:",
			"gruop: is no field of the configuration; remove it, or use one of assign"},
		{"wrong case", "group:", "Group:", "Group: is no field of the configuration; write it group"},
		{"unknown nested field", "{discard: {}}", "{discard: {fast: true}}", "sink.discard.fast: is no field"},
		{"duplicate field", "group:", "group: a\ngroup:",
			`the file: is no YAML: yaml: unmarshal errors: line 3: key "group" already set`},
		{"no YAML", "group:", "group: [", "the file: is no YAML"},
		{"no group", "group: billing", "", "group: is missing; name the consumer group"},
		{"group with slash", "group: billing", "group: a/b", `group: "a/b" holds '/'`},
		{"group with control", "group: billing", `group: "a\u0001"`, `group: "a\x01" holds '\x01'`},
		{"group of dots", "group: billing", `group: ".."`, `group: is "..", which ZooKeeper refuses`},
		{"group too long", "group: billing", "group: " + strings.Repeat("g", 201),
			"group: has 201 bytes; shorten it to 200"},
		{"group a number", "group: billing", "group: 7",
			`group: is a number where a text should be (put it in quotes: "7")`},
		{"group a truth", "group: billing", "group: yes", `group: is true or false where a text should be`},
		{"group a list", "group: billing", "group: [a]", `group: is a list where a text should be`},
		{"member with slash", "billing-0", "a/b", `member: "a/b" holds '/'`},
		{"messages without a size", "cluster: {", "cluster: {maxMessageBytes: 0, ",
			"cluster.maxMessageBytes: is 0; give what the brokers take (max.message.size), from 1000 to 104857600 bytes"},
		{"messages in megabytes", "cluster: {", "cluster: {maxMessageBytes: 1, ", "cluster.maxMessageBytes: is 1; give"},
		{"messages beyond all bounds", "cluster: {", "cluster: {maxMessageBytes: 104857601, ",
			"cluster.maxMessageBytes: is 104857601; give"},
		{"messages with a unit", "cluster: {", "cluster: {maxMessageBytes: 1MB, ", "cluster.maxMessageBytes: is a text where a number should be"},
		{"messages with a fraction", "cluster: {", "cluster: {maxMessageBytes: 1000000.5, ",
			"cluster.maxMessageBytes: 1000000.5 is no whole number"},
		{"no topics", "[orders]", "[]", "topics: is empty; name what the group consumes"},
		{"topics a text", "[orders]", "orders", "topics: is a text where a list, as in [orders] should be"},
		{"topic twice", "[orders]", "[orders, orders]", `topics[1]: "orders" is named twice`},
		{"topic illegal", "[orders]", "[a, or ders]", `topics[1]: "or ders" is no topic's name`},
		{"topic empty", "[orders]", `[""]`, `topics[0]: is "", which is no topic's name`},
		{"topic too long", "[orders]", "[" + strings.Repeat("t", 250) + "]",
			"topics[0]: has 250 characters; topics have at most 249"},
		{"65 topics", "[orders]", "[" + strings.Join(strings.Split(strings.Repeat("t", 65), ""), ",") + "]",
			"topics: has 65 names"},
		{"topics and a pattern", "[orders]", "[orders]\ntopicPattern: orders-.*",
			"topicPattern: is given besides topics; keep one of them"},
		{"pattern open", "topics: [orders]", "topicPattern: 'orders-('", "topicPattern: \"orders-(\" is no regular " +
			"expression (RE2): missing closing ) in \"orders-(\""},
		{"pattern of two halves", "topics: [orders]", "topicPattern: 'a)|(b'", `topicPattern: "a)|(b" is no regular`},
		{"pattern too long", "topics: [orders]", "topicPattern: " + strings.Repeat("t", 257),
			"topicPattern: has 257 bytes; shorten it to 256"},
		{"pattern a list", "topics: [orders]", "topicPattern: [a]", "topicPattern: is a list where a text should be"},
		{"semantics", "group:", "semantics: topic\ngroup:", `semantics: is "topic"; it can be Queue or Topic`},
		{"no ordinal", "member: billing-0", "member: billing\nsemantics: Topic",
			`member: "billing" does not end in a number, which semantics Topic makes a group's name of`},
		{"group too long with its ordinal", "group: billing",
			"group: " + strings.Repeat("g", 199) + "\nsemantics: Topic", "group: with semantics Topic, has 201 bytes"},
		{"out of range", "group:", "outOfRange: block\ngroup:",
			`outOfRange: is "block"; it can be EarliestOrBlock, Block, Earliest, Latest or Nearest`},
		{"no cluster", `{zookeeper: {connect: "127.0.0.1:2181/kafka"}}`, "{}", "cluster: has neither zookeeper nor bootstrapServers; say how"},
		{"server without port", "cluster: {", "cluster: {bootstrapServers: [a], ",
			`cluster.bootstrapServers[0]: "a" is no HOST:PORT`},
		{"server without host", "cluster: {", "cluster: {bootstrapServers: ['a:1', ':1'], ",
			`cluster.bootstrapServers[1]: ":1" has no name`},
		{"65 servers", "cluster: {", "cluster: {bootstrapServers: [" + strings.Repeat("'a:1',", 65) + "], ",
			"cluster.bootstrapServers: has 65 addresses"},
		{"brokers' CA missing", "cluster: {", "cluster: {tls: {caFile: none}, ",
			"cluster.tls.caFile: cannot be read"},
		{"mechanism", "cluster: {", "cluster: {sasl: {mechanism: plain}, ",
			`cluster.sasl.mechanism: is "plain"; it can be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER`},
		{"no password", "cluster: {", "cluster: {sasl: {mechanism: PLAIN, usernameFile: empty}, ",
			"cluster.sasl.passwordFile: is missing; mechanism PLAIN needs it"},
		{"no token", "cluster: {", "cluster: {sasl: {mechanism: OAUTHBEARER}, ",
			"cluster.sasl.tokenFile: is missing; mechanism OAUTHBEARER needs it"},
		{"token for a password", "cluster: {",
			"cluster: {sasl: {mechanism: PLAIN, usernameFile: empty, passwordFile: empty, tokenFile: empty}, ",
			"cluster.sasl.tokenFile: is not for mechanism PLAIN; remove it"},
		{"password's file missing", "cluster: {",
			"cluster: {sasl: {mechanism: PLAIN, usernameFile: empty, passwordFile: none}, ",
			"cluster.sasl.passwordFile: cannot be read"},
		{"user without a name", "cluster: {",
			"cluster: {sasl: {mechanism: PLAIN, usernameFile: empty, passwordFile: empty}, ",
			"cluster.sasl: the user's name is missing"},
		{"coordination", "group:", "coordination: kafka\ngroup:",
			`coordination: is "kafka"; it can be Auto, ZooKeeper or Kafka`},
		{"coordination by what is not there", `{zookeeper: {connect: "127.0.0.1:2181/kafka"}}`,
			"{bootstrapServers: ['a:1']}\ncoordination: ZooKeeper",
			"coordination: is ZooKeeper, and the cluster has none; give cluster.zookeeper, or make it Kafka"},
		{"no connect", `connect: "127.0.0.1:2181/kafka"`, `sessionTimeout: 5s`, "cluster.zookeeper.connect: is missing"},
		{"port out of range", "127.0.0.1:2181", "127.0.0.1:70000",
			`host "127.0.0.1:70000" has a port that is no number from 1 to 65535`},
		{"empty host", "127.0.0.1:2181", "a:1,,b:1", `host "" has no name`},
		{"chroot twice", "127.0.0.1:2181/kafka", "a:1/k,b:1/k", `chroot /k,b:1/k is no path`},
		{"chroot ends in slash", "2181/kafka", "2181/kafka/", `chroot /kafka/ is no path`},
		{"session too short", `/kafka"`, `/kafka", sessionTimeout: 10ms`,
			"cluster.zookeeper.sessionTimeout: 10ms is too short; give at least 1s"},
		{"session zero", `/kafka"`, `/kafka", sessionTimeout: ten`,
			`cluster.zookeeper.sessionTimeout: "ten" is no duration; write it with a unit`},
		{"duration without unit", `/kafka"`, `/kafka", sessionTimeout: 10`,
			`cluster.zookeeper.sessionTimeout: "10" is no duration`},
		{"digest file missing", `/kafka"`, `/kafka", digestFile: none`,
			"cluster.zookeeper.digestFile: cannot be read: open none"},
		{"digest file empty", `/kafka"`, `/kafka", digestFile: empty`,
			"cluster.zookeeper.digestFile: empty does not hold user:password"},
		{"CA file empty", `/kafka"`, `/kafka", tls: {caFile: empty}`,
			"cluster.zookeeper.tls.caFile: empty holds no certificate"},
		{"CA file missing", `/kafka"`, `/kafka", tls: {caFile: none}`, "cluster.zookeeper.tls.caFile: cannot be read"},
		{"certificate without key", `/kafka"`, `/kafka", tls: {certFile: empty}`,
			"cluster.zookeeper.tls: has one of certFile and keyFile"},
		{"no key pair", `/kafka"`, `/kafka", tls: {certFile: empty, keyFile: empty}`,
			"cluster.zookeeper.tls: certFile and keyFile do not make"},
		{"start", "group:", "start: earliest\ngroup:", `start: is "earliest"; it can be Earliest or Latest`},
		{"assignment", "group:", "assignment: RoundRobin\ngroup:",
			`assignment: is "RoundRobin"; it can be Sticky or Range`},
		{"commits too often", "group:", "commitInterval: 1ms\ngroup:",
			"commitInterval: 1ms is too short; give at least 100ms"},
		{"commits too rarely", "group:", "commitInterval: 2m\ngroup:",
			"commitInterval: 2m0s is too long; give at most 1m0s"},
		{"negative drain", "group:", "drainTimeout: -1s\ngroup:", "drainTimeout: -1s is too short"},
		{"no delivery timeout", "group:", "delivery: {timeout: 0s}\ngroup:", "delivery.timeout: 0s is too short"},
		{"backoffs crossed", "group:", "delivery: {retry: {maxBackoff: 10ms}}\ngroup:",
			"delivery.retry.maxBackoff: 10ms is below initialBackoff 200ms; raise it or lower initialBackoff"},
		{"delivery a text", "group:", "delivery: fast\ngroup:", "delivery: is a text where fields, or {} should be"},
		{"no sink", "sink: {discard: {}}", "", "sink: is not chosen; give one of"},
		{"sink of nothing", "{discard: {}}", "{log: }", "sink: is not chosen; give one of `http: {url: ...}`, `log: {}`"},
		{"two sinks", "{discard: {}}", "{discard: {}, log: {}}", "sink: has log and discard; keep one"},
		{"no URL", "{discard: {}}", "{http: {}}", "sink.http.url: is missing"},
		{"URL of files", "{discard: {}}", "{http: {url: 'file:///x'}}",
			"sink.http.url: scheme \"file\" is not supported: use http or https"},
		{"URL without host", "{discard: {}}", "{http: {url: 'http:///x'}}", "sink.http.url: no host: use a URL"},
		{"URL with password", "{discard: {}}", "{http: {url: 'http://a:secret@b'}}",
			"sink.http.url: holds a user's name"},
		{"no URL at all", "{discard: {}}", `{http: {url: "http://b\u007f"}}`, "sink.http.url: not a URL"},
		{"format", "{discard: {}}", "{http: {url: 'http://b', format: raw}}",
			`sink.http.format: is "raw"; it can be Raw or`},
		{"header of ours", "{discard: {}}", "{http: {url: 'http://b', headers: {samsa-topic: x}}}",
			"sink.http.headers: Samsa-Topic is set by the sink"},
		{"header of the connection", "{discard: {}}", "{http: {url: 'http://b', headers: {host: x}}}",
			"sink.http.headers: Host is set by the sink"},
		{"header's name", "{discard: {}}", "{http: {url: 'http://b', headers: {'a b': x}}}",
			"sink.http.headers: \"a b\" is no header name"},
		{"header's value", "{discard: {}}", `{http: {url: 'http://b', headers: {a: "x\ny"}}}`,
			"sink.http.headers: the value of A has control"},
		{"header a number", "{discard: {}}", `{http: {url: 'http://b', headers: {a: 1}}}`,
			`sink.http.headers[a]: is a number where a text`},
		{"listen without port", "group:", "listen: localhost\ngroup:", `listen: "localhost" is no address`},
		{"listen port", "group:", "listen: ':99999'\ngroup:", `listen: ":99999" has a port that is no number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(least, c.from) {
				t.Fatalf("%q is not in the file", c.from)
			}
			_, err := worker.Parse([]byte(strings.Replace(least, c.from, c.to, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	_, err := worker.Parse([]byte(`
groop: billing
member: a/b
topics: [orders, orders]
cluster: {zookeeper: {connect: "zk:0", digestFile: /nowhere}}
delivery: {retry: {initialBackoff: soon}}
sink: {http: {url: ftp://x}}
`))
	if err == nil {
		t.Fatal("a file with eight faults was accepted")
	}
	got := strings.Split(err.Error(), "\n")
	for _, path := range []string{
		"groop: ", "group: ", "member: ", "topics[1]: ", "cluster.zookeeper.connect: ", "cluster.zookeeper.digestFile: ",
		"delivery.retry.initialBackoff: ", "sink.http.url: ",
	} {
		count := 0
		for _, line := range got {
			if strings.HasPrefix(line, path) {
				count++
			}
		}
		if count != 1 {
			t.Errorf("%sis reported %d times in\n%v", path, count, err)
		}
	}
	if len(got) != 8 {
		t.Errorf("%d lines:\n%v", len(got), err)
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "digest")
	write(t, file, "hunter2")
	_, err := worker.Parse([]byte(strings.Replace(least, `/kafka"`, `/kafka", digestFile: `+file, 1)))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsOfBrokersAreNotRepeated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "hunter2 and more")
	_, err := worker.Parse([]byte(strings.Replace(least, "cluster: {",
		"cluster: {sasl: {mechanism: OAUTHBEARER, tokenFile: "+file+"}, ", 1)))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestAClusterOfBrokersAlone(t *testing.T) {
	config, err := worker.Parse([]byte(strings.Replace(least, `{zookeeper: {connect: "127.0.0.1:2181/kafka"}}`,
		`{bootstrapServers: ["kafka-0:9092"], tls: {}}`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if config.Coordination != worker.CoordinationAuto || config.Cluster.TLS == nil || config.Cluster.ZooKeeper != nil {
		t.Errorf("got %+v", config)
	}
}

func TestFilesOfBrokersAreBesideTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "user"), "billing\n")
	write(t, filepath.Join(dir, "password"), "hunter2\n")
	path := filepath.Join(dir, "worker.yaml")
	write(t, path, strings.Replace(least, "cluster: {",
		"cluster: {sasl: {mechanism: PLAIN, usernameFile: user, passwordFile: password}, ", 1))
	config, err := worker.Load(path)
	if err != nil || config.Cluster.SASL.UsernameFile != filepath.Join(dir, "user") {
		t.Errorf("got %+v, %v", config.Cluster.SASL, err)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker.yaml")
	if _, err := worker.Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("no file: got %v", err)
	}
	write(t, path, least)
	if config, err := worker.Load(path); err != nil || config.Group != "billing" {
		t.Errorf("got %+v, %v", config, err)
	}
}

// What the operator writes is what the worker reads: only what was said stands in the file, the rest has its default.
func TestWhatIsWrittenLeavesOutWhatIsNotSaid(t *testing.T) {
	config := worker.Config{
		Group: "billing", TopicPattern: `orders-\d+`, Semantics: worker.SemanticsTopic,
		OutOfRange: worker.OutOfRangeBlock, Listen: ":8080",
		Cluster: worker.Cluster{ZooKeeper: &worker.ZooKeeper{Connect: "zk:2181"}},
		Sink:    worker.Sink{HTTP: &worker.HTTPSink{URL: "http://billing", Headers: map[string]string{"X-On": "true"}}},
	}
	const want = `cluster:
  zookeeper:
    connect: zk:2181
group: billing
listen: :8080
outOfRange: Block
semantics: Topic
sink:
  http:
    headers:
      X-On: "true"
    url: http://billing
topicPattern: orders-\d+
`
	written := asYAML(t, config)
	if written != want {
		t.Errorf("got\n%s\nwant\n%s", written, want)
	}
	t.Setenv("POD_NAME", "billing-3")
	read, err := worker.Parse([]byte(written))
	if err != nil {
		t.Fatal(err)
	}
	full := worker.Default()
	full.Group, full.Member, full.TopicPattern, full.Semantics = "billing", "billing-3", config.TopicPattern, "Topic"
	full.OutOfRange, full.Listen, full.Cluster, full.Sink = "Block", ":8080", config.Cluster, config.Sink
	full.Cluster.ZooKeeper.SessionTimeout = worker.Duration(10 * time.Second)
	full.Cluster.MaxMessageBytes = 1_000_000
	full.Sink.HTTP.Format = worker.FormatCloudEventsBinary
	if got, want := asYAML(t, read), asYAML(t, full); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGroupName(t *testing.T) {
	for _, c := range []struct {
		semantics    worker.Semantics
		member, want string
	}{
		{worker.SemanticsQueue, "billing-12", "billing"},
		{worker.SemanticsTopic, "billing-12", "billing-12"},
		{worker.SemanticsTopic, "pod0", "billing-0"},
	} {
		config := worker.Config{Group: "billing", Member: c.member, Semantics: c.semantics}
		if got := config.GroupName(); got != c.want {
			t.Errorf("%s as %s: got %s, want %s", c.member, c.semantics, got, c.want)
		}
	}
}

func TestNamesOfFilesAreRelativeToTheFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"config", "secrets"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "secrets", "digest"), "samsa:secret")
	path := filepath.Join(dir, "config", "worker.yaml")
	write(t, path, strings.Replace(least, `/kafka"`, `/kafka", digestFile: ../secrets/digest`, 1))
	config, err := worker.Load(path)
	if err != nil || config.Cluster.ZooKeeper.DigestFile != filepath.Join(dir, "secrets", "digest") {
		t.Errorf("got %+v, %v", config.Cluster.ZooKeeper, err)
	}
	write(t, path, strings.Replace(least, `/kafka"`, `/kafka", tls: {caFile: ../ca.crt, certFile: c, keyFile: k}`, 1))
	_, err = worker.Load(path)
	for _, name := range []string{"ca.crt", "config/c", "config/k"} {
		if err == nil || !strings.Contains(err.Error(), "cannot be read: open "+filepath.Join(dir, name)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAddressReplacesTheHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker.yaml")
	for _, c := range []struct{ listen, address, want, wrong string }{
		{":8080", "10.1.2.3", "10.1.2.3:8080", ""},
		{"127.0.0.1:8080", "", "127.0.0.1:8080", ""},
		{"127.0.0.1:8080", "fd00::7", "[fd00::7]:8080", ""},
		{":0", "[fd00::7]", "[fd00::7]:0", ""},
		{":8080", "pod-0.billing", "pod-0.billing:8080", ""},
		{":8080", "10.1.2.3:8080", "", `--address: "10.1.2.3:8080" is no host; give a name or an IP address`},
		{":8080", "$(POD_IP)", "", `--address: "$(POD_IP)" is no host`},
		{"8080", "10.1.2.3", "", `listen: "8080" is no address`},
	} {
		write(t, path, least+"listen: '"+c.listen+"'\n")
		config, err := worker.LoadAt(path, c.address)
		switch {
		case c.wrong == "" && (err != nil || config.Listen != c.want):
			t.Errorf("%s at %s: got %s, %v", c.listen, c.address, config.Listen, err)
		case c.wrong != "" && (err == nil || !strings.HasPrefix(err.Error(), c.wrong)):
			t.Errorf("%s at %s: got %v", c.listen, c.address, err)
		}
	}
}

// What is accepted can be written and read again; what is refused says why; nothing crashes.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		least, "", "[]", "{}", "a: &a [*a]", "group: {", "sink: {http: {headers: {a: b}}}",
		"topics: {orders: 1}", "\x00", "1",
		"cluster: {zookeeper: {tls: {}}}", "delivery: {timeout: 1e9}", "? {a: b}\n: c",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := worker.Parse(data)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		if _, err := worker.Parse([]byte(asYAML(t, config))); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}

func asYAML(t *testing.T, config worker.Config) string {
	t.Helper()
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
