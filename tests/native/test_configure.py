"""`plan`, `apply` and `export`: a file beside a running server."""

import json
import subprocess

import pytest
from harness.native import Native
from harness.server import BINARY, serve

EVERYTHING = """\
queues:
  - name: orders
    visibility_seconds: 60
    dead_letter: {queue: orders-dead, max_receives: 5}
    tags: {team: shop}
  - name: orders-dead
    retention_seconds: 1209600
    dead_letter_sources: [orders]
  - {name: payments.fifo, content_deduplication: true, region: eu-west-1}
models:
  account: {category: account, javascript: js/account.js}
  profile: {category: profile, merge: true}
subscriptions:
  - name: mail
    types: [OrderPlaced, OrderPaid]
    tags: [mail]
    workers: {lease_seconds: 20, attempts: 3, order: correlation}
  - {name: feed, category: account, queue: orders}
  - {name: either, any: [{types: [A]}, {stream: s}], from: end}
  - {name: all}
"""

MODULE = "export const initial = 0;\nexport function evolve(s, e) { return s + 1; }\n"

ALL = [
    "queue orders", "queue orders-dead", "queue payments.fifo", "model account", "model profile",
    "subscription mail", "subscription feed", "subscription either", "subscription all",
]  # fmt: skip


@pytest.fixture
def server(tmp_path):
    yield from serve(tmp_path / "served")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lineside.yaml"
    path.write_text(EVERYTHING)
    (tmp_path / "js").mkdir()
    (tmp_path / "js/account.js").write_text(MODULE)
    return path


def run(server, verb: str, *arguments, status: int = 0) -> str:
    listen = server.url.removeprefix("http://")
    command = [BINARY, verb, *map(str, arguments), "--listen", listen]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done
    return done.stdout if status == 0 else done.stderr


def told(server, verb: str, *arguments) -> dict:
    return json.loads(run(server, verb, *arguments, "--json"))


def test_plan_apply_and_then_nothing_is_left_to_do(server, file):
    planned = told(server, "plan", file)
    assert (planned["declared"], planned["made"], planned["changed"]) == (9, ALL, [])
    assert told(server, "plan", file) == planned, "a plan changes nothing"
    assert Native(server.url).read("/v1/subscriptions")["subscriptions"] == []
    assert told(server, "apply", file) == planned
    assert told(server, "plan", file) == {"declared": 9, "made": [], "changed": []}
    assert "nothing to do: all 9 are as declared" in run(server, "plan", file)
    assert told(server, "apply", file)["made"] == []


def test_what_is_otherwise_is_told_and_changed(server, file):
    run(server, "apply", file)
    file.write_text(EVERYTHING.replace("visibility_seconds: 60", "visibility_seconds: 61"))
    (file.parent / "js/account.js").write_text(MODULE.replace("+ 1", "+ 2"))
    changes = told(server, "plan", file)["changed"]
    assert changes == [
        "queue orders changed to what the file says: visibility_seconds 60 -> 61",
        "model account changed to what the file says",
    ]
    text = run(server, "apply", file)
    assert "~ queue orders" in text and "0 made, 2 changed" in text
    assert told(server, "plan", file)["changed"] == []


def test_what_is_exported_declares_all_that_there_is(server, file, tmp_path):
    run(server, "apply", file)
    text = run(server, "export")
    exported = tmp_path / "exported.yaml"
    exported.write_text(text)
    assert told(server, "plan", exported) == {"declared": 9, "made": [], "changed": []}
    assert json.loads(run(server, "export", "--json"))["text"] == text
    for other in serve(tmp_path / "other"):
        assert sorted(told(other, "apply", exported)["made"]) == sorted(ALL)
        assert run(other, "export") == text
        assert told(other, "plan", file) == {"declared": 9, "made": [], "changed": []}


def test_a_server_starts_with_what_its_file_declares(tmp_path, file):
    for server in serve(tmp_path / "declared", "--config", str(file)):
        assert told(server, "plan", file) == {"declared": 9, "made": [], "changed": []}
        assert server.stop() == 0
        server.start()
        assert told(server, "plan", file)["made"] == []


def test_mistakes_are_told_with_their_place_and_change_nothing(server, file):
    for text, says in [
        ("queues: [{name: a, delay: 1}]\n", "the key \"delay\" is not known"),
        ("subscriptions: [{name: a, queue: nowhere}]\n", "1:17: The queue that the events are to go to"),
        ("subscriptions: [{name: a, queue: q, workers: {}}]\n", "and not both"),
        ("models: {a: {category: x, javascript: nowhere.js}}\n", "nowhere.js cannot be read"),
        ("models: {a: {category: x, module: 'nonsense('}}\n", "the model a"),
        ("queues: [\n", "2:1"),
    ]:
        file.write_text(text)
        assert says in run(server, "apply", file, status=1), text
    assert run(server, "export") == ""
    assert "cannot be read" in run(server, "apply", file.parent / "none.yaml", status=1)


def test_a_subscription_is_not_changed_under_its_readers(server, file):
    run(server, "apply", file)
    file.write_text("subscriptions: [{name: mail, types: [Other]}]\n")
    for verb in ("plan", "apply"):
        assert "set otherwise" in run(server, verb, file, status=1)
    assert "OrderPlaced" in run(server, "export")


def test_a_request_that_is_none_is_refused(server):
    api = Native(server.url)
    for body in (b"", b"{}", {"file": "a", "text": "queues: 7"}, {"text": "", "file": "a", "x": 1}):
        answer = api.call("POST", "/_lineside/config", body)
        assert answer.status == 400 and answer.json["error"], answer
    assert api.call("PUT", "/_lineside/config").status == 405
