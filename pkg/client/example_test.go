// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// A cluster is known by its ZooKeeper. Which Kafka it is, its brokers say.
func ExampleOpen() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()

	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()
	fmt.Println(cluster.State().Dialect)
	// Output: Kafka 0.7
}

// The live brokers, by id. The map is a copy: ask again, or wait for Changed.
func ExampleCluster_Brokers() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()

	brokers := cluster.Brokers()
	for _, id := range slices.Sorted(maps.Keys(brokers)) {
		fmt.Println("broker", id, "has an address:", brokers[id].Address != "")
	}
	// Output:
	// broker 0 has an address: true
	// broker 1 has an address: true
}

// Topics by name.
func ExampleCluster_Topics() {
	ctx, zookeeper, stop := kafkaWith("orders", "returns")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()

	topics, err := cluster.Topics(ctx)
	check(err)
	fmt.Println(topics)
	// Output: [orders returns]
}

// The partitions of a topic. In Kafka 0.7 each broker has some of its own: 1-0 is the first one of broker 1.
func ExampleTopic_Partitions() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()

	partitions, err := cluster.Topic("orders").Partitions(ctx)
	check(err)
	fmt.Println(len(partitions), "partitions:", partitions)
	// Output: 4 partitions: [orders/0-0 orders/0-1 orders/1-0 orders/1-1]
}

// One message, or many: those of one call go to one partition, in order. It returns once a broker has them.
func ExampleTopic_Publish() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()

	orders := cluster.Topic("orders")
	check(orders.Publish(ctx, []byte("one")))
	check(orders.Publish(ctx, []byte("two"), []byte("three"), []byte("four")))
	fmt.Println("a broker has them")
	// Output: a broker has them
}

// Messages of one key go to one partition: the one where Kafka's own producer puts them.
func ExampleTopic_Publisher() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()

	publisher := cluster.Topic("orders").Publisher(client.ByKey())
	for _, customer := range []string{"alpha", "bravo", "alpha"} {
		published, err := publisher.PublishMessages(ctx, []kafka.Message{
			{Key: []byte(customer), Value: []byte("an order")},
		})
		check(err)
		fmt.Println(customer, published.Partition.ID)
	}
	// Output:
	// alpha 1-0
	// bravo 1-0
	// alpha 1-0
}

// Consuming: the loop acknowledges a message by coming back for the next one.
func ExampleTopic_Subscribe() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()
	orders := cluster.Topic("orders")
	check(orders.Publish(ctx, []byte("one"), []byte("two"), []byte("three")))

	consuming, enough := context.WithCancel(ctx)
	defer enough()
	consumer, err := orders.Subscribe(ctx, "billing")
	check(err)
	for message, err := range consumer.Messages(consuming) {
		check(err)
		fmt.Println(string(message.Value))
		if string(message.Value) == "three" {
			enough() // the group is left, and everything committed
		}
	}
	// Output:
	// one
	// two
	// three
}

// A queue: consumers of one group share the messages of a topic, each of which goes to one of them. There is work for
// as many as there are partitions.
func ExampleCluster_Consumer_queue() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()

	received := make(chan string)
	leave := consume(ctx, received,
		consumer(cluster, client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}, Name: "a"}),
		consumer(cluster, client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}, Name: "b"}))
	defer leave()

	publisher := cluster.Topic("orders").Publisher(client.RoundRobin())
	for _, order := range []string{"one", "two", "three", "four"} {
		check(publisher.Publish(ctx, []byte(order)))
	}
	for range 4 {
		fmt.Println(<-received)
	}
	// Unordered output:
	// one
	// two
	// three
	// four
}

// A topic: consumers in groups of their own get all of the messages each.
func ExampleCluster_Consumer_topic() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()

	received := make(chan string)
	leave := consume(ctx, received,
		consumer(cluster, client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}),
		consumer(cluster, client.ConsumerConfig{Group: "audit", Topics: []string{"orders"}}))
	defer leave()

	check(cluster.Topic("orders").Publish(ctx, []byte("one"), []byte("two")))
	for range 4 {
		fmt.Println(<-received)
	}
	// Unordered output:
	// one
	// two
	// one
	// two
}

// consumer makes a member of a group.
func consumer(cluster *client.Cluster, config client.ConsumerConfig) *client.Consumer {
	made, err := cluster.Consumer(config)
	check(err)
	return made
}

// consume lets consumers work until leave.
func consume(ctx context.Context, into chan<- string, consumers ...*client.Consumer) (leave func()) {
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	for _, consumer := range consumers {
		working.Go(func() {
			for message, err := range consumer.Messages(ctx) {
				check(err)
				into <- string(message.Value)
			}
		})
	}
	return func() {
		cancel()
		working.Wait()
	}
}

// A group is looked at without joining it. In Kafka 0.7 positions, and so lags, are in bytes.
func ExampleGroup_Inspect() {
	ctx, zookeeper, stop := kafkaWith("orders")
	defer stop()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: zookeeper})
	check(err)
	defer cluster.Close()
	check(cluster.Topic("orders").Publish(ctx, []byte("one")))

	view, err := cluster.Group("billing").Inspect(ctx, []string{"orders"}, nil)
	check(err)
	lag := int64(0)
	for _, partition := range view.Partitions {
		lag += partition.Lag
	}
	fmt.Println(len(view.Members), "members,", len(view.Partitions), "partitions,", lag, "bytes behind")
	// Output: 0 members, 4 partitions, 13 bytes behind
}
