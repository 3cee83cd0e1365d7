"""Reads that stay open: what is there, then what comes, and how they end."""

import os
import socket
import threading
import time

import pytest
from harness.native import LINES, SSE, Line, Native, fresh, numbers, problem

FORMS = pytest.mark.parametrize("accept", [LINES, SSE])


@FORMS
def test_what_is_there_and_then_what_comes(api, accept):
    stream = fresh()
    api.appended([{"type": "a"}, {"type": "b"}], stream)
    with api.follow(accept, stream=stream) as follower:
        assert [event["type"] for event in follower.until("caught-up")] == ["a", "b"]
        assert follower.response.headers["cache-control"] == "no-store"
        for kind in ("c", "d"):
            reply = api.appended({"type": kind}, stream)
            name, event = follower.take(1)[0]
            assert (name, event["type"], event["eventnumber"]) == ("event", kind, str(reply["first"]))
            assert follower.take(1)[0] == ("caught-up", {**follower_notice(accept), "eventnumber": reply["first"]})


def follower_notice(accept: str) -> dict:
    return {"notice": "caught-up"} if accept == LINES else {}


def test_a_reader_comes_back_by_the_last_id(api):
    stream = fresh()
    first = api.appended([{"type": "t", "data": n} for n in range(5)], stream)["first"]
    with api.follow(SSE, stream=stream) as follower:
        assert [event["data"] for _, event in follower.take(2)] == [0, 1]
        last = follower.id
    assert last == str(first + 1)
    with api.follow(SSE, last=last, stream=stream) as follower:
        assert [event["data"] for event in follower.until("caught-up")] == [2, 3, 4]
        caught_up = follower.id
    # What nobody asked for moves the id too: who comes back after it does not look at that again.
    with api.follow(SSE, last=caught_up, stream=stream, limit=1) as follower:
        assert follower.until("caught-up") == []
        api.appended({"type": "t", "data": 5}, stream)
        assert [event["data"] for event in (frame for _, frame in follower.take(1))] == [5]


def test_coming_back_does_not_begin_before_the_beginning(api):
    stream = fresh()
    first = api.appended([{"type": "t", "data": n} for n in range(5)], stream)["first"]
    with api.follow(SSE, last="0", stream=stream, from_=first + 3) as follower:
        assert [event["data"] for event in follower.until("caught-up")] == [3, 4]
    for last in ("x", "-1", ""):
        answer = api.call("GET", "/v1/events?follow", **{"Last-Event-ID": last})
        assert problem(answer, 400, "invalid-parameter")["at"] == "header last-event-id"


@FORMS
def test_limit_and_to_end_it(api, accept):
    stream = fresh()
    first = api.appended([{"type": "t", "data": n} for n in range(5)], stream)["first"]
    data = lambda frames: [frame["data"] for name, frame in frames if name == "event"]
    with api.follow(accept, stream=stream, limit=3) as follower:
        assert data(follower.frames()) == [0, 1, 2]
    with api.follow(accept, stream=stream, to=first + 1) as follower:
        assert data(follower.frames()) == [0, 1]
    with api.follow(accept, stream=stream, backwards=True, limit=2) as follower:
        assert data(follower.frames()) == [4, 3]
    with api.follow(accept, stream=stream, backwards=True) as follower:
        assert data(follower.frames()) == [4, 3, 2, 1, 0]
    with api.follow(accept, from_=first + 1, to=first) as follower:
        assert data(follower.frames()) == []
    with api.follow(accept, stream=stream, to=api.end() + 2) as follower:
        assert len(follower.until("caught-up")) == 5
        api.appended([{"type": "t", "data": n} for n in (5, 6, 7)], stream)
        assert data(follower.frames()) == [5, 6]


def test_a_moment_yet_to_come_is_waited_for(api):
    stream = fresh()
    with api.follow(LINES, stream=stream, at="2999-01-01T00:00:00Z") as follower:
        follower.until("caught-up")
        end = api.appended({"type": "too early"}, stream)["last"]
        assert follower.take(1) == [("caught-up", {"notice": "caught-up", "eventnumber": end})]


def test_before_the_first_event_of_all(own_server):
    api = Native(own_server.url)
    assert api.read() == {"events": [], "next": None} == api.stream("a")
    with api.follow(LINES) as follower, api.follow(LINES, backwards=True) as backwards:
        assert list(backwards.frames()) == []
        assert follower.until("caught-up") == []
        api.appended({"type": "first"})
        assert follower.take(1)[0][1]["eventnumber"] == "1"


@FORMS
def test_a_server_that_stops_says_so(own_server, accept):
    api = Native(own_server.url)
    api.appended({"type": "t"})
    with api.follow(accept) as follower:
        follower.until("caught-up")
        stopped = threading.Thread(target=own_server.stop)
        stopped.start()
        (name, frame), *rest = follower.frames()
        stopped.join()
    assert (name, rest) == ("ended", [])
    assert frame["problem"]["status"] == 503 and frame["problem"]["next"]


def test_many_follow_and_each_hears_each_event_once(api):
    stream, count = fresh(), 50
    followers = [api.follow(LINES, stream=stream, limit=count) for _ in range(40)]
    line = Line(api.url)
    for n in range(count):
        assert line.append({"type": "t", "data": n}, stream).status == 200
    line.close()
    for follower in followers:
        with follower:
            assert [f["data"] for name, f in follower.frames() if name == "event"] == list(range(count))


def stalled(url: str) -> socket.socket:
    """A follower that asks and never reads."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((host, int(port)))
    connection.sendall(b"GET /v1/events?follow HTTP/1.1\r\nHost: a\r\n\r\n")
    return connection


def test_readers_that_stop_reading_are_not_held_in_memory(own_server):
    """A thousand events of 100 KiB wait for each of fifty readers that do not read."""
    api = Native(own_server.url)
    stream = fresh()
    for _ in range(40):
        api.appended([{"type": "t", "data": "x" * 100_000}] * 25, stream)
    api.stream(stream, limit=1)
    before = own_server.resident_bytes()
    readers = [stalled(own_server.url) for _ in range(50)]
    with api.follow(LINES, stream=stream) as follower:
        assert len(follower.until("caught-up")) == 1000
        api.appended({"type": "live"}, stream)
        assert follower.take(1)[0][1]["type"] == "live"
    grown = own_server.resident_bytes() - before
    for reader in readers:
        reader.close()
    assert grown < 150 << 20, f"{grown >> 20} MiB more"


def test_a_client_that_is_gone_is_let_go(own_server):
    api = Native(own_server.url)
    api.appended({"type": "t"})
    files = lambda: len(os.listdir(f"/proc/{own_server.process.pid}/fd"))
    followers = [api.follow(LINES) for _ in range(20)]
    for follower in followers:
        follower.until("caught-up")
    most = files()
    for follower in followers:
        follower.close()
    # Nothing tells when the other side has closed a file, hence the short naps.
    deadline = time.monotonic() + 10
    while files() > most - 20:
        assert time.monotonic() < deadline, f"{files()} files are open, {most} were"
        time.sleep(0.01)


def test_numbers_of_what_is_followed_are_those_of_a_page(api):
    stream = fresh()
    api.appended([{"type": "t"}] * 700, stream)
    with api.follow(LINES, stream=stream) as follower:
        followed = [int(event["eventnumber"]) for event in follower.until("caught-up")]
    assert followed == numbers(api.stream(stream, limit=1000))
