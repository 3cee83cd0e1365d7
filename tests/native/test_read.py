"""Reading: each parameter, both directions, pages, forms, and tokens."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.native import BATCH, LINES, fresh, numbers, problem, versions


@pytest.fixture(scope="module")
def bank(api):
    """Nine events in three streams of one category; the numbers follow one another."""
    name = fresh("bank")
    event = lambda n: {
        "type": f"{name}.{'in' if n % 2 else 'out'}",
        "stream": f"{name}-{n % 3}",
        "tags": [f"{name}:all", f"{name}:{n}"],
        "correlationid": f"{name}.{n // 3}",
        "data": n,
    }
    reply = api.appended([event(n) for n in range(9)])
    return name, reply["first"]


def data(page: dict) -> list:
    return [event["data"] for event in page["events"]]


def test_each_part_of_a_query_is_a_parameter(api, bank):
    name, _ = bank
    assert data(api.read(type=f"{name}.in")) == [1, 3, 5, 7]
    assert data(api.read(type=[f"{name}.in", f"{name}.out"])) == list(range(9))
    assert data(api.read(tag=[f"{name}:all", f"{name}:4"])) == [4]
    assert data(api.read(tag=[f"{name}:3", f"{name}:4"])) == []
    assert data(api.read(stream=f"{name}-1")) == [1, 4, 7]
    assert data(api.read(category=name)) == list(range(9))
    assert data(api.read(correlation=f"{name}.2")) == [6, 7, 8]
    assert data(api.read(category=name, type=f"{name}.in", correlation=f"{name}.0")) == [1]


def test_a_query_in_json_has_items_of_which_any_may_fit(api, bank):
    name, _ = bank
    items = [{"tags": [f"{name}:8"]}, {"stream": f"{name}-0", "types": [f"{name}.in"]}]
    assert data(api.read(query=json.dumps(items))) == [3, 8]
    assert data(api.read(query=json.dumps(items), tag=f"{name}:5")) == [3, 5, 8]


def test_numbers_bound_a_read_in_both_directions(api, bank):
    name, first = bank
    read = lambda **more: data(api.read(category=name, **more))
    assert read(from_=first + 3, to=first + 5) == [3, 4, 5]
    assert read(after=first + 3, to=first + 5) == [4, 5]
    assert read(backwards=True, limit=3) == [8, 7, 6]
    assert read(backwards=True, from_=first + 5, to=first + 3) == [5, 4, 3]
    assert read(backwards=True, after=first + 5, limit=2) == [4, 3]
    assert read(from_=first + 5, to=first + 3) == []


@pytest.mark.parametrize("backwards", [False, True])
def test_pages_go_on_where_they_say(api, bank, backwards):
    name, _ = bank
    found, more, pages = [], {}, 0
    while True:
        page = api.read(category=name, limit=2, **({"backwards": True} if backwards else {}), **more)
        found += data(page)
        pages += 1
        if page["next"] is None:
            break
        assert pages < 10
        more = {"from_": page["next"]}
    assert found == sorted(range(9), reverse=backwards)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_stream_is_read_by_versions(api, bank, backwards):
    name, _ = bank
    read = lambda **more: api.stream(f"{name}-1", **({"backwards": True} if backwards else {}), **more)
    in_order = lambda numbers: sorted(numbers, reverse=backwards)
    assert versions(read()) == in_order([1, 2, 3])
    low, high = (3, 2) if backwards else (2, 3)
    assert versions(read(from_=low, to=high)) == in_order([2, 3])
    page = read(limit=2)
    assert versions(page) == in_order([1, 2, 3])[:2]
    assert versions(read(from_=page["next"])) == in_order([1, 2, 3])[2:]
    assert read()["next"] is None


def test_what_is_not_there_is_empty(api, bank):
    name, first = bank
    nothing = {"events": [], "next": None}
    assert api.stream(fresh()) == nothing
    assert api.stream(f"{name}-1", from_=4) == nothing
    assert api.stream(f"{name}-1", to=0) == nothing
    assert api.read(tag=fresh()) == nothing
    assert api.read(from_=2**53 - 1) == nothing
    problem(api.call("GET", f"/v1/events/{api.end() + 10**6}"), 404, "no-such-event")
    problem(api.call("GET", "/v1/events/0"), 404, "no-such-event")


def test_a_moment_bounds_a_read(api, bank):
    name, first = bank
    at = api.call("GET", f"/v1/events/{first}").json["storedtime"]
    read = lambda **more: data(api.read(category=name, **more))
    assert read(at=at) == list(range(9))
    assert read(at=at, backwards=True) == list(range(8, -1, -1))
    assert read(at=at, from_=first + 7) == [7, 8]
    for before in ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999-12:00"):
        assert read(at=before) == list(range(9))
        assert read(at=before, backwards=True) == []
    for after in ("2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert read(at=after) == []
        assert read(at=after, backwards=True, limit=1) == [8]


def test_a_page_has_three_forms(api, bank):
    name, _ = bank
    path = f"/v1/events?category={name}&limit=4"
    page = api.call("GET", path)
    batch = api.call("GET", path, Accept=BATCH)
    lines = api.call("GET", path, Accept=LINES)
    assert (batch.headers["content-type"], lines.headers["content-type"]) == (BATCH, LINES)
    assert batch.json == page.json["events"] == [json.loads(line) for line in lines.body.splitlines()]
    assert page.headers["next"] == batch.headers["next"] == lines.headers["next"] == str(page.json["next"])
    problem(api.call("GET", path, Accept="text/html"), 406, "not-acceptable")
    sse = problem(api.call("GET", path, Accept="text/event-stream"), 406, "not-acceptable")
    assert "follow" in sse["next"]


def test_a_token_of_the_future_is_waited_for(api):
    """Waited for, with patience; when it comes in that time, the read answers."""
    with ThreadPoolExecutor(1) as pool:
        token = f"e{api.end() + 3:x}"
        read = pool.submit(api.call, "GET", "/v1/events?backwards&limit=1", **{"At-Least": token})
        reply = api.appended([{"type": "t"}] * 3)
        assert int(read.result().json["events"][0]["eventnumber"]) >= reply["first"]
    for token in ("", "e", "1", "x1", "e+1"):
        wrong = api.call("GET", "/v1/events", **{"At-Least": token})
        assert problem(wrong, 400, "invalid-parameter")["at"] == "header at-least"


def test_a_token_that_does_not_come_ends_in_a_problem(api):
    paths = ["/v1/events", "/v1/events/1", "/v1/streams/a", "/v1/events?follow"]
    get = lambda path: api.call("GET", path, **{"At-Least": "efffffffffff"})
    with ThreadPoolExecutor(len(paths)) as pool:
        for answer in pool.map(get, paths):
            behind = problem(answer, 503, "behind")
            assert behind["wanted"] == 0xFFFFFFFFFFF and behind["end"] >= 0
            assert answer.headers["retry-after"] == "1"


def test_the_document_is_served(api):
    answer = api.call("GET", "/v1/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    nouns = {path.split("/")[2] for path in answer.json["paths"]}
    assert nouns == {"events", "streams", "subscriptions", "models", "state", "queues"}


def test_pages_are_bounded_in_bytes(api):
    """Ten events of almost a mebibyte: no page has all of them, and none is lost."""
    stream, size = fresh(), 1_000_000
    for _ in range(5):
        api.appended([{"type": "t", "data": "x" * size}] * 2, stream)
    found, more = [], {}
    while True:
        page = api.stream(stream, **more)
        assert sum(len(event["data"]) for event in page["events"]) <= 6 << 20
        found += versions(page)
        if page["next"] is None:
            break
        more = {"from_": page["next"]}
    assert found == list(range(1, 11))
    assert numbers(api.read(stream=stream, backwards=True, limit=1)) == [api.end()]
