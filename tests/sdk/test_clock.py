"""Steerable time: what takes days elsewhere takes milliseconds here."""

import json
import time
import urllib.error
import urllib.request

import pytest
from harness.face import Face, TimedFace, bodies
from harness.server import Server, require_binary

STEERED = ("--clock", "steerable")


def test_fourteen_days_of_retention_in_under_a_second(timed):
    started = time.monotonic()
    url = timed.queue(MessageRetentionPeriod="1209600")
    timed.send(url)
    timed.advance("13d")
    assert timed.counts(url) == (1, 0, 0)
    timed.advance("1d")
    timed.advance("1s")
    assert timed.receive(url) == []
    assert timed.counts(url) == (0, 0, 0)
    assert time.monotonic() - started < 1


def test_fourteen_days_in_one_step(timed):
    url = timed.queue(MessageRetentionPeriod="1209600")
    timed.send(url)
    started = time.monotonic()
    answer = timed.advance("14d")
    assert timed.receive(url) == []
    assert time.monotonic() - started < 1
    assert {"now", "advanced", "fired"} <= set(answer)


def test_four_days_unless_the_queue_says_otherwise(timed):
    url = timed.queue()
    timed.send(url)
    timed.advance("95h")
    assert timed.counts(url) == (1, 0, 0)
    timed.advance("61m")
    assert timed.receive(url) == []


def test_retention_holds_for_what_is_in_flight_too(timed):
    url = timed.queue(MessageRetentionPeriod="60")
    timed.send(url)
    timed.receive_one(url, VisibilityTimeout=600)
    timed.advance("61s")
    assert timed.counts(url) == (0, 0, 0)


def test_a_shorter_retention_holds_for_messages_already_there(timed):
    url = timed.queue()
    timed.send(url)
    timed.advance("1h")
    timed.set(url, MessageRetentionPeriod="600")
    assert timed.receive(url) == []


def test_an_expired_message_of_a_fifo_group_makes_way(timed):
    url = timed.fifo(MessageRetentionPeriod="60")
    timed.send_to_group(url, "g", "old")
    timed.advance("50s")
    timed.send_to_group(url, "g", "new")
    timed.advance("11s")
    assert bodies(timed.receive(url)) == ["new"]


def test_time_moves_by_what_was_asked(timed):
    url = timed.queue()
    timed.send(url)
    timed.advance("2h")
    timed.advance("30m")
    timed.advance("5s")
    found = timed.receive_one(url)["Attributes"]
    moved = int(found["ApproximateFirstReceiveTimestamp"]) - int(found["SentTimestamp"])
    assert 9_005_000 <= moved < 9_010_000


@pytest.mark.parametrize("body", [{}, {"advance": "-5m"}, {"advance": "soon"}, {"advance": 5}, {"advance": ""}, []])
def test_an_advance_that_is_none(timed, body):
    with pytest.raises(urllib.error.HTTPError) as caught:
        timed.clock(body)
    assert caught.value.code == 400


@pytest.mark.parametrize("span", ["999999999999d", "99999999999999999999s"])
def test_an_advance_past_the_end_of_time(timed, span):
    with pytest.raises(urllib.error.HTTPError) as caught:
        timed.clock({"advance": span})
    assert caught.value.code == 400


def test_a_clock_that_is_not_steerable_is_not_steered(sqs, server):
    request = urllib.request.Request(server.url + "/_lineside/clock", data=json.dumps({"advance": "1s"}).encode())
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    assert 400 <= caught.value.code < 500


def test_steered_time_survives_a_restart(own_server):
    own_server.stop()
    own_server.arguments = STEERED
    # A directory that has served real time may be steered from here on.
    timed = TimedFace(own_server.start().url)
    url = timed.queue()
    timed.send(url)
    timed.advance("3d")
    own_server.kill()
    own_server.start()
    timed.advance("23h")
    assert timed.counts(url) == (1, 0, 0)
    timed.advance("61m")
    assert timed.counts(url) == (0, 0, 0)


def test_a_directory_that_was_steered_refuses_a_plain_start(tmp_path):
    require_binary()
    server = Server(tmp_path / "steered", *STEERED).start()
    TimedFace(server.url).advance("1d")
    assert server.stop() == 0
    server.arguments = ()
    server.spawn()
    assert server.wait(10) != 0
    assert "clock" in server.tail().lower()


def test_a_plain_directory_starts_again(own_server):
    url = Face(own_server.url).queue()
    Face(own_server.url).send(url, "kept")
    assert own_server.stop() == 0
    own_server.start()
    assert bodies(Face(own_server.url).receive(url)) == ["kept"]
