"""Writers that race, conditions that never hold, questions that ask for everything."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.native import Line, Native, fresh, problem, versions
from harness.server import serve

MANY = 50_000


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A server with many events: every hundredth of a type, each in one of a thousand streams."""
    for server in serve(tmp_path_factory.mktemp("full")):
        line = Line(server.url)
        for start in range(0, MANY, 1000):
            events = [
                {"type": "rare" if n % 100 == 0 else "often", "stream": f"s-{n % 1000}", "tags": [f"n:{n}"]}
                for n in range(start, start + 1000)
            ]
            assert line.append(events).status == 200
        line.close()
        yield Native(server.url)


def test_of_a_thousand_writers_at_one_version_one_wins(api):
    """A thousand writers on one stream; all expect the same version, again and again."""
    stream, lines = fresh(), [Line(api.url) for _ in range(50)]
    rounds, writers = 10, 1000

    def write(numbered) -> int:
        n, version = numbered
        expected = {"Expected-Version": str(version)}
        return lines[n % len(lines)].append({"type": "t"}, stream, **expected).status

    def each_line(n: int) -> list[int]:
        return [write((n, version)) for version in range(rounds) for _ in range(writers // rounds // len(lines))]

    with ThreadPoolExecutor(len(lines)) as pool:
        statuses = [status for some in pool.map(each_line, range(len(lines))) for status in some]
    for line in lines:
        line.close()
    assert set(statuses) <= {200, 409} and len(statuses) == writers
    won = statuses.count(200)
    assert versions(api.stream(stream)) == list(range(1, won + 1)) and 1 <= won <= rounds


def test_a_thousand_connections_write_one_stream_at_once(api):
    """Each reads where the stream is, and tries until it wins: exactly one wins each version."""
    stream, count = fresh(), 1000
    lines = [Line(api.url) for _ in range(count)]
    for line in lines:
        line.connection.request("POST", f"/v1/streams/{stream}", b'{"type":"t"}', {
            "Content-Type": "application/json", "Expected-Version": "0",
        })
    answers = [line.connection.getresponse() for line in lines]
    statuses = [(answer.status, answer.read())[0] for answer in answers]
    for line in lines:
        line.close()
    assert (statuses.count(200), statuses.count(409)) == (1, count - 1)
    assert versions(api.stream(stream)) == [1]


def test_writers_without_a_condition_all_win(api):
    stream = fresh()
    with ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda _: api.appended({"type": "t"}, stream), range(500)))
    assert sorted(reply["streams"][stream] for reply in replies) == list(range(1, 501))


def test_a_boundary_that_always_moves_is_always_refused(api):
    """One that nobody can meet costs an answer, not the server; and who reads again wins."""
    tag = fresh()
    query = {"tags": [tag]}
    start = api.end()

    def book(_) -> int:
        """Reads and appends until it wins; how often it tried."""
        for tries in range(1, 1000):
            newest = api.read(tag=tag, backwards=True, limit=1)["events"]
            after = int(newest[0]["eventnumber"]) if newest else start
            event = {"type": "booked", "tags": [tag]}
            answer = api.append({"events": [event], "boundary": {"query": query, "after": after}})
            if answer.status == 200:
                return tries
            assert problem(answer, 409, "moved")["newest"] > after
        raise AssertionError("it never won")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(book, range(64)))
    assert len(api.read(tag=tag)["events"]) == 64
    stale = {"events": [{"type": "t"}], "boundary": {"query": query, "after": start}}
    with ThreadPoolExecutor(16) as pool:
        for answer in pool.map(lambda _: api.append(stale), range(200)):
            problem(answer, 409, "moved")


def test_a_query_for_everything_is_answered_in_pages(full):
    """32 items that match nothing or everything: each page in bounded time, and all of it is found."""
    nothing = json.dumps([{"tags": [f"none:{n}"], "types": ["often"]} for n in range(31)] + [{"types": ["never"]}])
    started = time.monotonic()
    page = full.read(query=nothing)
    assert page["events"] == [] and time.monotonic() - started < 5
    everything = json.dumps([{"category": "s", "tags": [f"n:{n}"]} for n in range(31)] + [{"types": ["rare"]}])
    found, more = 0, {}
    while True:
        started = time.monotonic()
        page = full.read(query=everything, limit=100, **more)
        assert time.monotonic() - started < 5
        found += len(page["events"])
        if page["next"] is None:
            break
        more = {"from_": page["next"]}
    # The rare ones, and 31 by their tag, of which the first is rare.
    assert found == MANY // 100 + 30


def test_a_condition_over_everything_is_decided(full):
    end = full.end()
    impossible = [{"types": ["often"], "tags": ["n:0"]}]
    event = {"type": "t"}
    assert full.appended({"events": [event], "boundary": {"query": impossible, "after": 0}})["first"] == end + 1
    moved = problem(full.append({"events": [event], "boundary": {"query": [], "after": 0}}), 409, "moved")
    assert moved["newest"] == end + 1
    again = full.appended({"events": [event], "unless": {"types": ["rare"]}})
    assert again["again"] and again["first"] == 1 and again["last"] == 1000


def test_old_and_new_streams_are_read_without_a_scan(full):
    assert versions(full.stream("s-7")) == list(range(1, MANY // 1000 + 1))
    (event,) = full.read(tag="n:7")["events"]
    assert event["eventnumber"] == "8"
    assert len(full.read(category="s", limit=1000)["events"]) == 1000
