"""The verbs of the command line that speak to a server: pub, append, read, tail."""

import json
import subprocess
import uuid

import pytest
from harness.server import BINARY


@pytest.fixture
def stream() -> str:
    return f"verbs-{uuid.uuid4().hex}"


@pytest.fixture
def run(server):
    """Runs a verb; its exit status, and what it printed on standard output and error."""

    def run(*arguments, stdin=None):
        command = [BINARY, *map(str, arguments), "--listen", f"127.0.0.1:{server.port}"]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout, done.stderr

    return run


def objects(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_append_then_read(run, stream):
    assert run("append", stream, "Opened", '{"owner":"Ann"}', "--tag", "vip", "--expect", "empty")[0] == 0
    status, out, _ = run("append", stream, "Paid", "-", "--expect", 1, "--correlation", "c-1", "--json", stdin='{"a":5}\n')
    assert status == 0
    [appended] = objects(out)
    assert appended["streams"] == {stream: 2} and not appended["again"] and appended["token"]
    status, out, _ = run("read", stream, "--json")
    opened, paid = objects(out)
    assert status == 0 and opened["data"] == {"owner": "Ann"} and opened["tags"] == "vip"
    assert paid["data"] == {"a": 5} and paid["streamversion"] == "2" and paid["correlationid"] == "c-1"


def test_a_line_for_a_person(run, stream):
    status, out, _ = run("append", stream, "Said", "hello")
    assert status == 0 and f"is version 1 of {stream}" in out
    _, out, _ = run("read", stream)
    assert f'{stream}@1  Said "hello"' in out


def test_a_version_that_is_not_expected_is_refused_with_what_to_do(run, stream):
    run("append", stream, "Opened")
    status, out, err = run("append", stream, "Opened", "--expect", "empty")
    assert status == 1 and out == ""
    assert f"`{stream}` is at version 1" in err and "Read again" in err
    assert run("append", stream, "Opened", "--expect", "some")[0] == 2


def test_once(run, stream):
    first = run("append", stream, "Paid", "--once", stream, "--json")[1]
    again = run("append", stream, "Paid", "--once", stream, "--json")[1]
    assert [o["again"] for o in objects(first) + objects(again)] == [False, True]
    assert "which was there already" in run("append", stream, "Paid", "--once", stream)[1]
    assert len(run("read", stream)[1].splitlines()) == 1


def test_pub_goes_to_the_stream_of_its_type(run, stream):
    kind = stream.replace("-", ".")
    assert run("pub", kind, "1")[0] == 0
    [event] = objects(run("read", kind, "--json")[1])
    assert (event["type"], event["stream"], event["data"]) == (kind, kind, 1)


def test_read_goes_over_pages_both_ways_and_by_what_events_have(run, api, stream):
    events = [{"type": "Odd" if n % 2 else "Even", "data": n, "tags": [stream]} for n in range(1200)]
    for start in (0, 600):
        api.append(events[start : start + 600], stream)
    data = lambda *arguments: [o["data"] for o in objects(run("read", *arguments, "--json")[1])]
    assert data(stream) == list(range(1200))
    assert data(stream, "--backwards", "--limit", 1100) == list(range(1199, 99, -1))
    assert data("--tag", stream, "--type", "Odd", "--limit", 3) == [1, 3, 5]
    assert data("--category", "verbs", "--tag", stream, "--type", "Even", "--type", "Odd") == list(range(1200))
    assert data(stream, "--at", "2999-01-01T00:00:00Z") == []


def test_tail_prints_what_is_there_and_what_comes_and_goes_on_after_a_restart(own_server, stream):
    listen = ["--listen", f"127.0.0.1:{own_server.port}"]
    append = lambda data: subprocess.run([BINARY, "append", stream, "Said", str(data), *listen], check=True, timeout=30)
    append(1)
    command = [BINARY, "tail", stream, "--all", "--json", *listen]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert json.loads(tail.stdout.readline())["data"] == 1
        append(2)
        assert json.loads(tail.stdout.readline())["data"] == 2
        own_server.kill()
        own_server.start()
        append(3)
        assert json.loads(tail.stdout.readline())["data"] == 3
    finally:
        tail.kill()
        tail.wait()


def test_tail_without_more_prints_what_comes_alone_and_ends_at_its_limit(run, server, stream):
    run("append", stream, "Said", "1")
    command = [BINARY, "tail", stream, "--limit", "2", "--json", "--listen", f"127.0.0.1:{server.port}"]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        # It begins behind the newest event at some moment from here on: what is appended until it
        # prints has to be enough, and comes in order.
        said = 2
        lines = []
        while len(lines) < 2 and said < 200:
            run("append", stream, "Said", str(said))
            said += 1
            if tail.poll() is not None:
                lines = tail.stdout.read().splitlines()
        first, second = (json.loads(line)["data"] for line in lines)
        assert first >= 2 and second == first + 1
    finally:
        tail.kill()
        tail.wait()


def test_a_server_that_is_not_there_is_named():
    command = [BINARY, "read", "--listen", "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "127.0.0.1:1 cannot be reached" in done.stderr
