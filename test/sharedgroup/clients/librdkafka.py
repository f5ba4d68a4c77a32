# Copyright The samsa Authors.
# SPDX-License-Identifier: Apache-2.0

"""A member of a group that brokers coordinate, by librdkafka (confluent-kafka of PyPI): nothing is committed before it
stands in the ledger. It is spoken to as java/OldMember.java is."""

import sys
import threading

from confluent_kafka import Consumer, KafkaException


def run(consumer, ledger, leaving):
    with open(ledger, "a", encoding="utf-8") as books:
        while not leaving.is_set():
            messages = consumer.consume(100, 0.2)
            for message in messages:
                if message.error() is None:
                    books.write(f"{message.topic()} {message.partition()} {message.offset()} {message.value().decode()}\n")
            books.flush()
            try:
                if messages:
                    consumer.commit(asynchronous=False)
            except KafkaException as failure:  # others get them again, or this member does
                print("uncommitted", failure, flush=True)
    consumer.close()


STRATEGIES = {"RangeAssignor": "range", "CooperativeStickyAssignor": "cooperative-sticky"}


def translated(setting):
    """Settings come in Java's words, which names strategies by their classes."""
    key, value = setting.split("=", 1)
    return key, STRATEGIES.get(value.split(".")[-1], value)


def main():
    print("ready", flush=True)
    leaving, work = threading.Event(), None
    for line in sys.stdin:
        words = line.split()
        if words[0] == "leave":
            break
        _, name, topics, ledger, *settings = words
        consumer = Consumer({
            "client.id": name, "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000, "heartbeat.interval.ms": 1000,
            **dict(translated(setting) for setting in settings),
        })
        consumer.subscribe(topics.split(","))
        work = threading.Thread(target=run, args=(consumer, ledger, leaving))
        work.start()
    leaving.set()
    if work is not None:
        work.join()
    print("left", flush=True)


main()
