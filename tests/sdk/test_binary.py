"""The command line: what it prints, what it refuses, and each of the three durability words."""

import json
import os
import subprocess
import sys

import pytest
from harness.face import Face, bodies
from harness.server import BINARY, Server, require_binary


def lineside(*arguments: str) -> subprocess.CompletedProcess:
    require_binary()
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=20)


def test_env_is_all_that_an_sdk_needs(own_server):
    """An SDK that is told nothing but these variables finds the server."""
    printed = lineside("env", "--listen", f"127.0.0.1:{own_server.port}", "--json")
    assert printed.returncode == 0
    script = "import boto3; print(boto3.client('sqs').create_queue(QueueName='from-env')['QueueUrl'])"
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    found = subprocess.run(
        [sys.executable, "-c", script], env=plain | json.loads(printed.stdout), capture_output=True, text=True
    )
    assert found.stdout.strip().endswith("/from-env"), found.stderr


def test_env_for_a_shell_says_the_same():
    shell = lineside("env").stdout
    said = dict(line.removeprefix("export ").split("=", 1) for line in shell.splitlines())
    assert said == json.loads(lineside("env", "--json").stdout)
    assert said["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


@pytest.mark.parametrize("durability", ["commit", "interval=50"])
def test_what_was_sent_is_there_after_a_clean_end(tmp_path, durability):
    server = Server(tmp_path, "--durability", durability).start()
    url = Face(server.url).queue()
    Face(server.url).send(url, "kept")
    assert server.stop() == 0
    assert f"durability {durability}" in server.tail()
    server.start()
    assert bodies(Face(server.url).receive(url)) == ["kept"]
    assert server.stop() == 0


def test_memory_keeps_nothing_and_says_so(tmp_path):
    require_binary()
    ready = tmp_path / "ready.json"
    arguments = ["up", "--listen", "127.0.0.1:0", "--durability", "memory", "--ready-file", ready]
    with subprocess.Popen([BINARY, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.readline() + process.stderr.readline()
        assert "durability memory, data nowhere" in said
        sqs = Face(said.split()[3])
        url = sqs.queue()
        sqs.send(url, "x")
        assert bodies(sqs.receive(url)) == ["x"]
        process.terminate()
        assert process.wait(20) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--durability", "sometimes"], "commit"),
        (["--durability", "interval=0"], "interval"),
        (["--durability", "memory", "--data", "x"], "keeps nothing"),
        (["--listen", "0.0.0.0:0"], "--insecure"),
        (["--listen", "nowhere"], "invalid"),
        (["--clock", "sundial"], "steerable"),
    ],
)
def test_a_wrong_option_is_refused_with_the_way_out(tmp_path, arguments, says):
    refused = subprocess.run([BINARY, "up", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert refused.returncode != 0
    assert says in refused.stderr
    assert list(tmp_path.iterdir()) == []
