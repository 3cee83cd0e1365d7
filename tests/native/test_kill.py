"""kill -9 while many append: what was acknowledged is there once, and nothing has a gap."""

import shutil
import threading
import time

from harness.face import Face
from harness.native import LINES, Line, Native, numbers, problem, versions
from harness.server import BINARY, Server

WRITERS = 8
ROUNDS = 3
TOGETHER = 2  # events of one append, each in a stream of its own


class Writer(threading.Thread):
    """Appends pairs to its own stream and the common one, each under a key, until the server is gone."""

    def __init__(self, url: str, name: str, first: int):
        super().__init__()
        self.url, self.name, self.next = url, name, first
        self.acknowledged: dict[str, dict] = {}

    def run(self) -> None:
        line = Line(self.url)
        try:
            while True:
                self.append(line)
        except OSError:
            pass  # it was killed
        except Exception as error:  # an answer that was cut off in the middle
            if type(error).__module__ != "http.client":
                raise
        finally:
            line.close()

    def append(self, line: Line) -> None:
        key = f"{self.name}.{self.next}"
        events = [{"type": "t", "data": key, "stream": stream} for stream in (self.name, "common")]
        answer = line.append(events, **{"Idempotency-Key": key})
        if answer.status == 503:  # it stops to take anything in
            return
        assert answer.status == 200, answer
        self.acknowledged[key] = answer.json
        self.next += 1


def everything(api: Native) -> list[dict]:
    with api.follow(LINES) as follower:
        return follower.until("caught-up")


def check(events: list[dict], acknowledged: dict[str, dict]) -> None:
    assert [int(event["eventnumber"]) for event in events] == list(range(1, len(events) + 1))
    streams: dict[str, list[dict]] = {}
    for event in events:
        streams.setdefault(event["stream"], []).append(event)
    for name, stream in streams.items():
        assert versions({"events": stream}) == list(range(1, len(stream) + 1)), name
    keys = [event["data"] for event in streams["common"]]
    assert len(set(keys)) == len(keys), "an append is there twice"
    assert len(events) == TOGETHER * len(keys), "half of an append is there"
    by_key = {event["data"]: event for event in streams["common"]}
    for key, reply in acknowledged.items():
        assert int(by_key[key]["eventnumber"]) == reply["last"], key


def killed_under_load(server, round_: int) -> dict[str, dict]:
    """What was acknowledged before the kill; the nap is the load's time to run."""
    writers = [Writer(server.url, f"w{n}", round_ * 10**6) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(0.5)
    server.kill()
    for writer in writers:
        writer.join(20)
        assert not writer.is_alive()
    return {key: reply for writer in writers for key, reply in writer.acknowledged.items()}


def test_what_was_acknowledged_survives_kill_9(own_server):
    api = Native(own_server.url)
    acknowledged: dict[str, dict] = {}
    for round_ in range(ROUNDS):
        acknowledged |= killed_under_load(own_server, round_)
        own_server.start()
        events = everything(api)
        check(events, acknowledged)
    assert len(acknowledged) > 100, "hardly any load"
    # A repeat after the crash is answered as the append was.
    key, reply = list(acknowledged.items())[-1]
    again = api.appended({"type": "t"}, **{"Idempotency-Key": key})
    assert again == reply | {"again": True}
    # The index is made again out of the log when it is gone.
    assert own_server.stop() == 0
    shutil.rmtree(own_server.data / "events")
    own_server.start()
    assert everything(api) == events
    assert numbers(api.stream("common", limit=50)) == [
        int(event["eventnumber"]) for event in events if event["stream"] == "common"
    ][:50]
    assert api.appended({"type": "t"}, **{"Idempotency-Key": key}) == reply | {"again": True}
    own_server.assert_alive()


class InMemory(Server):
    """A server that keeps nothing, and so has no directory."""

    def command(self) -> list:
        arguments = ["--durability", "memory", "--listen", "127.0.0.1:0", "--ready-file", self.ready_file]
        return [BINARY, "up", *arguments]


def test_the_same_without_a_disk(tmp_path):
    server = InMemory(tmp_path / "memory").start()
    try:
        api = Native(server.url)
        events = [{"type": "t", "tags": ["x"]}, {"type": "u"}]
        first = api.appended(events, "a", **{"Expected-Version": "empty"})
        assert first == {"first": 1, "last": 2, "again": False, "streams": {"a": 2}}
        assert numbers(api.read(tag="x")) == [1] and versions(api.stream("a")) == [1, 2]
        assert server.stop() == 0
        assert sorted(path.name for path in server.folder.iterdir()) == ["ready.json", "server.log"]
    finally:
        if server.running():
            server.kill()


def test_without_its_index_events_say_why_and_queues_work(own_server):
    assert Native(own_server.url).append({"type": "t"}).status == 200
    assert own_server.stop() == 0
    folder = own_server.data / "events"
    shutil.rmtree(folder)
    folder.write_text("in the way")
    own_server.start()
    unavailable = problem(Native(own_server.url).call("GET", "/v1/events"), 503, "unavailable")
    assert "index could not be opened" in unavailable["detail"]
    assert "events cannot be served" in own_server.log.read_text()
    sqs = Face(own_server.url)
    url = sqs.queue()
    sqs.send(url, "hello")
    assert own_server.stop() == 0
    folder.unlink()
    own_server.start()
    assert len(Native(own_server.url).read()["events"]) == 1
