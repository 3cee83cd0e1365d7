"""Listening in under 100 ms, idle in under 50 MiB, ready only when the log works, and a clean end."""

import json
import socket
import statistics
import time

from harness import wire
from harness.face import Face, bodies
from harness.parked import Parked
from harness.server import Server, require_binary

MIB = 1024 * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def milliseconds_until_connected(server: Server) -> float:
    """From exec until a connection is accepted. Nothing announces it, so it is tried again and again."""
    started = time.perf_counter()
    server.spawn()
    while True:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
            return (time.perf_counter() - started) * 1000
        except ConnectionRefusedError:
            assert server.running() and time.perf_counter() - started < 10, server.tail()
            time.sleep(0.0005)


def test_it_listens_within_100_ms(tmp_path):
    require_binary()
    spans = []
    for n in range(5):
        server = Server(tmp_path / str(n), port=free_port())
        spans.append(milliseconds_until_connected(server))
        server.wait_ready()
        assert server.stop() == 0
    print("milliseconds until connect() succeeds:", [round(span, 1) for span in spans])
    assert statistics.median(spans) < 100


def test_it_listens_within_100_ms_on_a_directory_with_messages(own_server):
    url = Face(own_server.url).queue()
    line = wire.Line(own_server.url)
    entries = [{"Id": str(n), "MessageBody": "x" * 100} for n in range(10)]
    for _ in range(500):
        line.call("SendMessageBatch", {"QueueUrl": url, "Entries": entries})
    own_server.kill()
    span = milliseconds_until_connected(own_server)
    own_server.wait_ready()
    print(f"milliseconds until connect() succeeds with 5,000 messages: {span:.1f}")
    assert span < 100
    assert Face(own_server.url).counts(url)[0] == 5000


def test_idle_it_takes_less_than_50_mib(own_server):
    own_server.health()
    resident = own_server.resident_bytes()
    print(f"resident when idle: {resident / MIB:.1f} MiB")
    assert resident < 50 * MIB


def test_health(own_server):
    answer = wire.exchange(own_server.url, b"GET /_lineside/health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer.status, answer.json) == (200, {"live": True, "ready": True})


def test_the_ready_file(own_server):
    ready = json.loads(own_server.ready_file.read_text())
    assert ready["pid"] == own_server.process.pid
    assert ready["endpoints"]["aws"] == f"http://127.0.0.1:{own_server.port}"


def test_what_was_acknowledged_is_there_after_sigterm_and_after_sigkill(own_server):
    sqs = Face(own_server.url)
    url = sqs.queue()
    sqs.send(url, "before sigterm")
    assert own_server.stop() == 0
    sqs = Face(own_server.start().url)
    sqs.send(url, "before sigkill")
    own_server.kill()
    sqs = Face(own_server.start().url)
    assert sorted(bodies(sqs.receive(url))) == ["before sigkill", "before sigterm"]


def test_sigterm_does_not_wait_for_long_polls(own_server):
    sqs = Face(own_server.url)
    url = sqs.queue()

    def poll():
        try:
            return sqs.receive(url, WaitTimeSeconds=20)
        except Exception as failure:  # an empty answer and a closed connection are both fair
            return failure

    parked = Parked(poll)
    started = time.monotonic()
    assert own_server.stop() == 0
    assert time.monotonic() - started < 5
    parked.result(5)


def test_two_servers_on_one_directory(own_server):
    second = Server(own_server.folder)
    second.ready_file = own_server.folder / "second.json"
    second.spawn()
    assert second.wait(10) != 0
    own_server.assert_alive()


def test_a_port_that_is_taken(own_server, tmp_path):
    second = Server(tmp_path / "second", port=own_server.port)
    second.spawn()
    assert second.wait(10) != 0
    own_server.assert_alive()
