"""The package `cloudevents` of PyPI: what it writes is read, and what is answered it reads, in each mode."""

import json
from datetime import datetime, timezone

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from harness.native import BATCH, fresh

TIME = datetime(2026, 1, 31, 12, 30, 15, 250000, tzinfo=timezone.utc)

DATA = [
    ("application/json", {"amount": 12.5, "to": "Zoë €😀", "list": [1, None, True]}),
    ("text/plain", 'letters "Zoë" 100%'),
    ("application/octet-stream", bytes(range(256))),
    ("application/vnd.made-up+json", [1, 2, 3]),
    (None, None),
]


def made(stream: str, content_type, data) -> CloudEvent:
    attributes = {
        "id": fresh("id"),
        "source": "/shop/7?a=b#c",
        "type": "shop.order.paid",
        "subject": 'order "7" 100% €',
        "time": TIME,
        "dataschema": "https://example.com/order.json",
        "stream": stream,
        "comment": "Zoë's",
        "priority": 3,
        "urgent": True,
    }
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    return CloudEvent(attributes, data)


def read(answer) -> CloudEvent:
    assert answer.status in (200, 204), answer
    return http.from_http_event(http.HTTPMessage(headers=dict(answer.headers), body=answer.body))


def check(sent: CloudEvent, got: CloudEvent, written=lambda value: value) -> None:
    """`written` says what an extension became on its way: headers have no types."""
    for name in ("id", "source", "type", "subject", "time", "dataschema", "datacontenttype"):
        assert getattr(got, f"get_{name}")() == getattr(sent, f"get_{name}")(), name
    for name in ("comment", "priority", "urgent"):
        assert got.get_extension(name) == written(sent.get_extension(name)), name
    assert got.get_data() == sent.get_data()


def canonical(value) -> str:
    """As CloudEvents has it, and the server."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("content_type, data", DATA)
@pytest.mark.parametrize("is_binary", [False, True])
def test_an_event_comes_back_as_it_was(api, is_binary, content_type, data):
    sent = made(fresh(), content_type, data)
    message = http.to_binary_event(sent) if is_binary else http.to_structured_event(sent)
    answer = api.call("POST", "/v1/events", message.body, **message.headers)
    assert answer.status == 200, answer
    path = f"/v1/events/{answer.json['first']}"
    # The package writes True into a header, where CloudEvents has true; who sends text gets it back.
    check(sent, read(api.call("GET", path)), str if is_binary else lambda value: value)
    check(sent, read(api.call("GET", path + "?mode=binary")), str if is_binary else canonical)


def test_a_batch_comes_back_as_it_was(api):
    stream, structured = fresh(), JSONFormat()
    sent = [made(stream, content_type, data) for content_type, data in DATA]
    body = b"[" + b",".join(structured.write(event) for event in sent) + b"]"
    assert api.append(body, Content_Type=BATCH).json["streams"] == {stream: len(sent)}
    answer = api.call("GET", f"/v1/streams/{stream}", Accept=BATCH)
    assert answer.headers["content-type"] == BATCH
    got = [structured.read(None, json.dumps(event)) for event in answer.json]
    for one, other in zip(sent, got, strict=True):
        check(one, other)
