"""Those who wait and those who say nothing: ten thousand idle connections, a thousand long polls."""

import os
import resource
import selectors
import socket
import time
from contextlib import contextmanager

import pytest
from harness import wire
from harness.server import Server, require_binary

CONNECTIONS = 10_000
BESIDE = 500  # descriptors that a process has beside them
EACH = 24 * 1024  # bytes that the server may keep for one of them; 17.4 KB were measured
SERVED_WITHIN = 1.0  # seconds for a call while they are there
PATIENCE = 15.0  # seconds that the server has for a request's head, and then for its body
POLLERS = 1000

HALF_A_HEAD = wire.request(b"{}")[:100]
HALF_A_BODY = wire.request(b"{}" + b" " * 98)[:-50]


@contextmanager
def descriptors(wanted: int):
    """The soft limit of this process, and of servers that are started meanwhile."""
    before = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"NOT TESTED: {wanted} descriptors are needed and RLIMIT_NOFILE's hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def started(folder, *limits: str):
    """A server of this test; `limits` are arguments of the shell's `ulimit`."""
    require_binary()
    server = Server(folder / "server", limits=limits).start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def connected(server, count: int):
    """So many connections, opened faster than one after the other, and closed in the end."""
    sockets = []
    try:
        for _ in range(count):
            one = socket.socket()
            sockets.append(one)
            one.setblocking(False)
            one.connect_ex(wire.address(server.url))
            if len(sockets) % 256 == 0:
                wait_connected(sockets[-256:])
        wait_connected(sockets[-256:])
        yield sockets
    finally:
        for one in sockets:
            one.close()


def wait_connected(sockets) -> None:
    """Fewer than the server's backlog are on their way, so none is lost and tried again a second later."""
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one, selectors.EVENT_WRITE)
        deadline = time.monotonic() + 30
        while selector.get_map():
            assert time.monotonic() < deadline, "connections are not accepted"
            for key, _ in selector.select(1.0):
                selector.unregister(key.fileobj)


def open_files(server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def wait_for_files(server, wanted, within: float) -> int:
    """The number of the server's descriptors, as soon as it is as wanted; nothing tells of it, hence the naps."""
    deadline = time.monotonic() + within
    while not wanted(found := open_files(server)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def work(line: wire.Line, url: str) -> float:
    """Sends, receives and deletes; the seconds of the slowest of the three."""
    slowest = 0.0

    def timed(operation: str, **body) -> dict:
        nonlocal slowest
        begun = time.monotonic()
        answer = line.call(operation, {"QueueUrl": url, **body})
        slowest = max(slowest, time.monotonic() - begun)
        return answer

    timed("SendMessage", MessageBody="meanwhile")
    (message,) = timed("ReceiveMessage")["Messages"]
    assert message["Body"] == "meanwhile"
    timed("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
    return slowest


def test_ten_thousand_idle_connections(tmp_path):
    """Half say nothing; a quarter stops within a head, a quarter within a body. The server is started with a
    thousand descriptors, as shells give them, and must see to it that it has enough."""
    with descriptors(CONNECTIONS + BESIDE), started(tmp_path, "-S", "-n", "1024") as server:
        line = wire.Line(server.url)
        url = line.call("CreateQueue", {"QueueName": "meanwhile"})["QueueUrl"]
        work(line, url)
        files, memory = open_files(server), server.resident_bytes()
        with connected(server, CONNECTIONS) as idle:
            for one in idle[::4]:
                one.sendall(HALF_A_HEAD)
            for one in idle[1::4]:
                one.sendall(HALF_A_BODY)
            there = wait_for_files(server, lambda found: found >= files + CONNECTIONS, within=PATIENCE / 2)
            assert there >= files + CONNECTIONS
            for _ in range(20):
                assert work(line, url) < SERVED_WITHIN
                fresh = wire.Line(server.url)
                assert work(fresh, url) < SERVED_WITHIN
                fresh.close()
            assert (server.resident_bytes() - memory) / CONNECTIONS < EACH
            # Half of them go by themselves; the others the server sends away, when its patience ends.
            for one in idle[: CONNECTIONS // 2]:
                one.close()
            left = wait_for_files(server, lambda found: found <= files, within=PATIENCE + 5)
            assert left <= files
        assert work(wire.Line(server.url), url) < SERVED_WITHIN
        server.assert_alive()
        assert server.stop() == 0


def test_connections_never_take_the_logs_last_descriptor(tmp_path):
    """More of them than the process may have descriptors; the log opens files meanwhile."""
    with started(tmp_path, "-n", "128") as server:
        line = wire.Line(server.url)
        url = line.call("CreateQueue", {"QueueName": "meanwhile"})["QueueUrl"]
        with connected(server, 300):
            segments = {path.name for path in server.data.glob("*.segment")}
            while {path.name for path in server.data.glob("*.segment")} == segments:
                line.call("SendMessage", {"QueueUrl": url, "MessageBody": "x" * 1_000_000})
        server.assert_alive()
        assert server.stop() == 0


def test_a_descriptor_limit_is_kept_and_the_others_wait_their_turn(tmp_path):
    with started(tmp_path, "-n", "128") as server:
        files = open_files(server)
        with connected(server, 300):
            # Which of them are served, the server's room decides; the log's share stays free.
            taken = wait_for_files(server, lambda found: found >= files + 64, within=5)
            assert files + 64 <= taken <= 100
        assert wire.call(server.url, "ListQueues", {}).status == 200


# Long polls


def polling(url: str, **more) -> bytes:
    body = b'{"QueueUrl": "%s", "WaitTimeSeconds": 20}' % url.encode()
    return wire.request(body, "AmazonSQS.ReceiveMessage")


def answered(sockets, at_least: int) -> list:
    """Those with an answer, as soon as there are so many."""
    found = []
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one, selectors.EVENT_READ)
        while len(found) < at_least and (ready := selector.select(timeout=10)):
            for key, _ in ready:
                selector.unregister(key.fileobj)
                found.append(key.fileobj)
    return found


def received(connection: socket.socket) -> str:
    """The body of the one message of an answer."""
    connection.setblocking(True)
    (message,) = wire.read(connection).json["Messages"]
    return message["Body"]


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_one_message_wakes_one_of_a_thousand_pollers_and_leaves_the_others(own_server, fifo):
    """The others are neither served nor sent away: each gets one of the 999 messages that follow."""
    line = wire.Line(own_server.url)
    kind = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
    created = {"QueueName": "polled.fifo" if fifo else "polled", "Attributes": kind}
    url = line.call("CreateQueue", created)["QueueUrl"]

    def send(number: int) -> None:
        group = {"MessageGroupId": str(number)} if fifo else {}
        line.call("SendMessage", {"QueueUrl": url, "MessageBody": str(number), **group})

    with connected(own_server, POLLERS) as pollers:
        for poller in pollers:
            poller.sendall(polling(url))
        # A call on each connection's heels would not prove that it waits; who comes late is served, too.
        own_server.health()
        send(0)
        (first,) = answered(pollers, 1)
        assert received(first) == "0"
        # Whatever the message set going has come to rest behind a write of another kind.
        line.call("SetQueueAttributes", {"QueueUrl": url, "Attributes": {"DelaySeconds": "0"}})
        others = [poller for poller in pollers if poller is not first]
        assert not ready_now(others)
        for number in range(1, POLLERS):
            send(number)
        assert len(answered(others, len(others))) == len(others)
        assert {received(poller) for poller in others} == {str(number) for number in range(1, POLLERS)}
        assert not ready_now([first])
    own_server.assert_alive()


def ready_now(sockets) -> list:
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one, selectors.EVENT_READ)
        return selector.select(timeout=0)
