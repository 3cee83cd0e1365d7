"""States of entities at any time: models, folds that misbehave, differences, the verbs, and declared models."""

import concurrent.futures
import json
import random
import subprocess
import time
from urllib.parse import quote

import pytest
from harness.native import Native, fresh, problem, query
from harness.server import BINARY, Server, require_binary, serve

ACCOUNT = """
export const initial = { balance: 0, last: null };
export function evolve(state, event) {
  switch (event.type) {
    case "Paid": state.balance += event.data.cents; break;
    case "Drawn": state.balance -= event.data.cents; break;
  }
  state.last = event.eventnumber;
}
"""


def define(api, name: str, **definition):
    return api.call("PUT", f"/v1/models/{name}", definition)


def state(api, model: str, entity, **parameters):
    return api.call("GET", f"/v1/state/{model}/{quote(str(entity), safe='')}" + query(parameters))


def stated(api, model: str, entity, **parameters) -> dict:
    answer = state(api, model, entity, **parameters)
    assert answer.status == 200, answer
    return answer.json


@pytest.fixture
def account(api):
    """A model of a category that no other test has; both have its name."""
    name = fresh("account")
    assert define(api, name, category=name, javascript=ACCOUNT).status == 200
    return name


def paid(cents: int) -> dict:
    return {"type": "Paid", "data": {"cents": cents}}


def test_a_model_is_defined_once_and_its_history_is_there(api):
    name = fresh("model")
    first = define(api, name, category="a", merge=True)
    assert first.json | {"version": 1, "merge": True, "category": "a", "name": name} == first.json
    assert define(api, name, category="a", merge=True).json == first.json, "what is so already makes no event"
    second = define(api, name, category="a", javascript=ACCOUNT)
    assert second.json["javascript"] == ACCOUNT and second.json["version"] == 2
    listed = {model["name"]: model for model in api.call("GET", "/v1/models").json["models"]}
    assert listed[name]["kind"] == "javascript" and "javascript" not in listed[name]
    assert api.call("GET", f"/v1/models/{name}").json == second.json
    assert api.call("DELETE", f"/v1/models/{name}").json["version"] == 3
    for gone in (api.call("GET", f"/v1/models/{name}"), api.call("DELETE", f"/v1/models/{name}"), state(api, name, 1)):
        problem(gone, 404, "no-such-model")
    assert name not in [model["name"] for model in api.call("GET", "/v1/models").json["models"]]
    history = api.stream(f"$model-{name}")["events"]
    kinds = ["lineside.model.defined.v1"] * 2 + ["lineside.model.deleted.v1"]
    assert [event["type"] for event in history] == kinds and history[1]["data"]["javascript"] == ACCOUNT
    assert define(api, name, category="a", merge=True).json["version"] == 4


@pytest.mark.parametrize(
    "module, line",
    [
        ("export function evolve(state) {\n  return state +;\n}", 2),
        ("import x from 'x';\nexport function evolve() {}", None),
        ("export const initial = 1", None),
        ("\n\nthrow new Error('no')", 3),
        ("for (;;);", None),
        ("const all = []; for (;;) all.push({ all });", None),
        ("export const initial = NaN; export function evolve() {}", None),
        ("await 0; export function evolve() {}", None),
        ("\0", None),
    ],
)
def test_a_module_that_can_be_none_is_refused_and_changes_nothing(api, module, line):
    name = fresh("broken")
    document = problem(define(api, name, category="a", javascript=module), 400, "invalid-model")
    assert document["at"] == "/javascript" and document["reason"], document
    assert line is None or (document["line"] == line and document["column"] > 0), document
    problem(api.call("GET", f"/v1/models/{name}"), 404, "no-such-model")


def test_what_defines_no_model_is_refused(api):
    for body in ({}, {"category": "a"}, {"category": "a", "merge": True, "javascript": "x"}, {"category": "a-b", "merge": True}):
        problem(define(api, "x", **body), 400, "invalid-body")
    problem(define(api, "x", category="a", javascript="x" * (256 * 1024 + 1)), 400, "invalid-body")
    problem(api.call("PUT", "/v1/models/a.b", {"category": "a", "merge": True}), 400, "invalid-parameter")
    problem(api.call("POST", "/v1/models/a", {}), 405, "method-not-allowed")
    problem(api.call("PUT", "/v1/models", {}), 405, "method-not-allowed")
    problem(api.call("PUT", "/v1/state/a/1", {}), 405, "method-not-allowed")
    problem(api.call("GET", "/v1/state"), 404, "no-such-path")
    problem(api.call("GET", "/v1/state/a"), 400, "invalid-parameter")


def test_streams_of_the_server_are_written_by_the_server_alone(api):
    before = api.end()
    for body, stream in [
        ({"type": "lineside.model.defined.v1", "data": {}}, "$model-x"),
        ({"type": "t", "stream": "$x"}, None),
        ({"type": "$t"}, None),
        ([{"type": "t", "stream": "mine"}, {"type": "t", "stream": "$model-x"}], None),
    ]:
        problem(api.append(body, stream), 403, "reserved-stream")
    assert api.end() == before
    assert api.stream("$model-nothing")["events"] == []
    assert api.appended({"type": "$t"}, fresh("a$"))["first"] == before + 1


def test_the_state_at_every_version_and_moment_is_the_fold_up_to_there(api, account):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    stream, count = f"{account}-42", 700
    for begin in range(0, count, 50):
        api.appended([paid(chance.randrange(1000)) for _ in range(begin, begin + 50)], stream)
    events = [e for begin in (1, 501) for e in api.stream(stream, limit=500, from_=begin)["events"]]
    balances = [0]
    for event in events:
        balances.append(balances[-1] + event["data"]["cents"])
    for version in [0, 1, 255, 256, 257, 512, 700, *(chance.randrange(701) for _ in range(20))]:
        found = stated(api, account, 42, version=version)
        assert (found["version"], found["state"]["balance"]) == (version, balances[version])
        last = events[version - 1] if version else {"eventnumber": "0", "storedtime": None}
        assert (found["number"], found["recorded"]) == (int(last["eventnumber"]), last["storedtime"])
    for event in chance.sample(events, 10):
        found = stated(api, account, 42, at=event["storedtime"])
        version = max(int(e["streamversion"]) for e in events if e["storedtime"] <= event["storedtime"])
        assert (found["version"], found["state"]["balance"]) == (version, balances[version])
    assert stated(api, account, 42)["stream"] == stream
    assert stated(api, account, 42, at="1999-12-31T23:59:59Z")["state"] == {"balance": 0, "last": None}
    assert stated(api, account, 42, at="2999-01-01T00:00:00Z")["version"] == count
    assert stated(api, account, 42, at="2999-01-01T00:00:00Z", version=3)["version"] == 3


def test_an_entity_without_events_and_a_version_that_is_not_there(api, account):
    nobody = stated(api, account, "nobody/ever ü")
    assert nobody == {
        "model": account,
        "id": "nobody/ever ü",
        "stream": f"{account}-nobody/ever ü",
        "version": 0,
        "number": 0,
        "recorded": None,
        "state": {"balance": 0, "last": None},
    }
    api.appended([paid(1)], f"{account}-1")
    document = problem(state(api, account, 1, version=2), 404, "no-such-version")
    assert (document["version"], document["last"]) == (2, 1)
    problem(state(api, account, 1, diff=2), 404, "no-such-version")


def test_merged_states(api):
    name = fresh("profile")
    define(api, name, category=name, merge=True)
    for data in ({"name": "Ann", "home": {"city": "Rome", "zip": 1}}, {"home": {"zip": None}}, {"name": "Anne"}):
        api.appended([{"type": "Changed", "data": data}], f"{name}-1")
    text = {"specversion": "1.0", "id": "1", "source": "/a", "type": "Said", "datacontenttype": "text/plain", "data": "hi"}
    assert api.append(text, f"{name}-1", Content_Type="application/cloudevents+json").status == 200
    assert stated(api, name, 1)["state"] == {"name": "Anne", "home": {"city": "Rome"}}
    assert stated(api, name, 1)["version"] == 4
    assert stated(api, name, 1, version=0)["state"] == {}


def patched(document, patch):
    """As RFC 6902 has it, for members of objects."""
    for step in patch:
        *way, last = step["path"].split("/")[1:]
        target = document
        for name in way:
            target = target[name]
        if step["op"] == "remove":
            del target[last]
        else:
            target[last] = step["value"]
    return document


def test_a_difference_leads_from_one_state_to_the_other(api, account):
    stream = f"{account}-7"
    api.appended([paid(5), paid(7), {"type": "Drawn", "data": {"cents": 2}}], stream)
    moment = api.stream(stream)["events"][0]["storedtime"]
    for parameters, versions in [
        ({"diff": 1}, (1, 3)),
        ({"diff": 0, "version": 2}, (0, 2)),
        ({"diff": 3, "version": 1}, (3, 1)),
        ({"diff": "2000-01-01T00:00:00Z", "at": "2999-01-01T00:00:00Z"}, (0, 3)),
        ({"diff": moment, "version": 0}, (None, 0)),
    ]:
        found = stated(api, account, 7, **parameters)
        got = (found["from"]["version"], found["to"]["version"])
        assert versions in (got, (None, got[1])), found
        assert patched(found["from"]["state"], found["diff"]) == found["to"]["state"]
    assert stated(api, account, 7, diff=3)["diff"] == []


def test_a_changed_model_folds_all_events_anew(api):
    name = fresh("counts")
    api.appended([paid(n) for n in range(600)], f"{name}-1")
    counts = "export const initial = 0; export const evolve = (state) => state + %d;"
    for step in (1, 10, 1):
        define(api, name, category=name, javascript=counts % step)
        for _ in range(2):
            assert stated(api, name, 1)["state"] == 600 * step


@pytest.mark.parametrize(
    "body, reason",
    [
        ("while (true);", "time"),
        ("const all = []; for (;;) all.push({ all });", "memory"),
        ("const f = () => f() + 1; f();", "stack"),
        ("throw new Error('no');", "threw"),
        ("return { at: event.data.n, bad: NaN };", "not-json"),
        ("return () => 1;", "not-json"),
        ("const a = {}; a.a = a; return a;", "not-json"),
        ("return 'x'.repeat(2 << 20);", "state-too-large"),
        ("return Date.now();", "threw"),
        ("return Math.random();", "threw"),
    ],
)
def test_a_fold_that_misbehaves_is_named_with_its_event(api, body, reason):
    name = fresh("bad")
    module = f"export const initial = 1;\nexport function evolve(state, event) {{ if (event.data.n === 2) {{ {body} }} }}"
    assert define(api, name, category=name, javascript=module).status == 200
    first = api.appended([{"type": "t", "data": {"n": n}} for n in (1, 2, 3)], f"{name}-1")["first"]
    document = problem(state(api, name, 1), 422, "fold-failed")
    assert (document["reason"], document["eventnumber"], document["streamversion"]) == (reason, first + 1, 2), document
    assert stated(api, name, 1, version=1)["state"] == 1, "what is before it can be asked for"


def test_the_server_serves_while_folds_loop(server, api, account):
    name = fresh("loop")
    define(api, name, category=name, javascript="export function evolve() { for (;;); }")
    api.appended([paid(1)], f"{name}-1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        loops = [pool.submit(state, api, name, 1) for _ in range(8)]
        slowest = 0.0
        while not all(loop.done() for loop in loops):
            began = time.monotonic()
            api.appended([paid(1)], f"{account}-busy")
            slowest = max(slowest, time.monotonic() - began)
        answers = [loop.result() for loop in loops]
    print("slowest append beside eight loops", slowest)
    for answer in answers:
        if answer.status == 503:
            problem(answer, 503, "busy")
        else:
            assert problem(answer, 422, "fold-failed")["reason"] == "time"
    assert any(answer.status == 422 for answer in answers)
    assert slowest < 2.0, "an append does not wait for a fold"
    assert stated(api, account, "busy")["version"] > 0
    server.assert_alive()


def test_a_stream_of_ten_thousand_events(api, account):
    stream = f"{account}-large"
    for _ in range(10):
        api.appended([paid(1)] * 1000, stream)
    times = []
    for _ in range(3):
        began = time.monotonic()
        assert stated(api, account, "large")["state"]["balance"] == 10_000
        times.append(time.monotonic() - began)
    print("first and later folds of 10,000 events", times)
    assert times[0] < 10 and min(times[1:]) < times[0] / 2, times


def test_a_state_can_wait_for_what_somebody_else_has_seen(api, account):
    answer = api.append([paid(3)], f"{account}-t")
    found = api.call("GET", f"/v1/state/{account}/t", At_Least=answer.headers["token"])
    assert found.json["state"]["balance"] == 3
    assert int(found.headers["token"][1:], 16) >= int(answer.headers["token"][1:], 16)
    problem(api.call("GET", f"/v1/state/{account}/t", At_Least="x"), 400, "invalid-parameter")


def test_models_and_states_survive_a_kill(own_server):
    api = Native(own_server.url)
    define(api, "account", category="account", javascript=ACCOUNT)
    api.appended([paid(n) for n in range(300)], "account-1")
    before = stated(api, "account", 1)
    own_server.kill()
    own_server.start()
    assert stated(Native(own_server.url), "account", 1) == before


def run(server, *arguments):
    command = [BINARY, *map(str, arguments), "--listen", f"127.0.0.1:{server.port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def test_the_verbs(server, api, account):
    api.appended([paid(5), paid(7)], f"{account}-1")
    status, out, _ = run(server, "state", account, 1)
    head, _, body = out.partition("\n")
    assert status == 0 and head.startswith(f"{account}-1 version 2, 20") and json.loads(body)["balance"] == 12
    found = json.loads(run(server, "state", account, 1, "--version", 1, "--json")[1])
    assert found == stated(api, account, 1, version=1)
    early = json.loads(run(server, "state", account, 1, "--at", "2000-01-01T00:00:00Z", "--json")[1])
    assert (early["version"], early["recorded"]) == (0, None)
    status, out, _ = run(server, "diff", account, 1, 1, 2)
    assert status == 0 and "~ /balance  5 -> 12" in out and "from version 1" in out and "to version 2" in out
    found = json.loads(run(server, "diff", account, 1, 0, "--json")[1])
    assert found == stated(api, account, 1, diff=0)
    assert "no difference" in run(server, "diff", account, 1, "now", "now")[1]
    status, out, err = run(server, "state", "nothing", 1)
    assert status == 1 and out == "" and "No model has the name `nothing`." in err


CONFIGURATION = """
models:
  account: {category: account, javascript: models/account.js}
  profile:
    category: profile
    merge: true
"""


def configured(folder, text: str, **modules: str) -> Server:
    (folder / "models").mkdir(exist_ok=True)
    for name, module in modules.items():
        (folder / "models" / f"{name}.js").write_text(module)
    file = folder / "lineside.yaml"
    file.write_text(text)
    return Server(folder, "--config", str(file))


def test_declared_models_are_there_before_the_server_is_ready(tmp_path):
    require_binary()
    server = configured(tmp_path, CONFIGURATION, account=ACCOUNT).start()
    try:
        api = Native(server.url)
        assert [model["name"] for model in api.call("GET", "/v1/models").json["models"]] == ["account", "profile"]
        api.appended([paid(5)], "account-1")
        assert server.stop() == 0
        end = 3
        for module, version in ((ACCOUNT, 1), (ACCOUNT.replace("+=", "-="), 2)):
            server = configured(tmp_path, CONFIGURATION, account=module).start()
            api = Native(server.url)
            assert api.call("GET", "/v1/models/account").json["version"] == version
            assert api.end() == end + version - 1, "what is so already makes no event"
            assert server.stop() == 0
        assert "model account changed to what the file says" in server.tail()
    finally:
        if server.running():
            server.kill()


@pytest.mark.parametrize(
    "text, module, says",
    [
        (CONFIGURATION, "export function evolve( {", "lineside.yaml:3:3: the model account: "),
        (CONFIGURATION, None, "account.js cannot be read"),
        ("models: {a: {category: a}}\n", None, "1:10: a: a model has either `merge: true`, or `javascript: FILE`"),
        ("models: {a: {category: a-b, merge: true}}\n", None, "models.a.category"),
    ],
)
def test_a_mistake_in_a_declared_model_ends_the_start(tmp_path, text, module, says):
    require_binary()
    server = configured(tmp_path, text, **({"account": module} if module else {}))
    server.spawn()
    assert server.wait(10) == 1
    assert says in server.tail(), server.tail()
