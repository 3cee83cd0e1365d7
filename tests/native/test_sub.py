"""`lineside sub`: durable subscriptions from a shell."""

import json
import subprocess

from harness.native import Native, fresh
from harness.server import BINARY


def sub(server, *arguments, status: int = 0) -> str:
    listen = server.url.removeprefix("http://")
    command = [BINARY, "sub", *map(str, arguments), "--listen", listen]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done
    return done.stdout if status == 0 else done.stderr


def told(server, *arguments) -> list[dict]:
    return [json.loads(line) for line in sub(server, *arguments, "--json").splitlines()]


def test_work_from_its_making_to_its_end(server, api):
    tag, name = fresh(), fresh()
    (made,) = told(server, "make", name, "--tag", tag, "--workers", "--attempts", 3, "--order", "none")
    assert (made["name"], made["query"]) == (name, {"tags": [tag]})
    assert made["workers"] == {"lease_seconds": 30, "attempts": 3, "order": "none"}
    api.appended([{"type": "t", "tags": [tag], "stream": "s", "data": n} for n in range(4)])
    work = []
    while len(work) < 4:
        work += told(server, "receive", name, "--max", 10, "--wait-seconds", 20)
    assert sorted(one["event"]["data"] for one in work) == [0, 1, 2, 3]
    receipts = [one["receipt"] for one in work]
    assert told(server, "ack", name, receipts[0]) == [{"settled": 1, "lost": []}]
    assert sub(server, "ack", name, receipts[0]) == "1 settled\n", "what is done may be done again"
    assert sub(server, "nack", name, receipts[1]) == "1 settled\n"
    assert "1 were not in your hands" in sub(server, "park", name, receipts[1], status=1)
    assert sub(server, "park", name, *receipts[2:], "--reason", "no stock") == "2 settled\n"
    parked = told(server, "parked", name)
    assert [one["reason"] for one in parked] == ["no stock"] * 2
    assert "no stock" in sub(server, "parked", name)
    line = sub(server, "lag").splitlines()
    (mine,) = [one for one in line if one.startswith(f"{name} ")]
    assert "0 behind, 1 waiting, 0 in flight, 2 parked" in mine
    assert sub(server, "replay", name, parked[0]["id"]) == "1 brought back\n"
    assert told(server, "replay", name) == [{"replayed": 1}]
    text = sub(server, "receive", name, "--wait-seconds", 5)
    assert "attempt" in text and "receipt" in text
    assert sub(server, "rm", name) == ""
    assert "No subscription has this name" in sub(server, "show", name, status=1)
    assert api.call("GET", f"/v1/subscriptions/{name}").status == 404


def test_a_cursor_and_a_queue(server, api: Native):
    tag, name = fresh(), fresh()
    last = api.appended({"type": "t", "tags": [tag]})["last"]
    (cursor,) = told(server, "make", name, "--type", "t", "--category", "c", "--from", last)
    assert (cursor["cursor"], cursor["query"]) == (last - 1, {"types": ["t"], "category": "c"})
    (moved,) = told(server, "ack", name, "--upto", last, "--after", last - 1)
    assert moved["cursor"] == last
    assert "not where you believe" in sub(server, "ack", name, "--upto", last, "--after", 0, status=1)
    assert f"at {last} of" in sub(server, "show", name)
    assert "queue that the events are to go to" in sub(server, "make", fresh(), "--queue", fresh(), status=1)
    assert "--from is a number" in sub(server, "make", fresh(), "--from", "now", status=1)
    sub(server, "make", fresh(), "--queue", "a", "--workers", status=2)
