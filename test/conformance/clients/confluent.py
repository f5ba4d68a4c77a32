#!/usr/bin/env python3
# Copyright The samsa Authors.
# SPDX-License-Identifier: Apache-2.0
"""librdkafka (confluent-kafka from PyPI) behind the contract of test/conformance/doc.go, in samsa's place.

It knows groups of the brokers' coordinator alone (-ways kafka), and shows that the contract is not samsa's own shape.
"""
import argparse
import base64
import datetime
import json
import signal
import struct
import sys

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, Producer, TopicPartition

TIMEOUT = 10  # seconds that brokers may take to answer


def frames(stream):
    """The messages of a stream: 4 bytes of length, big-endian, and so many bytes."""
    while header := stream.read(4):
        yield stream.read(struct.unpack(">I", header)[0])


def publish(args):
    producer = Producer({
        "bootstrap.servers": args.bootstrap, "acks": "all", "linger.ms": 5, "message.timeout.ms": TIMEOUT * 1000,
        "compression.type": args.compression, "message.max.bytes": args.max_message_bytes + 1000,
    })
    answers = {}

    def delivered(number):
        def callback(error, _message):
            answers[number] = error
        return callback

    count = 0
    for value in frames(sys.stdin.buffer):
        try:
            producer.produce(args.topic, value, args.key, on_delivery=delivered(count))
        except KafkaException as error:
            answers[count] = error.args[0]
        except BufferError:
            producer.flush(TIMEOUT)
            producer.produce(args.topic, value, args.key, on_delivery=delivered(count))
        producer.poll(0)
        count += 1
    producer.flush(TIMEOUT)
    acknowledged = 0
    while acknowledged < count and acknowledged in answers and answers[acknowledged] is None:
        acknowledged += 1
    print(json.dumps({"acknowledged": acknowledged}))
    if acknowledged == count:
        return 0
    error = answers.get(acknowledged)
    print(f"error: {error}", file=sys.stderr)
    # Refused by a broker or by the library: certainly not written.
    return 1 if error is not None and error.name() in ("MSG_SIZE_TOO_LARGE", "_MSG_SIZE_TOO_LARGE") else 3


def text(value, name, row):
    """A field that is a string, or null and in base64 under another name."""
    row[name] = None
    if value is None:
        return
    try:
        row[name] = value.decode()
    except UnicodeDecodeError:
        row[name + "Base64"] = base64.b64encode(value).decode()


def printed(message):
    row = {"topic": message.topic(), "partition": str(message.partition()), "offset": message.offset()}
    kind, milliseconds = message.timestamp()
    row["timestamp"] = None
    if kind != 0:
        at = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
        row["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text(message.key(), "key", row)
    text(message.value(), "value", row)
    row["headers"] = []
    for key, value in message.headers() or []:
        header = {"key": key}
        text(value, "value", header)
        row["headers"].append(header)
    return row


def consumer(args):
    return Consumer({
        "bootstrap.servers": args.bootstrap, "group.id": args.group, "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "isolation.level": "read_committed", "topic.metadata.refresh.interval.ms": 5000,
    })


def subscribe(args):
    going = True

    def end(*_):
        nonlocal going
        going = False

    signal.signal(signal.SIGTERM, end)
    member = consumer(args)
    member.subscribe([args.topic])
    count, dirty = 0, False
    while going and (not args.count or count < args.count):
        message = member.poll(0.2)
        if message is None:
            if dirty:
                dirty = not commit(member)
            continue
        if message.error():
            print(f"warning: {message.error()}", file=sys.stderr)
            continue
        print(json.dumps(printed(message)), flush=True)
        count, dirty = count + 1, True
    if dirty:
        commit(member)
    member.close()
    return 0


def commit(member):
    try:
        member.commit(asynchronous=False)
        return True
    except KafkaException as error:
        print(f"warning: commit: {error}", file=sys.stderr)
        return False


def offsets(args):
    member = consumer(args)
    topic = member.list_topics(args.topic, timeout=TIMEOUT).topics[args.topic]
    partitions = [TopicPartition(args.topic, number) for number in sorted(topic.partitions)]
    for position in member.committed(partitions, timeout=TIMEOUT):
        earliest, end = member.get_watermark_offsets(position, timeout=TIMEOUT)
        committed = None if position.offset == OFFSET_INVALID else position.offset
        lag = end - max(earliest, earliest if committed is None else committed)
        print(json.dumps({"partition": str(position.partition), "committed": committed, "earliest": earliest,
                          "end": end, "lag": lag}))
    member.close()
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("command", choices=["publish", "subscribe", "offsets"])
    parser.add_argument("topic")
    parser.add_argument("--frames", action="store_true")
    parser.add_argument("--group")
    parser.add_argument("--key")
    parser.add_argument("--partitioner")
    parser.add_argument("--compression", default="none")
    parser.add_argument("--max-message-bytes", type=int, default=1000000)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("-o", "--output")
    args = parser.parse_args()
    return {"publish": publish, "subscribe": subscribe, "offsets": offsets}[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
