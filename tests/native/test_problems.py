"""Each kind of problem that the wire can bring about, and that hostile input brings about nothing else."""

import json

import pytest
from harness.native import BATCH, STRUCTURED, fresh, problem, stream_path

EVENT = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t"}
JSON = {"Content_Type": "application/json"}


def test_methods_and_paths(api):
    for method, path, allow in [
        ("PUT", "/v1/events", "GET, POST"),
        ("DELETE", "/v1/events/1", "GET"),
        ("PATCH", "/v1/streams/a", "GET, POST"),
        ("POST", "/v1/openapi.json", "GET"),
    ]:
        answer = api.call(method, path)
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == allow
    for path in ("/v1/", "/v1/nothing", "/v1/streams", "/v1/openapi.json/x", "/v1/EVENTS"):
        document = problem(api.call("GET", path), 404, "no-such-path")
        assert document["instance"].startswith("urn:uuid:")


def test_what_an_operation_does_not_have_is_refused_by_name(api):
    for method, path, name in [
        ("GET", "/v1/events?tpye=a", "tpye"),
        ("GET", "/v1/streams/a?after=1", "after"),
        ("GET", "/v1/events/1?limit=1", "limit"),
        ("POST", "/v1/events?stream=a", "stream"),
        ("POST", "/v1/streams/a?type=a", "type"),
    ]:
        document = problem(api.call(method, path, {"type": "t"}), 400, "unknown-parameter")
        assert name in document["at"], document


@pytest.mark.parametrize(
    "path, at",
    [
        ("/v1/events?limit=0", "parameter limit"),
        ("/v1/events?limit=1001", "parameter limit"),
        ("/v1/events?limit=1&limit=2", "parameter limit"),
        ("/v1/events?from=99999999999999999999", "parameter from"),
        ("/v1/events?to=-1", "parameter to"),
        ("/v1/events?at=yesterday", "parameter at"),
        ("/v1/events?at=2026-02-30T00:00:00Z", "parameter at"),
        ("/v1/events?tag=", "parameter tag"),
        ("/v1/events?stream=%00", "parameter stream"),
        ("/v1/events?stream=%ff", None),
        ("/v1/events?category=a-b", "parameter category"),
        ("/v1/events?backwards=perhaps", "parameter backwards"),
        ("/v1/events/one", "parameter number"),
        ("/v1/events/1?mode=batch", "parameter mode"),
        ("/v1/streams/%ff", "parameter stream"),
        ("/v1/streams/", "parameter stream"),
        ("/v1/streams/" + "x" * 1025, "parameter stream"),
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_stands(api, path, at):
    document = problem(api.call("GET", path), 400, "invalid-parameter")
    assert at is None or document["at"] == at, document


def test_queries_are_refused_where_they_are_wrong(api):
    cases = [("1", "invalid-query"), ('{"type":"a"}', "invalid-query"), ("{", "malformed-json")]
    for text, kind in cases:
        document = problem(api.call("GET", "/v1/events?query=" + text.replace('"', "%22")), 400, kind)
        assert document["at"] == "parameter query"
    wrong = api.append({"events": [{"type": "t"}], "unless": {"tags": "x"}})
    assert problem(wrong, 400, "invalid-query")["at"] == "/unless/tags"
    many = json.dumps([{"stream": "s"}] * 33)
    problem(api.append({"events": [{"type": "t"}], "unless": json.loads(many)}), 400, "invalid-query")
    assert problem(api.call("GET", "/v1/events?tag=" + "&tag=a" * 300), 400, "limit-exceeded")
    long = api.call("GET", "/v1/events?stream=" + "x" * 40_000)
    problem(long, 400, "limit-exceeded")


@pytest.mark.parametrize(
    "body, kind, at",
    [
        (b"", "malformed-json", None),
        (b"{", "malformed-json", None),
        (b'{"type":"\xff"}', "malformed-json", None),
        (b'{"type":"t","data":"\x00"}', "malformed-json", None),
        (b'{"type":"t"}{"type":"t"}', "malformed-json", None),
        (b'{"type":"t","data":' + b"[" * 200 + b"]" * 200 + b"}", "malformed-json", None),
        (b"[" * 100_000, "malformed-json", None),
        (b'{"type":"t","data":NaN}', "malformed-json", None),
        (b"1", "invalid-body", None),
        (b'"text"', "invalid-body", None),
        (b"[]", "invalid-body", None),
        (b'{"events":[]}', "invalid-body", "/events"),
        (b'{"events":[{"type":"t"}],"expect":1}', "invalid-body", None),
        (b'{"events":[{"type":"t"}],"expected":1}', "invalid-body", "/expected"),
        (b'{"events":[{"type":"t"}],"expected":{"a":1e3}}', "invalid-body", "/expected/a"),
        (b'{"events":[{"type":"t"}],"expected":{"a":-1}}', "invalid-body", "/expected/a"),
        (b'{"events":[{"type":"t"}],"expected":{"a":99999999999999999999}}', "invalid-body", "/expected/a"),
        (b'{"events":[{"type":"t"}],"boundary":{"query":{}}}', "invalid-body", "/boundary"),
        (b'{"type":"a","type":"b"}', "invalid-body", None),
        (b'{"type":"t","ty\\u0070e":"b"}', "invalid-body", None),
        (b'{"events":[{"type":"t","type":"t"}]}', "invalid-event", "/events/0"),
        (b'{"events":[{"type":"t"},{"type":""}]}', "invalid-event", "/events/1/type"),
        (b'{"type":"a\\u0000b"}', "invalid-event", "/type"),
        (b'{"type":"a\\nb"}', "invalid-event", "/type"),
        (b'{"type":1}', "invalid-event", "/type"),
        (b'{"source":"/a"}', "invalid-event", "/type"),
        (b'{"type":"t","time":"noon"}', "invalid-event", "/time"),
        (b'{"type":"t","count":1e999}', "invalid-event", "/count"),
        (b'{"type":"t","count":2147483648}', "invalid-event", "/count"),
        (b'{"type":"t","Upper":"x"}', "invalid-event", "/Upper"),
        (b'{"type":"t","data_base64":"?"}', "invalid-event", "/data_base64"),
        (b'{"type":"t","data":1,"data_base64":""}', "invalid-event", "/data_base64"),
        (b'{"type":"t","stream":""}', "invalid-event", "/stream"),
        (b'{"type":"t","tags":["a,b"]}', "invalid-event", "/tags"),
    ],
)
def test_hostile_json_is_refused_and_nothing_is_appended(api, body, kind, at):
    end = api.end()
    document = problem(api.append(body, **JSON), 400, kind)
    assert at is None or document["at"] == at, document
    assert api.end() == end


def test_numbers_in_data_are_nobodys_business(api):
    """A number that no machine can hold is kept as it was written."""
    body = b'{"type":"t","data":' + b"9" * 5000 + b"e9999}"
    number = api.appended(body, **JSON)["first"]
    assert b'"data":' + b"9" * 5000 + b"e9999}" in api.call("GET", f"/v1/events/{number}").body


def test_limits_of_one_append(api):
    many = [{"type": "t"}] * 1001
    problem(api.append(many), 400, "invalid-body")
    assert api.appended(many[:1000], fresh())["last"]
    tags = [f"t{n}" for n in range(1000)]
    problem(api.append({"type": "t", "tags": ",".join(tags)}), 400, "limit-exceeded")
    answer = api.append({"type": "t", "tags": tags})
    assert answer.status == 400 and api.append({"type": "t", "tags": tags[:64]}).status == 200
    problem(api.append({"type": "t" * 1025}), 400, "limit-exceeded")
    problem(api.append({"type": "t", "subject": "x" * 5000}), 400, "limit-exceeded")
    key = {"Idempotency-Key": "x" * 201}
    problem(api.append({"type": "t"}, **key), 400, "invalid-parameter")


def test_data_may_have_a_mebibyte(api):
    mebibyte = 1 << 20
    head = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": "t"}
    number = api.appended(b"x" * mebibyte, Content_Type="text/plain", **head)["first"]
    assert len(api.call("GET", f"/v1/events/{number}?mode=binary").body) == mebibyte
    problem(api.append(b"x" * (mebibyte + 1), Content_Type="text/plain", **head), 413, "too-large")
    problem(api.append({"type": "t", "data": "x" * (mebibyte - 1)}), 413, "too-large")
    problem(api.append([{"type": "t", "data": "x" * 1_000_000}] * 8), 413, "too-large")
    problem(api.append(b"x" * (9 << 20), Content_Type="text/plain", **head), 413, "too-large")


def test_media_types_that_nobody_reads(api):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/cloudevents+avro"):
        answer = api.append(b"a=b", Content_Type=kind)
        problem(answer, 415, "unsupported-media-type")
    problem(api.call("POST", "/v1/events", b""), 415, "unsupported-media-type")


def test_headers_of_an_event_cannot_break_out(api):
    """What is escaped in a header is decoded; what would break a header open is refused, both ways."""
    head = [b"ce-specversion: 1.0", b"ce-id: 1", b"ce-source: /a", b"Content-Type: text/plain"]
    for value in (b"t%0d%0aX-Evil: 1", b"t%00", b"%ff", b"t%7f", b"%c2%85"):
        answer = api.raw("POST", "/v1/events", *head, b"ce-type: " + value)
        problem(answer, 400, "invalid-event")
    answer = api.raw("POST", "/v1/events", *head, b"ce-type: \xe4")
    assert "Percent-encode" in problem(answer, 400, "invalid-event")["next"]
    for more in ([b"ce-type: t", b"ce-type: u"], [b"ce-type: t", b"ce-data: x"], [b"ce-type: t", b"ce-a_b: x"]):
        problem(api.raw("POST", "/v1/events", *head, *more), 400, "invalid-event")
    # In JSON the same letters are an attribute with a control character; beyond ASCII they are escaped.
    evil = json.dumps(EVENT | {"subject": "a\r\nX-Evil: 1"}).encode()
    assert problem(api.append(evil, Content_Type=STRUCTURED), 400, "invalid-event")["at"] == "/subject"
    fine = json.dumps(EVENT | {"subject": '100% "ä€😀"'}).encode()
    number = api.appended(fine, Content_Type=STRUCTURED)["first"]
    back = api.call("GET", f"/v1/events/{number}?mode=binary")
    assert back.headers["ce-subject"] == "100%25%20%22%C3%A4%E2%82%AC%F0%9F%98%80%22"


def test_structured_and_batch_want_what_cloudevents_wants(api):
    for missing in EVENT:
        event = {name: value for name, value in EVENT.items() if name != missing}
        document = problem(api.append(json.dumps(event).encode(), Content_Type=STRUCTURED), 400, "invalid-event")
        assert document["at"] == f"/{missing}"
        batch = json.dumps([EVENT, event]).encode()
        assert problem(api.append(batch, Content_Type=BATCH), 400, "invalid-event")["at"] == f"/1/{missing}"
    old = json.dumps(EVENT | {"specversion": "0.3"}).encode()
    problem(api.append(old, Content_Type=STRUCTURED), 400, "invalid-event")
    problem(api.append(json.dumps(EVENT).encode(), Content_Type=BATCH), 400, "invalid-body")


def test_conditions_in_headers_are_read_strictly(api):
    stream = fresh()
    for value in ("-1", "1.0", "+1", "first", ""):
        answer = api.append({"type": "t"}, stream, **{"Expected-Version": value})
        assert problem(answer, 400, "invalid-parameter")["at"] == "header expected-version"
    nowhere = api.append({"type": "t"}, **{"Expected-Version": "1"})
    problem(nowhere, 400, "invalid-parameter")
    twice = [b"Content-Type: application/json", b"Expected-Version: 0", b"Expected-Version: 1"]
    problem(api.raw("POST", stream_path(stream), *twice, body=b'{"type":"t"}'), 400, "invalid-parameter")
    for key in ("", "a,b", '""'):
        answer = api.append({"type": "t"}, stream, **{"Idempotency-Key": key})
        assert problem(answer, 400, "invalid-parameter")["at"] == "header idempotency-key"
    assert api.stream(stream)["events"] == []
