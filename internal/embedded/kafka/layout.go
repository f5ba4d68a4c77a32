// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// What brokers of Kafka 2.7 to 3.9 keep in ZooKeeper, after kafka.zk.ZkData. The order of fields is theirs.

// brokerNode is /brokers/ids/N.
type brokerNode struct {
	Features    map[string]string `json:"features"`
	ProtocolMap map[string]string `json:"listener_security_protocol_map"` //nolint:tagliatelle // as in Kafka
	Endpoints   []string          `json:"endpoints"`
	JMXPort     int               `json:"jmx_port"` //nolint:tagliatelle // as in Kafka
	Port        int               `json:"port"`
	Host        string            `json:"host"`
	Version     int               `json:"version"`
	Timestamp   string            `json:"timestamp"`
}

// topicNode is /brokers/topics/T.
type topicNode struct {
	Removing   map[string][]int32 `json:"removing_replicas"` //nolint:tagliatelle // as in Kafka
	Partitions map[string][]int32 `json:"partitions"`
	TopicID    string             `json:"topic_id"`        //nolint:tagliatelle // as in Kafka
	Adding     map[string][]int32 `json:"adding_replicas"` //nolint:tagliatelle // as in Kafka
	Version    int                `json:"version"`
}

// stateNode is /brokers/topics/T/partitions/P/state.
type stateNode struct {
	ControllerEpoch int     `json:"controller_epoch"` //nolint:tagliatelle // as in Kafka
	Leader          int32   `json:"leader"`
	Version         int     `json:"version"`
	LeaderEpoch     int32   `json:"leader_epoch"` //nolint:tagliatelle // as in Kafka
	ISR             []int32 `json:"isr"`
}

// controllerNode is /controller.
type controllerNode struct {
	Version    int    `json:"version"`
	Broker     int32  `json:"brokerid"`
	Timestamp  string `json:"timestamp"`
	KRaftEpoch int    `json:"kraftControllerEpoch"`
}

// clusterNode is /cluster/id.
type clusterNode struct {
	Version string `json:"version"`
	ID      string `json:"id"`
}

// skeleton are the persistent nodes that a broker's first start makes.
var skeleton = []string{
	"/consumers", "/brokers/ids", "/brokers/topics", "/brokers/seqid", "/config/changes", "/config/topics",
	"/admin/delete_topics", "/isr_change_notification", "/log_dir_event_notification", "/latest_producer_id_block",
}

func brokerData(addr string, now time.Time) ([]byte, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address of a broker: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("port of a broker: %w", err)
	}
	return json.Marshal(brokerNode{
		Features:    map[string]string{},
		ProtocolMap: map[string]string{"PLAINTEXT": "PLAINTEXT"},
		Endpoints:   []string{"PLAINTEXT://" + addr},
		JMXPort:     -1,
		Port:        port,
		Host:        host,
		Version:     5,
		Timestamp:   millis(now),
	})
}

func topicData(id [16]byte, partitions []*kfake.PartitionInfo) ([]byte, error) {
	replicas := make(map[string][]int32, len(partitions))
	for _, p := range partitions {
		replicas[strconv.Itoa(int(p.Partition))] = []int32{p.Leader}
	}
	return json.Marshal(topicNode{
		Removing:   map[string][]int32{},
		Partitions: replicas,
		TopicID:    base64.RawURLEncoding.EncodeToString(id[:]),
		Adding:     map[string][]int32{},
		Version:    3,
	})
}

func stateData(p *kfake.PartitionInfo) ([]byte, error) {
	return json.Marshal(stateNode{
		ControllerEpoch: 1, Leader: p.Leader, Version: 1, LeaderEpoch: p.Epoch, ISR: []int32{p.Leader},
	})
}

func controllerData(broker int32, now time.Time) ([]byte, error) {
	return json.Marshal(controllerNode{Version: 2, Broker: broker, Timestamp: millis(now), KRaftEpoch: -1})
}

// millis is a time as Kafka writes it: milliseconds, as a string.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
