# What Schemathesis cannot know of the gateway, because OpenAPI cannot say it: see schemathesis.toml.
import itertools
import json
import re

import schemathesis
from schemathesis.core import NOT_SET
from schemathesis.transport.serialization import Binary

LINES = "application/x-ndjson"
FRAMES = "application/vnd.samsa.frames"
KEY = "Idempotency-Key"

numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Keeps requests from being wrong in a way that the document tells in words alone."""
    headers = case.headers
    if not headers:
        return
    # Which headers are for which bodies, and which are not for two at a time.
    if case.media_type in (LINES, FRAMES):
        headers.pop(KEY, None)
    if case.body is not NOT_SET:
        headers.pop("Samsa-Tombstone", None)
    if "Samsa-Key" in headers:
        headers.pop("Samsa-Key-Base64", None)
    # The same few keys come with ever other messages, which is 422 and tells nothing more. One that is well-formed becomes
    # one that was never there; one that is not stays what it is.
    key = headers.get(KEY)
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,500}", key):
        headers[KEY] = f"{key}-{next(numbers)}"


def written(value):
    """The bytes of a value that was generated as such; None for any other."""
    if isinstance(value, Binary):
        return value.data
    return value if isinstance(value, bytes) else None


@schemathesis.serializer(LINES)
def lines(context, value):
    if isinstance(value, list):
        return "\n".join(json.dumps(item) for item in value).encode()
    # An object in place of a list is spread over lines, or it would be a line, and right.
    return written(value) or json.dumps(value, indent=1).encode()


@schemathesis.serializer(FRAMES)
def frames(context, value):
    data = written(value)
    if data is None:
        return json.dumps(value).encode()
    return len(data).to_bytes(4, "big") + data


@schemathesis.deserializer(LINES)
def results(context, response):
    return [json.loads(line) for line in response.content.splitlines()]
