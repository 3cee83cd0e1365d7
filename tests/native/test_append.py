"""Appending: the forms of an event, the conditions, and what an append answers."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

from harness.native import BATCH, STRUCTURED, fresh, numbers, problem, versions


def cloud_event(**more) -> dict:
    return {"specversion": "1.0", "id": fresh("id"), "source": "/tests", "type": "t.made"} | more


def test_binary_mode_keeps_the_bytes(api):
    data = bytes(range(256))
    headers = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/a", "ce-type": "t.binary"}
    headers |= {"ce-stream": (stream := fresh()), "ce-extra": "Euro%20%E2%82%AC", "Content-Type": "image/png"}
    first = api.appended(data, **headers)
    assert first["streams"] == {stream: 1} and first["again"] is False
    (event,) = api.stream(stream)["events"]
    assert base64.b64decode(event["data_base64"]) == data
    assert (event["extra"], event["datacontenttype"], event["id"]) == ("Euro €", "image/png", "7")
    back = api.call("GET", f"/v1/events/{first['first']}?mode=binary")
    assert back.body == data and back.headers["content-type"] == "image/png"
    assert back.headers["ce-extra"] == "Euro%20%E2%82%AC" and back.headers["ce-eventnumber"] == str(first["first"])


def test_binary_mode_says_what_its_bytes_are(api):
    """Bytes of no named type are bytes; an event without data has no content."""
    number = api.appended([{"type": "t", "data_base64": "AAE="}, {"type": "t"}, {"type": "t", "data": "e"}])["first"]
    bytes_, bare, text = (api.call("GET", f"/v1/events/{number + n}?mode=binary") for n in range(3))
    assert (bytes_.status, bytes_.body) == (200, b"\0\1")
    assert bytes_.headers["content-type"] == "application/octet-stream"
    assert (bare.status, bare.body) == (204, b"") and "content-type" not in bare.headers
    assert bare.headers["ce-type"] == "t"
    assert (text.body.decode(), text.headers["content-type"]) == ('"e"', "application/json")


def test_a_whole_number_may_have_a_point(api):
    """Many who write JSON make no difference between 7 and 7.0."""
    stream = fresh()
    body = b'{"events":[{"type":"t","count":-44.0}],"expected":{"%s":0.0}}' % stream.encode()
    api.appended(body, stream, Content_Type="application/json")
    assert api.stream(stream)["events"][0]["count"] == -44


def test_structured_mode_gives_back_the_data_letter_by_letter(api):
    data = '{"b":1.0,  "a":[1e2,"\\u20ac"]}'
    stream = fresh()
    event = json.dumps(cloud_event(stream=stream))[:-1] + f', "data": {data}}}'
    number = api.appended(event.encode(), Content_Type=STRUCTURED)["first"]
    answer = api.call("GET", f"/v1/events/{number}")
    assert answer.headers["content-type"] == STRUCTURED
    assert f'"data":{data}'.encode() in answer.body
    stored = answer.json
    assert (stored["stream"], stored["streamversion"], stored["eventnumber"]) == (stream, "1", str(number))
    assert stored["storedtime"].endswith("Z")


def test_a_batch_goes_in_order_and_may_be_empty(api):
    one, two = fresh(), fresh()
    batch = [cloud_event(stream=one), cloud_event(stream=two), cloud_event(stream=one)]
    reply = api.appended(json.dumps(batch).encode(), Content_Type=BATCH)
    assert reply["last"] - reply["first"] == 2 and reply["streams"] == {one: 2, two: 1}
    empty = api.append(b"[]", Content_Type=BATCH)
    assert empty.json == {"first": None, "last": None, "again": False, "streams": {}}
    assert "token" not in empty.headers


def test_our_own_form_needs_a_type_alone(api):
    kind = fresh("type")
    reply = api.appended({"type": kind})
    assert reply["streams"] == {kind: 1}
    stored = api.call("GET", f"/v1/events/{reply['first']}").json
    assert stored["source"] == "urn:lineside:local" and len(stored["id"]) == 32
    stream = fresh("account-")
    api.appended([{"type": "a", "tags": ["x", "y"]}, {"type": "b", "data": 1}], stream)
    assert [event["type"] for event in api.stream(stream)["events"]] == ["a", "b"]


def test_a_stream_of_the_path_may_have_any_letters(api):
    stream = fresh() + "/ä b%?"
    api.appended({"type": "t"}, stream)
    assert versions(api.stream(stream)) == [1]
    other = api.append({"type": "t", "stream": "another"}, stream)
    problem(other, 400, "invalid-event")


def test_an_expected_version_holds_or_says_what_is(api):
    stream = fresh()
    expect = lambda value: api.append({"type": "t"}, stream, **{"Expected-Version": value})
    assert problem(expect("exists"), 409, "moved")["actual"] == 0
    assert expect("empty").json["streams"] == {stream: 1}
    moved = problem(expect("empty"), 409, "moved")
    assert (moved["stream"], moved["expected"], moved["actual"]) == (stream, "empty", 1)
    assert expect("1").status == expect("any").status == expect("exists").status == 200
    moved = problem(expect("1"), 409, "moved")
    assert (moved["expected"], moved["actual"]) == (1, 4)
    # Of what the header expects and what the body expects, all has to hold.
    both = {"events": [{"type": "t"}], "expected": 4}
    problem(api.append(both, stream, **{"Expected-Version": "empty"}), 409, "moved")
    assert len(api.stream(stream)["events"]) == 4
    assert api.append(both, stream, **{"Expected-Version": "exists"}).status == 200


def test_all_streams_of_an_append_or_none(api):
    one, two = fresh(), fresh()
    api.appended({"type": "t"}, two)
    events = [{"type": "t", "stream": one}, {"type": "t", "stream": two}]
    end = api.end()
    refused = api.append({"events": events, "expected": {one: "empty", two: 7}})
    assert problem(refused, 409, "moved")["stream"] == two
    assert api.stream(one)["events"] == [] and api.end() == end
    reply = api.appended({"events": events, "expected": {one: "empty", two: 1}})
    assert (reply["first"], reply["last"]) == (end + 1, end + 2) and reply["streams"] == {one: 1, two: 2}


def test_an_idempotency_key_answers_as_the_first_time(api):
    stream, key = fresh(), fresh("key")
    append = lambda: api.append([{"type": "a"}, {"type": "b"}], stream, **{"Idempotency-Key": key})
    first = append()
    api.appended({"type": "between"}, stream)
    again = append()
    assert first.json["again"] is False
    assert again.status == 200 and again.json == first.json | {"again": True}
    assert len(api.stream(stream)["events"]) == 3
    assert f"idempotency:{key}" in api.stream(stream, limit=1)["events"][0]["tags"]


def test_a_key_takes_no_room_from_tags_and_conditions(api):
    stream, key = fresh(), fresh("key")
    tags = [fresh("tag:") for _ in range(64)]
    body = {"events": [{"type": "a", "tags": tags}], "unless": [{"tags": [fresh("tag:")]} for _ in range(32)]}
    append = lambda: api.append(body, stream, **{"Idempotency-Key": key})
    assert append().json["again"] is False and append().json["again"] is True
    assert api.stream(stream)["events"][0]["tags"].split(",") == [*tags, f"idempotency:{key}"]


def test_a_boundary_that_moved_is_another_refusal_than_what_was_done(api):
    tag = fresh("seat:")
    query = {"tags": [tag]}
    after = api.end()
    body = {"events": [{"type": "booked", "tags": [tag]}], "boundary": {"query": query, "after": after}}
    first = api.appended(body)
    moved = problem(api.append(body), 409, "moved")
    assert (moved["after"], moved["newest"]) == (after, first["first"])
    # `unless` goes before the boundary: a repeat is answered although the boundary has moved.
    again = api.append(body | {"unless": query})
    assert again.status == 200 and again.json == first | {"again": True}
    body["boundary"]["after"] = first["last"]
    assert api.appended(body)["again"] is False
    assert len(api.read(tag=tag)["events"]) == 2


def test_one_of_many_repeats_appends(api):
    """The same key from many at once: one append, one answer."""
    stream, key = fresh(), fresh("key")
    append = lambda _: api.appended({"type": "t"}, stream, **{"Idempotency-Key": key})
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(append, range(32)))
    assert len({reply["first"] for reply in replies}) == 1
    assert sum(not reply["again"] for reply in replies) == 1
    assert versions(api.stream(stream)) == [1]


def test_an_append_can_be_read_when_it_is_answered(api):
    """Read your writes, without a token on one server, and with the token anywhere."""
    stream = fresh()
    for version in range(1, 51):
        answer = api.append({"type": "t"}, stream)
        at_least = {"At-Least": answer.headers["token"]} if version % 2 else {}
        page = api.call("GET", f"/v1/streams/{stream}", **at_least)
        assert versions(page.json)[-1] == version
    assert numbers(api.read(stream=stream)) == numbers(api.stream(stream))
