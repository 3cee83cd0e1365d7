"""Durable subscriptions: cursors, workers that compete, and queues that are fed from a query."""

import json
import threading
import time

import pytest
from harness.native import Line, Native, fresh, problem, send
from harness.server import serve
from harness.subscription import Subscription, data, put, sqs_of, works

PARKED_BY_ATTEMPTS = 2


def test_a_cursor_goes_where_it_is_told_from_where_it_is(api):
    tag = fresh()
    last = put(api, tag, ("a", 1), ("a", 2))["last"]
    cursor = Subscription(api, query=works(tag))
    assert cursor.get() | {"created": 0, "moved": 0, "end": 0, "behind": 0} == {
        "name": cursor.name, "query": works(tag), "from": 1, "cursor": 0,
        "end": 0, "behind": 0, "created": 0, "moved": 0,
    }  # fmt: skip
    moved = cursor.ok("ack", {"upto": last, "after": 0})
    assert moved["cursor"] == last
    stale = problem(cursor.post("ack", {"upto": last, "after": 0}), 409, "moved")
    assert stale["cursor"] == last
    assert cursor.ok("ack", {"upto": 0})["cursor"] == 0, "a cursor may go back"
    problem(cursor.post("ack", {"upto": last + 10**6}), 409, "beyond-end")
    problem(cursor.post("receive"), 409, "other-kind")


def test_it_begins_where_it_is_told(api):
    tag = fresh()
    first = put(api, tag, ("a", 1), ("a", 2), ("a", 3))["first"]
    workers = {"order": "none"}
    start = Subscription(api, query=works(tag), workers=workers)
    third = Subscription(api, query=works(tag), workers=workers, **{"from": first + 2})
    end = Subscription(api, query=works(tag), workers=workers, **{"from": "end"})
    put(api, tag, ("a", 4))
    for subscription, wanted in ((start, [1, 2, 3, 4]), (third, [3, 4]), (end, [4])):
        found = []
        while len(found) < len(wanted):
            found += data(subscription.receive())
        assert found == wanted


def test_of_a_key_the_next_comes_when_the_one_before_is_settled(api):
    tag = fresh()
    put(api, tag, ("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2"))
    work = Subscription(api, query=works(tag), workers={})
    got = work.receive()
    while len(got) < 2:
        got += work.receive()
    assert sorted(data(got)) == ["a1", "b1"], "one of each stream"
    assert work.receive(wait=0) == []
    a, b = sorted(got, key=lambda delivery: delivery["event"]["data"])
    assert work.settle("ack", [a]) == {"settled": 1, "lost": []}
    (a2,) = work.receive()
    assert (a2["event"]["data"], a2["attempt"]) == ("a2", 1)
    assert work.settle("nack", [b]) == {"settled": 1, "lost": []}
    (b1,) = work.receive()
    assert (b1["event"]["data"], b1["attempt"]) == ("b1", 2), "given back, it comes before b2"
    assert work.settle("ack", [b]) == {"settled": 0, "lost": [b["receipt"]]}, "an old receipt"
    assert work.ok("ack", {"receipts": ["made-up"]}) == {"settled": 0, "lost": ["made-up"]}
    assert work.settle("ack", [b1, a2])["settled"] == 2
    (b2,) = work.receive()
    state = work.get()
    assert (state["in_flight"], state["waiting"], state["behind"]) == (1, 0, 0)
    assert work.settle("ack", [b2])["settled"] == 1


def test_correlation_orders_or_nothing_does(api):
    tag = fresh()
    events = [{"type": "t", "tags": [tag], "stream": "s", "data": n, "correlationid": f"c{n % 2}"} for n in range(4)]
    api.appended(events)
    by_correlation = Subscription(api, query=works(tag), workers={"order": "correlation"})
    unordered = Subscription(api, query=works(tag), workers={"order": "none"})
    found, others = [], []
    while len(found) < 2 or len(others) < 4:
        found += data(by_correlation.receive(wait=int(len(found) < 2)))
        others += data(unordered.receive(wait=int(len(others) < 4)))
    assert (sorted(found), sorted(others)) == ([0, 1], [0, 1, 2, 3])


def test_work_that_waits_is_woken_by_an_append(api):
    tag = fresh()
    work = Subscription(api, query=works(tag), workers={})
    got = []
    waiting = threading.Thread(target=lambda: got.extend(work.receive(wait=20)))
    waiting.start()
    put(api, tag, ("a", 7))
    waiting.join(10)
    assert data(got) == [7]


def test_what_is_given_up_is_parked_with_its_reason_and_brought_back(api):
    tag = fresh()
    put(api, tag, *[(f"s{n}", n) for n in range(5)])
    work = Subscription(api, query=works(tag), workers={"attempts": PARKED_BY_ATTEMPTS})
    got = []
    while len(got) < 5:
        got += work.receive()
    got.sort(key=lambda delivery: delivery["event"]["data"])
    assert work.settle("park", got[:1], reason="no such account")["settled"] == 1
    assert work.settle("park", got[:1])["lost"] == [got[0]["receipt"]], "parked once"
    assert work.settle("park", got[1:4])["settled"] == 3
    work.settle("nack", got[4:])
    (again,) = work.receive()
    work.settle("nack", [again])
    # The attempts are used up: the next receive parks it instead of handing it out.
    assert work.receive(wait=0) == []
    page = work.parked()
    assert page["next"] is None and [one["event"]["data"] for one in page["parked"]] == [0, 1, 2, 3, 4]
    reasons = [one["reason"] for one in page["parked"]]
    assert reasons == ["no such account", None, None, None, None]
    assert [one["attempts"] for one in page["parked"]] == [1, 1, 1, 1, PARKED_BY_ATTEMPTS]
    assert work.get()["parked"] == 5
    first = work.parked(limit=2)
    assert len(first["parked"]) == 2 and len(work.parked(**{"from": first["next"]})["parked"]) == 3
    ids = [one["id"] for one in page["parked"]]
    assert work.ok("replay", {"ids": [ids[3], 10**9]}) == {"replayed": 1}
    assert data(work.receive()) == [3]
    assert work.ok("replay", {"max": 1}) == {"replayed": 1}
    assert data(work.receive()) == [0]
    assert work.ok("replay") == {"replayed": 3}
    assert work.parked() == {"parked": [], "next": None}
    back = []
    while len(back) < 3:
        back += data(work.receive())
    assert sorted(back) == [1, 2, 4]


def test_made_again_it_is_found_and_otherwise_it_is_refused(api):
    name = fresh()
    work = Subscription(api, name, query=works("x"), workers={"lease_seconds": 7})
    assert work.put(query=works("x"), workers={"lease_seconds": 7}).status == 200
    for other in ({"query": works("y"), "workers": {"lease_seconds": 7}}, {"query": works("x")}, {"from": 1000}):
        answer = work.put(**other)
        assert answer.status in (400, 409), answer
    problem(work.put(query=works("x")), 409, "exists-otherwise")
    assert api.call("DELETE", work.path).status == 204
    problem(api.call("GET", work.path), 404, "no-such-subscription")
    problem(api.call("DELETE", work.path), 404, "no-such-subscription")
    assert work.put(query=works("y"), workers={}).status == 201, "the name is free at once"


def test_they_are_listed_a_page_at_a_time(api):
    prefix = fresh()
    names = [f"{prefix}{n}" for n in range(5)]
    for name in names:
        Subscription(api, name, query=works(name))
    first = api.read("/v1/subscriptions", after=prefix, limit=3)
    assert [one["name"] for one in first["subscriptions"]] == names[:3] and first["next"] == names[2]
    second = api.read("/v1/subscriptions", after=first["next"], limit=64)
    assert [one["name"] for one in second["subscriptions"]][:2] == names[3:]


BAD = [
    ("PUT", "", {"query": {"type": "a"}}, 400, "invalid-query"),
    ("PUT", "", {"workers": {"lease_seconds": 0}}, 400, "invalid-body"),
    ("PUT", "", {"workers": {"attempts": 10**6}}, 400, "invalid-body"),
    ("PUT", "", {"workers": {}, "queue": "a"}, 400, "invalid-body"),
    ("PUT", "", {"from": -1}, 400, "invalid-body"),
    ("PUT", "", {"from": 9007199254740991}, 409, "beyond-end"),
    ("POST", "/nack", {"receipts": ["0*"]}, 400, "invalid-body"),
    ("PUT", "", {"queue": "is-not-there"}, 404, "no-such-queue"),
    ("PUT", "", {"name": "a"}, 400, "invalid-body"),
    ("PUT", "", [], 400, "invalid-body"),
    ("PUT", "", b"{", 400, "malformed-json"),
    ("PUT", "?x=1", {}, 400, "unknown-parameter"),
    ("POST", "/receive", {"max": 0}, 400, "invalid-body"),
    ("POST", "/receive", {"wait_seconds": 21}, 400, "invalid-body"),
    ("POST", "/receive", {}, 404, "no-such-subscription"),
    ("POST", "/ack", {}, 400, "invalid-body"),
    ("POST", "/ack", {"receipts": ["x"]}, 404, "no-such-subscription"),
    ("POST", "/ack", {"upto": 1}, 404, "no-such-subscription"),
    ("POST", "/nack", {"receipts": []}, 400, "invalid-body"),
    ("POST", "/park", {"receipts": ["x"], "reason": "\n"}, 400, "invalid-body"),
    ("POST", "/replay", {"ids": [0]}, 400, "invalid-body"),
    ("GET", "/parked", None, 404, "no-such-subscription"),
    ("GET", "/parked?limit=65", None, 400, "invalid-parameter"),
    ("POST", "/nothing", {}, 404, "no-such-path"),
    ("GET", "/receive", None, 405, "method-not-allowed"),
    ("PATCH", "", {}, 405, "method-not-allowed"),
]


@pytest.mark.parametrize("method, path, body, status, kind", BAD)
def test_what_cannot_be_is_refused(api, method, path, body, status, kind):
    problem(api.call(method, f"/v1/subscriptions/{fresh()}{path}", body), status, kind)


def test_names_are_plain(api):
    for name in ("-a", "a%2Fb", "a" * 129):
        problem(api.call("PUT", f"/v1/subscriptions/{name}", {}), 400, "invalid-parameter")


# Queues.


@pytest.fixture(scope="module")
def sqs(server):
    return sqs_of(server.url)


def messages(sqs, url: str, count: int, delete: bool = True) -> list[dict]:
    found = []
    while len(found) < count:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20,
            MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"],
        )  # fmt: skip
        found += answer["Messages"]
        for message in answer["Messages"] if delete else []:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_a_query_feeds_a_queue(api, sqs):
    tag, name = fresh(), fresh()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    put(api, tag, ("a", 1))
    fed = Subscription(api, query=works(tag), queue=name)
    put(api, tag, ("a", 2))
    put(api, fresh(), ("a", 3))
    found = messages(sqs, url, 2)
    assert sorted(json.loads(message["Body"])["data"] for message in found) == [1, 2]
    assert all(json.loads(message["Body"])["specversion"] == "1.0" for message in found)
    kind = found[0]["MessageAttributes"]["contentType"]["StringValue"]
    assert kind == "application/cloudevents+json"
    state = fed.get()
    assert (state["queue"], state["queue_is_there"], state["fed"], state["trouble"]) == (name, True, 2, None)


def test_a_fifo_queue_is_fed_in_the_order_of_each_stream(api, sqs):
    tag, name = fresh(), fresh() + ".fifo"
    url = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    put(api, tag, *[(f"{tag}-{n % 3}", n) for n in range(30)])
    Subscription(api, query=works(tag), queue=name)
    found = messages(sqs, url, 30)
    for stream in range(3):
        mine = [m for m in found if m["Attributes"]["MessageGroupId"] == f"{tag}-{stream}"]
        assert [json.loads(m["Body"])["data"] for m in mine] == list(range(stream, 30, 3))


def test_an_event_that_is_too_large_says_where_its_data_is(api, sqs):
    tag, name = fresh(), fresh()
    url = sqs.create_queue(QueueName=name, Attributes={"MaximumMessageSize": "2048"})["QueueUrl"]
    put(api, tag, ("a", "x" * 4000))
    Subscription(api, query=works(tag), queue=name)
    (message,) = messages(sqs, url, 1)
    event = json.loads(message["Body"])
    assert "data" not in event
    assert api.read(event["dataref"])["data"] == "x" * 4000


@pytest.fixture
def relaxed_server(tmp_path):
    """A queue may be made again at once under the name of one that was deleted."""
    yield from serve(tmp_path / "relaxed", "--limits", "relaxed")


def test_a_queue_that_goes_away_is_told_and_fed_again_when_it_is_back(relaxed_server):
    api, sqs = Native(relaxed_server.url), sqs_of(relaxed_server.url)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    fed = Subscription(api, queue="q")
    put(api, "x", ("a", 1))
    messages(sqs, url, 1)
    sqs.delete_queue(QueueUrl=url)
    put(api, "x", ("a", 2))
    told = wait_for(fed, lambda state: state["trouble"])
    assert "q is not there" in told["trouble"] and told["queue_is_there"] is False
    assert told["trouble"] in relaxed_server.log.read_text()
    problem(api.call("PUT", "/v1/subscriptions/other", {"queue": "q"}), 404, "no-such-queue")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    (message,) = messages(sqs, url, 1)
    assert json.loads(message["Body"])["data"] == 2
    assert wait_for(fed, lambda state: not state["trouble"])["behind"] == 0


def test_no_more_is_put_into_a_queue_than_it_should_hold(own_server):
    """10,000 wait, a step more at most; when they are gone, the rest comes."""
    api, sqs = Native(own_server.url), sqs_of(own_server.url)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    line = Line(own_server.url)
    for n in range(11):
        answer = line.append([{"type": "t", "stream": f"s{i}", "data": n} for i in range(1000)])
        assert answer.status == 200, answer
    fed = Subscription(api, queue="q")
    full = wait_for(fed, lambda state: state["waiting"] >= 10_000)
    assert full["waiting"] < 10_000 + 256 and full["behind"] > 0
    sqs.purge_queue(QueueUrl=url)
    rest = wait_for(fed, lambda state: state["behind"] == 0)
    assert rest["fed"] == 11_000 and rest["waiting"] == 11_000 - full["waiting"]


def wait_for(subscription: Subscription, holds) -> dict:
    deadline = time.monotonic() + 30
    while True:
        state = subscription.get()
        if holds(state):
            return state
        assert time.monotonic() < deadline, state


# Crashes.

KEYS = 12
WORKERS = 8


class Worker(threading.Thread):
    """Works until the server is gone; notes when it was given something, and when it settled it."""

    def __init__(self, url: str, history: list, lock: threading.Lock, until: threading.Event):
        super().__init__()
        self.line, self.history, self.lock, self.until = Line(url), history, lock, until

    def run(self) -> None:
        try:
            while not self.until.is_set():
                self.work()
        except OSError:
            pass  # it was killed
        except Exception as error:  # an answer that was cut off in the middle
            if type(error).__module__ != "http.client":
                raise
        finally:
            self.line.close()

    def work(self) -> None:
        for delivery in self.call("receive", {"max": 4, "wait_seconds": 1}).get("deliveries", []):
            event = delivery["event"]
            key, version = event["stream"], int(event["streamversion"])
            self.note("given", key, version)
            verb = "park" if event["data"] == "poison" else "ack"
            self.note("settles", key, version)
            self.call(verb, {"receipts": [delivery["receipt"]]})

    def call(self, verb: str, body: dict) -> dict:
        path = f"/v1/subscriptions/work/{verb}"
        answer = send(self.line.connection, "POST", path, body, {})
        if answer.status == 503:
            return {}
        assert answer.status == 200, answer
        return answer.json

    def note(self, what: str, key: str, version: int) -> None:
        with self.lock:
            self.history.append((what, key, version))


def check_order(history: list) -> None:
    """Nothing of a key was given to anybody before everything before it was on its way to be settled."""
    settled: dict[str, set] = {}
    for what, key, version in history:
        done = settled.setdefault(key, set())
        if what == "settles":
            done.add(version)
        else:
            assert set(range(1, version)) <= done, (key, version, sorted(done))


def test_the_check_of_the_order_can_fail():
    check_order([("given", "a", 1), ("settles", "a", 1), ("given", "a", 2)])
    with pytest.raises(AssertionError):
        check_order([("given", "a", 1), ("given", "a", 2)])


def test_eight_workers_and_a_queue_through_kill_9(own_server):
    """Order per key; each poisoned event is parked, and once; a queue is fed each event once."""
    history, lock = [], threading.Lock()
    api, sqs = Native(own_server.url), sqs_of(own_server.url)
    url = sqs.create_queue(QueueName="all.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    Subscription(api, "work", workers={"attempts": 1000, "lease_seconds": 1})
    Subscription(api, "feed", queue="all.fifo")
    appended, poisoned = 0, 0
    for _ in range(4):
        stop = threading.Event()
        workers = [Worker(own_server.url, history, lock, stop) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for n in range(20):
            data = "poison" if n % 7 == 3 else n
            put(api, "x", *[(f"k{key}", data) for key in range(KEYS)])
            appended, poisoned = appended + KEYS, poisoned + KEYS * (data == "poison")
        time.sleep(0.3)  # the load's time to run
        own_server.kill()
        for worker in workers:
            worker.join(20)
            assert not worker.is_alive()
        own_server.start()
        api = Native(own_server.url)
    stop = threading.Event()
    workers = [Worker(own_server.url, history, lock, stop) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    work = Subscription(api, "work", make=False)
    wait_for(work, lambda s: s["behind"] == s["waiting"] == s["in_flight"] == 0)
    stop.set()
    for worker in workers:
        worker.join(20)
    check_order(history)
    parked, at = [], 1
    while at:
        page = work.parked(**{"from": at})
        parked, at = parked + page["parked"], page["next"]
    numbers = [one["event"]["eventnumber"] for one in parked]
    assert len(numbers) == poisoned == len(set(numbers))
    assert all(one["event"]["data"] == "poison" for one in parked)
    sqs = sqs_of(own_server.url)
    found = messages(sqs, url, appended)
    bodies = [json.loads(message["Body"]) for message in found]
    assert sorted(int(body["eventnumber"]) for body in bodies) == list(range(1, appended + 1))
    for key in range(KEYS):
        mine = [int(body["streamversion"]) for body in bodies if body["stream"] == f"k{key}"]
        assert mine == list(range(1, appended // KEYS + 1))
    assert sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages") is None


def test_workers_go_on_after_a_stop_where_they_were(own_server):
    api = Native(own_server.url)
    work = Subscription(api, "w", workers={})
    put(api, "x", ("a", 1), ("b", 2))
    (first,) = work.receive(max_=1)
    assert own_server.stop() == 0
    own_server.start()
    work = Subscription(Native(own_server.url), "w", make=False)
    assert work.settle("ack", [first])["settled"] == 1, "a lease outlives a restart"
    (second,) = work.receive()
    assert {first["event"]["data"], second["event"]["data"]} == {1, 2}
