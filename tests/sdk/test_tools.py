"""The tools for a data directory: verify, repair, log, backup and restore."""

import json
import re
import subprocess
import threading
import time
import urllib.error

import pytest
from botocore.exceptions import ClientError
from harness.face import Face, bodies
from harness.server import BINARY, READY_WITHIN, Server, require_binary


def tool(*arguments) -> tuple[int, str, str]:
    require_binary()
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def stopped(tmp_path):
    """A directory with twenty messages, and the URL of their queue."""
    server = Server(tmp_path / "own").start()
    sqs = Face(server.url)
    url = sqs.queue()
    for number in range(20):
        sqs.send(url, f"message {number}")
    assert server.stop() == 0
    yield server, url
    if server.running():
        server.kill()


def segment(server: Server):
    return next(server.data.glob("*.segment"))


def flip(path, needle: bytes) -> None:
    """Damages one byte of the first place where the file holds this."""
    content = bytearray(path.read_bytes())
    content[content.index(needle)] ^= 1
    path.write_bytes(content)


def received(server: Server, url: str) -> list[str]:
    sqs, found = Face(server.url), []
    while messages := sqs.receive(url):
        found += bodies(messages)
    return found


def test_a_sound_directory_is_sound_and_is_left_as_it_is(stopped):
    server, _ = stopped
    before = segment(server).read_bytes()
    status, said, _ = tool("verify", server.data)
    assert status == 0 and said.endswith("sound\n"), said
    told = json.loads(tool("verify", server.data, "--json")[1])
    assert told["sound"] and told["bodies"] == 20 and told["findings"] == []
    assert tool("repair", server.data)[:2] == (0, "nothing to repair\n")
    assert segment(server).read_bytes() == before


def test_a_damaged_body_is_named_and_costs_its_message(stopped):
    server, url = stopped
    flip(segment(server), b"message 7")
    status, said, _ = tool("verify", server.data, "--json")
    assert status == 1
    (finding,) = json.loads(said)["findings"]
    assert finding["file"].endswith(".segment") and "message" in finding["cost"]
    server.start()
    sqs = Face(server.url)
    with pytest.raises(Exception, match="damaged"):
        sqs.receive(url)
    assert server.health() == {"live": True, "ready": True}
    assert server.stop() == 0


def test_damaged_facts_are_repaired_first_dry_then_really(stopped):
    server, url = stopped
    content = segment(server).read_bytes()
    # A byte of a batch in the middle: its head begins with these four.
    batches = [n for n in range(len(content) - 4) if content[n : n + 4] == b"LSBA"]
    at = batches[len(batches) // 2]
    damaged = bytearray(content)
    damaged[at + 20] ^= 1
    segment(server).write_bytes(damaged)
    status, said, _ = tool("verify", server.data)
    assert status == 1 and "DAMAGED" in said
    status, said, _ = tool("repair", server.data)
    assert status == 1 and "--apply" in said
    assert segment(server).read_bytes() == bytes(damaged), "a dry run changes nothing"
    status, said, _ = tool("repair", server.data, "--apply")
    assert status == 0, said
    assert "accepted as lost" in tool("verify", server.data)[1]
    server.start()
    found = received(server, url)
    assert len(found) >= 18 and set(found) < {f"message {number}" for number in range(20)}
    assert server.stop() == 0


def read_only(server: Server) -> dict:
    """What health says once it says why the server will not become ready."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and "work beside" not in server.tail():
        assert server.running(), server.tail()
        time.sleep(0.01)
    server.url = re.findall(r"listening on (http://\S+)", server.tail())[-1]
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.health()
    assert refused.value.code == 503
    return json.load(refused.value)


def refusal(call, *arguments, **given) -> dict:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **given)
    return refused.value.response


def test_damaged_facts_leave_a_server_that_is_read_beside_the_tools(stopped):
    server, url = stopped
    server.start()
    handed_out = Face(server.url).receive_one(url)
    assert server.stop() == 0
    content = bytearray(segment(server).read_bytes())
    batches = [n for n in range(len(content) - 4) if content[n : n + 4] == b"LSBA"]
    # The last messages; what was written at the second start is behind the damage.
    content[batches[len(batches) - 8] + 20] ^= 1
    segment(server).write_bytes(content)

    server.spawn()
    told = read_only(server)
    assert (told["live"], told["ready"]) == (True, False)
    assert ".segment, byte" in told["read_only"] and "lineside repair" in told["read_only"]
    assert "OPEN FOR READING ONLY: the log is damaged at" in server.tail()
    assert not server.ready_file.exists()
    sqs = Face(server.url)
    name = url.rsplit("/", 1)[1]
    assert [listed.rsplit("/", 1)[1] for listed in sqs.client.list_queues()["QueueUrls"]] == [name]
    there = sum(sqs.counts(url))
    assert 10 < there < 20
    for call, given in [
        (sqs.client.send_message, {"MessageBody": "new"}),
        (sqs.client.receive_message, {"WaitTimeSeconds": 20}),
        (sqs.client.delete_message, {"ReceiptHandle": handed_out["ReceiptHandle"]}),
        (sqs.client.purge_queue, {}),
    ]:
        began = time.monotonic()
        response = refusal(call, QueueUrl=url, **given)
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert "open for reading only" in response["Error"]["Message"], response
        assert "lineside repair" in response["Error"]["Message"], response
        assert time.monotonic() - began < 5, "nobody waits for what cannot come"
    before = segment(server).read_bytes()
    assert tool("verify", server.data)[0] == 1
    status, lines, _ = tool("log", server.data)
    assert status == 0 and sum("Sent" in line for line in lines.splitlines()) >= there
    assert "in use" in tool("repair", server.data, "--apply")[2]
    assert "in use" in tool("up", "--data", server.data, "--listen", "127.0.0.1:0")[2]
    assert server.stop() == 0
    assert segment(server).read_bytes() == before

    assert tool("repair", server.data, "--apply")[0] == 0
    server.start()
    server.assert_alive()
    sqs = Face(server.url)
    sqs.send(url, "after")
    found = received(server, url)
    assert "after" in found and len(found) >= there
    assert server.stop() == 0


def test_the_log_is_one_json_object_a_line(stopped):
    server, _ = stopped
    status, said, _ = tool("log", server.data)
    lines = [json.loads(line) for line in said.splitlines()]
    assert status == 0
    assert [line["position"] for line in lines] == list(range(len(lines)))
    assert sum("Sent" in fact for line in lines for fact in line["facts"]) == 20
    later = [json.loads(line) for line in tool("log", server.data, "--from", "5")[1].splitlines()]
    assert later == lines[5:]


def test_a_directory_in_use_or_misspelt_is_left_alone(own_server, tmp_path):
    assert "in use" in tool("verify", own_server.data)[2]
    missing = tmp_path / "misspelt"
    for command in ("verify", "repair", "log"):
        status, _, said = tool(command, missing)
        assert status != 0 and "misspelt" in said
    assert not missing.exists()


def test_a_backup_taken_under_load_restores_to_a_prefix(own_server, tmp_path):
    sqs = Face(own_server.url)
    url = sqs.queue()
    stop, sent = threading.Event(), []

    def send() -> None:
        own = Face(own_server.url)
        while not stop.is_set():
            own.send(url, str(len(sent)))
            sent.append(len(sent))

    sender = threading.Thread(target=send)
    sender.start()
    while len(sent) < 200:
        stop.wait(0.01)
    before = len(sent)
    status, said, why = tool("backup", tmp_path / "copy", "--listen", own_server.url[7:], "--json")
    after = len(sent) + 1
    stop.set()
    sender.join()
    assert status == 0, why
    assert json.loads(said)["segments"] >= 1
    other = Server(tmp_path / "other")
    assert tool("restore", tmp_path / "copy", other.data)[0] == 0
    other.start()
    counted = Face(other.url).counts(url.replace(own_server.url, other.url))
    assert before <= counted[0] <= after, (before, counted, after)
    assert other.stop() == 0


def test_a_backup_goes_into_a_new_directory_only(own_server, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    status, _, said = tool("backup", tmp_path / "full", "--listen", own_server.url[7:])
    assert status != 0 and "empty" in said
    assert (tmp_path / "full" / "file").read_text() == "mine"
