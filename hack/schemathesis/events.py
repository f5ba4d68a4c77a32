# Publishes events with the SDK of CloudEvents for Python, in binary and structured mode, and reads them back from Kafka with
# its other half. Run as: events.py URL COMMAND..., where the command writes the messages of the topic as JSON, a line each.
import base64
import datetime
import json
import os
import subprocess
import sys
import urllib.request

from cloudevents.core.bindings import http, kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

FORMAT = JSONFormat()

EVENTS = {
    mode: CloudEvent(
        {
            "id": mode,
            "source": "/shop",
            "type": "order",
            "specversion": "1.0",
            "subject": 'Käse "Brie" 100 % €',
            "time": datetime.datetime(2026, 11, 23, 8, 30, tzinfo=datetime.timezone.utc),
            "datacontenttype": "application/json",
            "partitionkey": "customer-17",
        },
        {"order": 7, "for": "Zoë"},
    )
    for mode in ("binary", "structured")
}


def send(url, message):
    headers = {**message.headers, "Authorization": "Bearer " + os.environ["SAMSA_TOKEN"]}
    with urllib.request.urlopen(urllib.request.Request(url, message.body, headers)) as answer:
        assert answer.status == 201, answer.status


def read(line):
    """An event out of a message; the key, and the values of headers, are text or base64."""
    message = json.loads(line)

    def bytes_of(part):
        value = part.get("value")
        return base64.b64decode(part["valueBase64"]) if value is None else value.encode()

    headers = {header["key"]: bytes_of(header) for header in message["headers"]}
    return kafka.from_kafka(kafka.KafkaMessage(headers, message["key"], bytes_of(message)), FORMAT)


def main(url, command):
    send(url, http.to_binary(EVENTS["binary"], FORMAT))
    send(url, http.to_structured(EVENTS["structured"], FORMAT))
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found = {event.get_id(): event for event in map(read, lines)}
    assert found.keys() == EVENTS.keys(), found.keys()
    for mode, event in EVENTS.items():
        assert found[mode].get_attributes() == event.get_attributes(), (mode, found[mode].get_attributes())
        assert found[mode].get_data() == event.get_data(), (mode, found[mode].get_data())


main(sys.argv[1], sys.argv[2:])
