// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// properties are a broker's server.properties.
func (c *Cluster) properties(b *Broker) map[string]string {
	all := small(len(c.brokers))
	all["log.dirs"] = b.path("data")
	if c.config.ZooKeeper == "" {
		maps.Copy(all, c.kraft(b))
	} else {
		all["broker.id"] = strconv.Itoa(b.id)
		all["zookeeper.connect"] = c.config.ZooKeeper
	}
	maps.Copy(all, c.listeners(b))
	maps.Copy(all, c.config.Properties)
	maps.Copy(all, c.config.BrokerProperties[b.id])
	return all
}

// small are settings that make a broker start quickly and fit beside others on two cores; what one release does not
// know it only mentions in its log.
func small(brokers int) map[string]string {
	copies := strconv.Itoa(min(brokers, 3))
	return map[string]string{
		// A topic is there because somebody made it: a client that asks for a deleted one must not bring it back.
		"auto.create.topics.enable": "false",
		"delete.topic.enable":       "true",
		// In 0.8 it was off; compacted topics need it. Its map is 128 MB otherwise, half of a broker's heap here.
		"log.cleaner.enable":             "true",
		"log.cleaner.dedupe.buffer.size": strconv.Itoa(8 << 20),
		// Kafka's own topics: 50 partitions each otherwise, which is what a first group waits for.
		"offsets.topic.num.partitions":                     "5",
		"offsets.topic.replication.factor":                 copies,
		"transaction.state.log.num.partitions":             "3",
		"transaction.state.log.replication.factor":         copies,
		"transaction.state.log.min.isr":                    "1",
		"share.coordinator.state.topic.num.partitions":     "3",
		"share.coordinator.state.topic.replication.factor": copies,
		"share.coordinator.state.topic.min.isr":            "1",
		"group.initial.rebalance.delay.ms":                 "0",
		"num.network.threads":                              "2",
		"num.io.threads":                                   "2",
		"background.threads":                               "2",
	}
}

// kraft says who controls: processes of their own, or all brokers.
func (c *Cluster) kraft(b *Broker) map[string]string {
	roles, voting := "broker,"+controllerRole, c.brokers
	if len(c.controllers) > 0 {
		roles, voting = "broker", c.controllers
	}
	if b.controls() {
		roles = controllerRole
	}
	voters := make([]string, 0, len(voting))
	for _, other := range voting {
		voters = append(voters, fmt.Sprintf("%d@%s", other.id, other.addr(controller)))
	}
	return map[string]string{
		"process.roles":             roles,
		"node.id":                   strconv.Itoa(b.id),
		"controller.listener.names": controller,
		"controller.quorum.voters":  strings.Join(voters, ","),
	}
}

// listeners are where a broker listens, in the words of its release.
func (c *Cluster) listeners(b *Broker) map[string]string {
	if c.release.Before("0.9") {
		return map[string]string{"host.name": loopback, "port": strconv.Itoa(b.ports[Plaintext])}
	}
	listeners := c.config.Listeners
	if c.config.ZooKeeper == "" {
		listeners = append(slices.Clip(listeners), Listener{Name: controller, Protocol: Plaintext})
	}
	var addresses, protocols []string
	for _, listener := range listeners {
		if c.listensAt(b, listener) {
			addresses = append(addresses, listener.Name+"://"+b.addr(listener.Name))
		}
		protocols = append(protocols, listener.Name+":"+listener.Protocol)
	}
	all := map[string]string{"listeners": strings.Join(addresses, ",")}
	if c.release.Before("0.10.2") {
		all["security.inter.broker.protocol"] = listeners[0].Protocol
		return all
	}
	all["listener.security.protocol.map"] = strings.Join(protocols, ",")
	if !b.controls() {
		all["inter.broker.listener.name"] = listeners[0].Name
	}
	return all
}

// controllerRole is what a process is that controls.
const controllerRole = "controller"

// controls says that it is a process of its own for that.
func (b *Broker) controls() bool { return b.id >= b.cluster.config.Brokers }

// listensAt says whether a process has a listener: where controllers are processes of their own, only they have theirs.
func (c *Cluster) listensAt(b *Broker, listener Listener) bool {
	return len(c.controllers) == 0 || (listener.Name == controller) == b.controls()
}

// render writes properties as Java reads them.
func render(all map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s=%s\n", key, escaper.Replace(all[key]))
	}
	return text.String()
}

// escaper keeps a value on its line, and its backslashes.
var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
