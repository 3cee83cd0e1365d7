"""The native API by hand: exact bytes out, status, headers and bytes back."""

import http.client
import itertools
import json
import uuid
from urllib.parse import quote, urlencode

from harness.wire import Answer, address, exchange

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"
SSE = "text/event-stream"


def fresh(prefix: str = "s") -> str:
    """A name that no other test has; without a hyphen it is its own category."""
    return f"{prefix}{uuid.uuid4().hex[:12]}"


class Native:
    """The native API of a server; `call` opens a connection for each request."""

    def __init__(self, url: str):
        self.url = url

    def call(self, method: str, path: str, body=None, timeout: float = 30, **headers: str) -> Answer:
        """One request. A body that is not bytes is sent as JSON; `Content_Type=...` is Content-Type."""
        connection = http.client.HTTPConnection(*address(self.url), timeout=timeout)
        try:
            return send(connection, method, path, body, headers)
        finally:
            connection.close()

    def append(self, body, stream: str | None = None, **headers: str) -> Answer:
        path = "/v1/events" if stream is None else stream_path(stream)
        return self.call("POST", path, body, **headers)

    def appended(self, body, stream: str | None = None, **headers: str) -> dict:
        answer = self.append(body, stream, **headers)
        assert answer.status == 200, answer
        return answer.json

    def read(self, path: str = "/v1/events", **parameters) -> dict:
        """A page of JSON; a flag is given as True, a parameter that is there several times as a list."""
        answer = self.call("GET", path + query(parameters))
        assert answer.status == 200, answer
        return answer.json

    def stream(self, name: str, **parameters) -> dict:
        return self.read(stream_path(name), **parameters)

    def end(self) -> int:
        """The newest event's number; 0 when there is none."""
        newest = self.read(backwards=True, limit=1)["events"]
        return int(newest[0]["eventnumber"]) if newest else 0

    def raw(self, method: str, path: str, *lines: bytes, body: bytes = b"") -> Answer | None:
        """A request whose header lines are bytes of any kind; None when the server hung up."""
        head = b"\r\n".join([f"{method} {path} HTTP/1.1".encode(), b"Host: localhost", *lines])
        return exchange(self.url, head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def follow(self, accept: str = LINES, timeout: float = 20, last: str | None = None, **parameters) -> "Follower":
        return Follower(self.url, accept, timeout, last, parameters)


class Line:
    """A kept connection, for many requests with little cost each."""

    def __init__(self, url: str):
        self.connection = http.client.HTTPConnection(*address(url), timeout=60)

    def append(self, body, stream: str | None = None, **headers: str) -> Answer:
        path = "/v1/events" if stream is None else stream_path(stream)
        return send(self.connection, "POST", path, body, headers)

    def close(self) -> None:
        self.connection.close()


class Follower:
    """An answer that stays open. `frames` gives what comes, one after the other."""

    def __init__(self, url: str, accept: str, timeout: float, last: str | None, parameters: dict):
        self.connection = http.client.HTTPConnection(*address(url), timeout=timeout)
        headers = {"Accept": accept} | ({"Last-Event-ID": last} if last is not None else {})
        path = "/v1/events" + query({"follow": True} | parameters)
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.is_sse = self.response.headers["Content-Type"] == SSE
        self.id = None

    def lines(self):
        while line := self.response.readline():
            yield line.decode().rstrip("\n")

    def frames(self):
        """Pairs of a notice's name, or "event", and its JSON; heartbeats and `retry` are left out."""
        return self.events_of_sse() if self.is_sse else self.events_of_lines()

    def events_of_lines(self):
        for frame in map(json.loads, self.lines()):
            name = frame.get("notice", "event") if "specversion" not in frame else "event"
            if name != "heartbeat":
                yield name, frame

    def events_of_sse(self):
        """As HTML has it, section 9.2.6, with what is sent here."""
        name, data = "event", []
        for line in self.lines():
            field, _, value = line.partition(": ")
            if field == "id":
                self.id = value
            elif field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif not line and data:
                yield name, json.loads("\n".join(data))
                name, data = "event", []

    def take(self, count: int) -> list:
        return list(itertools.islice(self.frames(), count))

    def until(self, name: str) -> list[dict]:
        """The events up to a notice."""
        events = []
        for kind, frame in self.frames():
            if kind == name:
                return events
            events.append(frame)
        raise AssertionError(f"it ended before {name}: {events[-3:]}")

    def close(self) -> None:
        self.response.close()
        self.connection.close()

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def send(connection: http.client.HTTPConnection, method: str, path: str, body, headers: dict) -> Answer:
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | headers
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names)
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, response.read())


def stream_path(stream: str) -> str:
    return "/v1/streams/" + quote(stream, safe="")


def query(parameters: dict) -> str:
    pairs = [(name.rstrip("_"), value) for name, value in parameters.items()]
    flags = [name for name, value in pairs if value is True]
    rest = urlencode([(name, value) for name, value in pairs if value is not True], doseq=True)
    text = "&".join([*flags, *([rest] if rest else [])])
    return "?" + text if text else ""


def problem(answer: Answer, status: int, kind: str) -> dict:
    """The problem of an answer, which has all that every one has."""
    assert answer is not None, "hung up without an answer"
    assert answer.headers.get("content-type") == "application/problem+json", answer
    document = answer.json
    assert (answer.status, document["type"]) == (status, f"urn:lineside:problem:{kind}"), document
    assert document["status"] == status and document["title"], document
    assert document["detail"].endswith(".") and document["next"].endswith("."), document
    return document


def numbers(page: dict) -> list[int]:
    return [int(event["eventnumber"]) for event in page["events"]]


def versions(page: dict) -> list[int]:
    return [int(event["streamversion"]) for event in page["events"]]
