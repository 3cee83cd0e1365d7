"""The configuration: file, environment and flags, declared queues, `config`, `doctor`, and what a shell is told."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from harness import wire
from harness.face import Face, bodies, refused
from harness.server import BINARY, READY_WITHIN, ROOT, Server, require_binary

KEY = "hush-hush/secret+key="


def run(folder, *arguments, **variables) -> subprocess.CompletedProcess:
    """The binary in a directory, with none of our variables but these."""
    require_binary()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    return subprocess.run(
        [BINARY, *map(str, arguments)], cwd=folder, env=clean | variables, capture_output=True, text=True, timeout=60
    )


def write(folder, text: str, name: str = "lineside.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def effective(folder, *arguments, **variables) -> dict:
    """What `lineside config --json` says: key -> (value, who said so)."""
    printed = run(folder, "config", "--json", *arguments, **variables)
    assert printed.returncode == 0, printed.stderr
    return {row["key"]: (row["value"], row["from"]["kind"]) for row in json.loads(printed.stdout)["values"]}


def start(folder, text: str, *arguments) -> Server:
    """A server with this file."""
    require_binary()
    return Server(folder, "--config", write(folder, text), *arguments).start()


def described(server: Server, name: str) -> dict:
    face = Face(server.url)
    return face.attributes(face.client.get_queue_url(QueueName=name)["QueueUrl"])


# Which says it most strongly


def test_flag_before_variable_before_file_before_default(tmp_path):
    write(tmp_path, "inbox_requests: 10\nlimits: relaxed\nclock: steerable\n")
    said = effective(tmp_path, "--inbox-requests", "30", LINESIDE_INBOX_REQUESTS="20", LINESIDE_LIMITS="cloud")
    assert said["inbox_requests"] == (30, "flag")
    assert said["limits"] == ("cloud", "environment")
    assert said["clock"] == ("steerable", "file")
    assert said["listen"] == ("127.0.0.1:4566", "default")
    assert effective(tmp_path, LINESIDE_INBOX_REQUESTS="20")["inbox_requests"] == (20, "environment")


def test_the_file_in_the_working_directory_is_read_and_another_only_if_named(tmp_path):
    write(tmp_path, "inbox_requests: 10\n")
    other = write(tmp_path, "inbox_requests: 11\n", "other.yaml")
    assert effective(tmp_path)["inbox_requests"] == (10, "file")
    assert effective(tmp_path, "--config", other)["inbox_requests"] == (11, "file")
    assert effective(tmp_path, LINESIDE_CONFIG="other.yaml")["inbox_requests"] == (11, "file")
    assert effective(tmp_path / "..")["inbox_requests"] == (8192, "default")


def test_a_server_is_what_its_file_says(tmp_path):
    text = "listen: 127.0.0.1:0\ndata: ./kept\ndurability: interval=50\nready_file: ./ready.json\n"
    write(tmp_path, text)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    require_binary()
    with subprocess.Popen([BINARY, "up"], cwd=tmp_path, env=clean, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.readline() + process.stderr.readline()
        process.terminate()
        assert process.wait(20) == 0
    assert "durability interval=50, data ./kept" in said, said
    assert (tmp_path / "kept/lock").exists()


# What is wrong with a file


@pytest.mark.parametrize("command", ["up", "config", "doctor"])
def test_an_unknown_key_is_refused_with_its_place_and_the_nearest_known(tmp_path, command):
    write(tmp_path, "data: ./d\nqueues:\n  - name: a\n    visibilty_seconds: 3\n")
    told = run(tmp_path, command)
    assert told.returncode == 1
    says = 'lineside.yaml:4:5: queues[0]: the key "visibilty_seconds" is not known; did you mean `visibility_seconds`?'
    assert says in told.stderr + told.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["lineside.yaml"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("listn: x\n", '1:1: the key "listn" is not known; did you mean `listen`?'),
        ("limits: some\n", '1:9: limits: "some" is not allowed: it is `cloud` or `relaxed`'),
        ("inbox_requests: 3\n", "1:17: inbox_requests: \"3\" is not allowed: it is a whole number from 4 to 1000000"),
        ('inbox_requests: "64"\n', "write it without quotes"),
        ("listen: [1]\n", "1:9: listen: this is a list"),
        ("data:\n", "data: the key has no value"),
        ("a: &x 1\n", "1:4: anchors (`&name`) are not taken"),
        ("data: x\ndata: y\n", '2:1: "data" is here a second time, after line 1'),
        ("data: x\n---\ndata: y\n", "2:1: a second document"),
        ("data: [\n", "this is no YAML"),
        ("a: " + "[" * 500 + "\n", "lineside.yaml:1:"),
        ("# " + "x" * (1 << 20) + "\n", "more than 1048576 bytes"),
        ("data: d\ndurability: memory\n", "keeps nothing"),
        ("auth: {mode: sigv4}\n", "there are no keys"),
        ("queues:\n- name: a\n- name: a\n", "3:3: the queue `a` is declared on line 2 already"),
        ("queues:\n- {name: a, fifo: true}\n", "2:19: a: the name of a FIFO queue"),
        ("queues:\n- {name: a, wait_seconds: 21}\n", "2:27: queues[0].wait_seconds"),
        ("queues:\n- {name: a, dead_letter: {queue: b.fifo, max_receives: 1}}\n", "2:34: a: a FIFO queue's"),
        ("queues:\n- {name: a, dead_letter: {queue: b}}\n", "`max_receives` is missing"),
        ("queues:\n- {name: 'no spaces'}\n", "letters, digits, hyphens"),
        ("auth: {keys: [{id: A}]}\n", "`secret` is missing"),
    ],
)
def test_a_mistake_stops_the_start_with_a_sentence(tmp_path, text, says):
    write(tmp_path, text)
    told = run(tmp_path, "up", "--listen", "127.0.0.1:0")
    assert told.returncode == 1
    assert says in told.stderr, told.stderr
    assert "panicked" not in told.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lineside.yaml"]


def test_every_mistake_is_told_at_once(tmp_path):
    write(tmp_path, "a: 1\nlimits: none\nclock: 5\n")
    told = run(tmp_path, "up").stderr.splitlines()
    assert [line.split("lineside.yaml:")[1].split(":")[0] for line in told] == ["1", "2", "3"]


def test_a_file_that_is_named_must_be_there_and_be_text(tmp_path):
    told = run(tmp_path, "up", "--config", "none.yaml")
    assert told.returncode == 1 and "none.yaml cannot be read" in told.stderr
    (tmp_path / "bad.yaml").write_bytes(b"data: x\n\xff: y\n")
    told = run(tmp_path, "up", "--config", "bad.yaml")
    assert told.returncode == 1 and "bad.yaml:2: this is not UTF-8" in told.stderr
    told = run(tmp_path, "up", "--config", ".")
    assert told.returncode == 1 and "cannot be read" in told.stderr


def test_a_wrong_variable_is_refused_by_its_name_and_a_near_one_is_worth_a_word(tmp_path):
    told = run(tmp_path, "up", LINESIDE_LISTEN="nowhere")
    assert told.returncode == 1 and 'LINESIDE_LISTEN: "nowhere" is no address' in told.stderr
    told = run(tmp_path, "config", LINESIDE_LISTN="127.0.0.1:1")
    assert told.returncode == 0 and "did you mean LINESIDE_LISTEN?" in told.stderr


def test_signatures_without_keys_are_refused(tmp_path):
    told = run(tmp_path, "up", "--auth", "sigv4", "--listen", "127.0.0.1:0")
    assert told.returncode == 1 and "there are no keys" in told.stderr


# Declared queues


DECLARED = """
queues:
  - name: jobs
    visibility_seconds: 45
    delay_seconds: 1
    retention_seconds: 7200
    max_message_bytes: 2048
    wait_seconds: 2
    dead_letter: {queue: jobs-dead, max_receives: 3}
    tags: {team: shop, "007": "yes"}
  - name: jobs-dead
    dead_letter_sources: [jobs]
  - name: pay.fifo
    fifo: true
    content_deduplication: true
    deduplication_scope: group
    throughput_limit: group
  - name: far
    account: "123456789012"
    region: eu-west-1
"""


def test_declared_queues_are_there_when_the_server_is_ready(tmp_path):
    server = start(tmp_path, DECLARED)
    jobs = described(server, "jobs")
    wanted = {
        "VisibilityTimeout": "45",
        "DelaySeconds": "1",
        "MessageRetentionPeriod": "7200",
        "MaximumMessageSize": "2048",
        "ReceiveMessageWaitTimeSeconds": "2",
    }
    assert wanted.items() <= jobs.items()
    rule = json.loads(jobs["RedrivePolicy"])
    assert rule["deadLetterTargetArn"] == "arn:aws:sqs:us-east-1:000000000000:jobs-dead"
    assert int(rule["maxReceiveCount"]) == 3
    assert described(server, "pay.fifo")["ContentBasedDeduplication"] == "true"
    assert "queues: 4 declared, 4 of them made now" in server.tail()
    assert server.stop() == 0


def test_a_declared_queue_works_from_the_first_request_on(tmp_path):
    """The port is open before the queues are there; who comes early waits for them."""
    write(tmp_path, "queues:\n" + "".join(f"  - name: q{number}\n" for number in range(3000)))
    require_binary()
    arguments = ["up", "--config", tmp_path / "lineside.yaml", "--listen", "127.0.0.1:0", "--data", tmp_path / "data"]
    with subprocess.Popen([BINARY, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        # By hand, since an SDK takes longer to be loaded than the queues to be made. The last is made last.
        found = wire.call(process.stderr.readline().split()[3], "GetQueueUrl", {"QueueName": "q2999"})
        process.terminate()
        assert process.wait(20) == 0
    assert found.status == 200, found


def test_declared_again_they_keep_what_they_hold_and_nothing_is_said_to_change(tmp_path):
    server = start(tmp_path, DECLARED)
    face = Face(server.url)
    url = face.client.get_queue_url(QueueName="jobs-dead")["QueueUrl"]
    face.send(url, "kept")
    before = described(server, "jobs")["LastModifiedTimestamp"]
    assert server.stop() == 0
    server.start()
    assert bodies(Face(server.url).receive(url)) == ["kept"]
    assert "queues: 4 declared, 0 of them made now" in server.tail()
    assert "changed to what the file says" not in server.tail()
    assert described(server, "jobs")["LastModifiedTimestamp"] == before
    assert server.stop() == 0


def test_a_queue_that_is_set_otherwise_is_changed_and_it_is_said(tmp_path):
    server = start(tmp_path, DECLARED)
    face = Face(server.url)
    url = face.client.get_queue_url(QueueName="jobs")["QueueUrl"]
    face.set(url, VisibilityTimeout="7", MessageRetentionPeriod="60")
    assert server.stop() == 0
    less = "queues:\n  - {name: jobs, visibility_seconds: 8, dead_letter: none}\n"
    write(tmp_path, less)
    server.start()
    jobs = described(server, "jobs")
    # What the file leaves out stays as it is.
    assert (jobs["VisibilityTimeout"], jobs["MessageRetentionPeriod"], jobs["DelaySeconds"]) == ("8", "60", "1")
    assert "RedrivePolicy" not in jobs
    assert "queue jobs changed to what the file says: visibility_seconds 7 -> 8" in server.tail()
    assert "dead_letter jobs-dead after 3 receives -> none" in server.tail()
    # A queue that is taken out of the file stays.
    assert described(server, "jobs-dead")["QueueArn"].endswith(":jobs-dead")
    assert server.stop() == 0


def test_a_dead_letter_queue_that_is_declared_later_takes_dead_letters(tmp_path):
    text = "queues:\n  - {name: a, visibility_seconds: 0, dead_letter: {queue: b, max_receives: 1}}\n  - name: b\n"
    server = start(tmp_path, text)
    face = Face(server.url)
    first, second = (face.client.get_queue_url(QueueName=name)["QueueUrl"] for name in "ab")
    face.send(first, "poison")
    assert bodies(face.receive(first)) == ["poison"]
    assert face.receive(first) == []
    assert bodies(face.receive(second)) == ["poison"]
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("queues", "says"),
    [
        ("- {name: a, dead_letter: {queue: nowhere, max_receives: 1}}\n", ":2:34: there is no queue nowhere"),
        (
            "- {name: a, dead_letter: {queue: b, max_receives: 1}}\n- {name: b, dead_letter_sources: none}\n",
            ":2:34: the queue b does not take this queue's dead letters",
        ),
    ],
)
def test_what_only_the_log_can_tell_to_be_a_mistake_stops_the_start_too(tmp_path, queues, says):
    write(tmp_path, "queues:\n" + queues)
    told = run(tmp_path, "up", "--listen", "127.0.0.1:0", "--ready-file", "ready.json")
    assert told.returncode == 1
    assert f"lineside.yaml{says}" in told.stderr, told.stderr
    assert not (tmp_path / "ready.json").exists()


def test_a_damaged_log_is_served_for_reading_although_queues_are_declared(tmp_path):
    server = start(tmp_path, DECLARED)
    assert server.stop() == 0
    flip(server, b"queue/pay.fifo")
    server.port = free_port()
    server.url = f"http://127.0.0.1:{server.port}"
    server.spawn()
    assert "read_only" in health_when(server, lambda told: "read_only" in told)
    # Its one batch of four queues is what is damaged: there is none, and that is an answer.
    assert Face(server.url).client.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert server.stop() == 0


def flip(server: Server, needle: bytes) -> None:
    """Damages one byte of the first place of the log that holds this."""
    path = next(server.data.glob("*.segment"))
    content = bytearray(path.read_bytes())
    content[content.index(needle)] ^= 1
    path.write_bytes(content)


def health(server: Server) -> dict:
    """Whatever its status: one that is not ready says so with 503."""
    with wire.dial(server.url) as connection:
        connection.sendall(b"GET /_lineside/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return wire.read(connection).json


def health_when(server: Server, fits) -> dict:
    """What the server says of its health when that fits; it tells of no change, hence the short naps."""
    deadline = time.monotonic() + READY_WITHIN
    told = {}
    while time.monotonic() < deadline:
        assert server.running(), server.tail()
        try:
            told = health(server)
        except ConnectionError:
            pass
        if fits(told):
            return told
        time.sleep(0.01)
    raise AssertionError(f"{told}\n{server.tail()}")


def test_an_account_and_a_region_are_worlds_of_their_own(tmp_path):
    server = start(tmp_path, DECLARED)
    with refused("QueueDoesNotExist"):
        described(server, "far")
    assert server.stop() == 0


# What is told of it


def test_config_shows_everything_but_secrets(tmp_path):
    text = f"auth:\n  keys:\n    - {{id: AKID, secret: '{KEY}'}}\nqueues:\n  - {{name: jobs, wait_seconds: 3}}\n"
    write(tmp_path, text)
    table = run(tmp_path, "config").stdout
    assert re.search(r"^listen +127\.0\.0\.1:4566 +default$", table, re.M), table
    assert re.search(r"^auth\.keys\[0\]\.secret +\*{8} +lineside\.yaml:3:5$", table, re.M), table
    assert re.search(r"^queues\[0\]\.wait_seconds +3 +lineside\.yaml:5:32$", table, re.M), table
    told = table + run(tmp_path, "config", "--json").stdout + run(tmp_path, "doctor").stdout
    told += run(tmp_path, "config", "--access-key", f"ID:{KEY}").stdout
    told += run(tmp_path, "config", "--json", LINESIDE_AUTH_KEYS=f"ID:{KEY}").stdout
    for wrong in (f"ID {KEY}", f":{KEY}", f"I D:{KEY}"):
        refusal = run(tmp_path, "config", "--access-key", wrong)
        assert refusal.returncode == 1
        told += refusal.stdout + refusal.stderr
        told += run(tmp_path, "up", LINESIDE_AUTH_KEYS=wrong).stderr
    assert "AKID" in told and KEY not in told


def test_help_documentation_and_schema_are_of_one_table(tmp_path):
    settings = [key for key in effective(tmp_path) if not key.startswith("queues")]
    page = (ROOT / "docs/configuration.md").read_text()
    assert run(tmp_path, "config", "--markdown").stdout == page
    said = run(tmp_path, "up", "--help").stdout
    schema = json.loads(run(tmp_path, "config", "--schema").stdout)
    assert len(settings) >= 10
    for key in settings:
        variable = "LINESIDE_" + key.replace(".", "_").upper()
        assert variable in said and f"`{variable}`" in page
        place = schema
        for part in key.split("."):
            place = place["properties"][part]
        about = place["description"]
        assert f"- `{key}`: {about}." in page
        assert about in re.sub(r"\s+", " ", said), key


def test_every_row_of_the_page_can_be_said_in_a_file(tmp_path):
    """The example of the documentation is a configuration."""
    page = (ROOT / "docs/configuration.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", page, re.S)[1]
    shutil.copy(ROOT / "examples/bank/account.js", tmp_path)  # the module that it names
    server = start(tmp_path, example)
    assert described(server, "orders")["VisibilityTimeout"] == "60"
    assert server.stop() == 0


# Doctor


def examined(folder, *arguments, **variables) -> tuple[int, dict]:
    told = run(folder, "doctor", "--json", *arguments, **variables)
    report = json.loads(told.stdout)
    assert report["well"] == (told.returncode == 0)
    return told.returncode, {check["check"]: check for check in report["checks"]}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_doctor_finds_a_fresh_directory_well_and_leaves_it_as_it_was(tmp_path):
    status, checks = examined(tmp_path, "--listen", f"127.0.0.1:{free_port()}")
    assert status == 0, checks
    wanted = {"configuration", "server", "port", "data", "file system", "free space", "lock", "sync"}
    assert set(checks) == wanted | {"log", "clock", "open files", "memory"}
    assert all(check["told"] for check in checks.values())
    assert list(tmp_path.iterdir()) == []


def test_doctor_sees_the_server_that_runs(tmp_path):
    server = Server(tmp_path / "own").start()
    asked = ("--data", server.data, "--listen", f"127.0.0.1:{server.port}")
    status, checks = examined(tmp_path, *asked)
    assert status == 0, checks
    assert "is ready" in checks["server"]["told"]
    assert str(server.process.pid) in checks["lock"]["told"]
    assert checks["log"]["state"] == "skipped"
    server.assert_alive()
    assert server.stop() == 0
    status, checks = examined(tmp_path, *asked)
    assert status == 0 and checks["log"]["state"] == "ok", checks
    assert "last write was" in checks["clock"]["told"]
    server.start()
    assert server.stop() == 0


def test_doctor_names_a_port_that_another_program_has(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, checks = examined(tmp_path, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert status == 1 and checks["port"]["state"] == "ill"
    assert "--listen" in checks["port"]["remedy"]


def test_doctor_names_damage_and_the_way_out(tmp_path):
    server = Server(tmp_path / "own").start()
    sqs = Face(server.url)
    sqs.send(sqs.queue(), "hello")
    assert server.stop() == 0
    flip(server, b"aws/000000000000")
    status, checks = examined(tmp_path, "--data", server.data)
    assert status == 1 and checks["log"]["state"] == "ill", checks
    assert "lineside verify" in checks["log"]["remedy"]


def test_doctor_names_a_directory_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    status, checks = examined(tmp_path, "--data", "file/below")
    assert status == 1 and "--data" in checks["data"]["remedy"]


def test_doctor_warns_of_few_descriptors_and_of_secrets_that_others_may_read(tmp_path):
    path = write(tmp_path, f"auth:\n  keys:\n    - {{id: AKID, secret: '{KEY}'}}\n")
    path.chmod(0o644)
    shell = ["sh", "-c", 'ulimit -n 512 && exec "$0" doctor', str(BINARY)]
    require_binary()
    told = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert re.search(r"^warning +open files +RLIMIT_NOFILE can be 512.*ulimit -Hn", told.stdout, re.M), told.stdout
    assert re.search(r"^warning +configuration +.*chmod 600 lineside\.yaml`$", told.stdout, re.M), told.stdout
    path.chmod(0o600)
    assert "chmod" not in run(tmp_path, "doctor").stdout


# Shells and man


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "elvish", "powershell"])
def test_completions_know_every_command_and_setting(tmp_path, shell):
    script = run(tmp_path, "completions", shell)
    assert script.returncode == 0
    for word in ("doctor", "completions", "inbox-requests", "steerable", "access-key"):
        assert word in script.stdout, word


def test_bash_takes_its_completions(tmp_path):
    script = write(tmp_path, run(tmp_path, "completions", "bash").stdout, "lineside.bash")
    if not shutil.which("bash"):
        pytest.skip("there is no bash")
    ask = (
        f'source {script}; COMP_WORDS=(lineside up --clock st); COMP_CWORD=3; '
        '_lineside lineside st --clock; echo "${COMPREPLY[@]}"'
    )
    told = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=20)
    assert told.stdout.split() == ["steerable"], told.stderr


def test_the_manual_is_one_page_of_all_commands(tmp_path):
    page = run(tmp_path, "man").stdout
    for command in ("up", "env", "verify", "repair", "log", "backup", "restore", "config", "doctor"):
        assert page.count(f'.SS "lineside {command}"') == 1
    assert page.count(".TH ") == 1 and "LINESIDE_DATA" in page
    if shutil.which("man"):
        shown = subprocess.run(["man", "-l", "-"], input=page, capture_output=True, text=True, timeout=20)
        assert shown.returncode == 0 and "lineside doctor" in shown.stdout, shown.stderr
