// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/local/proc"
	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/internal/realkafka"
)

// ensemble is a ZooKeeper of one server: that which Kafka 3.9 brings, since Debian's has no TLS.
type ensemble struct {
	// plain and secure are where clients connect; secure wants certificates, and is empty without an authority.
	plain, secure string
	dir           string
}

// startZooKeeper runs one that ends with the spec. By TLS it shows a certificate of the authority, and wants one.
func startZooKeeper(ctx context.Context, by *pki.Authority) *ensemble {
	GinkgoHelper()
	need(last)
	e := &ensemble{dir: GinkgoT().TempDir(), plain: freeAddress(ctx)}
	settings := []string{
		"tickTime=500", "dataDir=" + e.file("data"), "admin.enableServer=false", "maxClientCnxns=0",
		"clientPort=" + port(e.plain), "clientPortAddress=" + host,
	}
	if by != nil {
		e.secure = freeAddress(ctx)
		pair := issue(by, pki.Certificate{Hosts: []string{host}})
		e.write("server.pem", append(pair.Key, pair.Certificate...))
		e.write("trusted.pem", by.PEM())
		settings = append(settings, "secureClientPort="+port(e.secure), "secureClientPortAddress="+host,
			"serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory", "ssl.clientAuth=need",
			"authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider",
			"ssl.keyStore.location="+e.file("server.pem"), "ssl.trustStore.location="+e.file("trusted.pem"))
	}
	e.write("zoo.cfg", []byte(strings.Join(settings, "\n")+"\n"))
	e.run()
	Eventually(ctx, func() error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.plain)
		if err == nil {
			err = conn.Close()
		}
		return err
	}, startTimeout).Should(Succeed())
	return e
}

func (e *ensemble) run() {
	GinkgoHelper()
	classes, err := realkafka.ClassPath(last)
	Expect(err).NotTo(HaveOccurred())
	java, err := exec.LookPath("java")
	Expect(err).NotTo(HaveOccurred())
	log, err := os.Create(e.file("server.log"))
	Expect(err).NotTo(HaveOccurred())
	process, err := proc.Start(proc.Command{
		Name: "zookeeper", Path: java, Args: []string{
			"-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classes,
			"org.apache.zookeeper.server.quorum.QuorumPeerMain", e.file("zoo.cfg"),
		}, Output: log,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		process.Kill()
		if keep() {
			AddReportEntry("zookeeper", proc.Tail(e.file("server.log"), 40))
		}
		Expect(log.Close()).To(Succeed())
	})
}

func (e *ensemble) file(name string) string { return filepath.Join(e.dir, name) }

func (e *ensemble) write(name string, data []byte) {
	GinkgoHelper()
	Expect(os.WriteFile(e.file(name), data, 0o600)).To(Succeed())
}

// as connects to the plain port with a digest, for what an administrator does.
func (e *ensemble) as(digest string) *zk.Conn {
	GinkgoHelper()
	conn, events, err := zk.Connect([]string{e.plain}, 10*time.Second, zk.WithLogInfo(false))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(conn.Close)
	Eventually(events).Should(Receive(HaveField("State", zk.StateHasSession)))
	go func() { // it ends with the connection
		for range events {
		}
	}()
	if digest != "" {
		Expect(conn.AddAuth("digest", []byte(digest))).To(Succeed())
	}
	return conn
}

// only gives all rights to one digest alone.
func only(digest string) []zk.ACL {
	name, secret, _ := strings.Cut(digest, ":")
	return zk.DigestACL(zk.PermAll, name, secret)
}

func freeAddress(ctx context.Context) string {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

func port(address string) string {
	_, port, err := net.SplitHostPort(address)
	Expect(err).NotTo(HaveOccurred(), address)
	return port
}
