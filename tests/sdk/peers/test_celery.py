"""celery, with kombu's SQS transport: producers here, workers as processes, as people run them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from peers.celery_app import Place, application
from peers.patience import until

SDK = Path(__file__).resolve().parents[1]
WITHIN = 60  # seconds for a result; one takes well under a second, a loaded machine more


class Worker:
    """A worker process and its pool, in a process group of its own."""

    def __init__(self, place: Place, queue: str, concurrency: int = 2):
        self.log = Path(place.folder, "worker.log")
        command = [sys.executable, "-B", "-m", "celery", "-A", "peers.celery_worker", "worker", "-Q", queue]
        command += ["--concurrency", str(concurrency), "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        environment = os.environ | {"PYTHONPATH": str(SDK), "LINESIDE_PEER": json.dumps(place._asdict())}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=place.folder, stdout=log, stderr=log, start_new_session=True
            )

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self) -> int:
        """SIGTERM, at which a worker ends what it has begun; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """SIGKILL for the worker and its pool at once: no goodbye."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def running(self) -> bool:
        return self.process.poll() is None


class Bench:
    """A producer, a queue of its own, and the workers started for it."""

    def __init__(self, url: str, folder: Path, queue: str, visibility: int):
        self.place = Place(url, str(folder), visibility)
        self.app = application(self.place)
        self.queue = queue
        self.workers = []

    def work(self, **options) -> Worker:
        self.workers.append(Worker(self.place, self.queue, **options))
        return self.workers[-1]

    def send(self, task: str, *arguments, **options):
        return self.app.tasks[task].apply_async(arguments, queue=self.queue, **options)

    def result(self, sent):
        try:
            return sent.get(timeout=WITHIN, interval=0.02)
        except self.app.backend.TimeoutError:
            pytest.fail(f"no result within {WITHIN} s\n{self.said()}")

    def lines(self, key: str, count: int) -> list[str]:
        """What tasks wrote under the key, once there are so many lines."""
        return until(lambda: (found := self.place.lines(key)) and len(found) >= count and found, WITHIN, self.said)

    def said(self) -> str:
        return self.workers[-1].tail() if self.workers else "no worker"

    def close(self) -> None:
        self.app.close()
        for worker in self.workers:
            if worker.running():
                worker.kill()


@pytest.fixture(scope="module")
def shop(sqs, tmp_path_factory):
    """One worker with two processes, for the tests that need nothing special; in the end it must stop cleanly."""
    bench = Bench(sqs.url, tmp_path_factory.mktemp("celery"), sqs.name(), visibility=30)
    worker = bench.work()
    try:
        yield bench
        assert worker.stop() == 0, worker.tail()
    finally:
        bench.close()


@pytest.fixture
def bench(sqs, tmp_path):
    """Makes benches whose workers a test starts, stops and kills by itself."""
    made = []

    def make(visibility: int, suffix: str = "") -> Bench:
        made.append(Bench(sqs.url, tmp_path, sqs.name() + suffix, visibility))
        return made[-1]

    yield make
    for one in made:
        one.close()


def empty(sqs, queue: str) -> bool:
    return sqs.counts(url_of(sqs, queue)) == (0, 0, 0)


def url_of(sqs, queue: str) -> str:
    return sqs.client.get_queue_url(QueueName=queue)["QueueUrl"]


# --- results --------------------------------------------------------------------------------------


def test_a_hundred_tasks_give_a_hundred_results_and_leave_an_empty_queue(shop, sqs):
    sent = [shop.send("add", n, 1000) for n in range(100)]
    assert [shop.result(one) for one in sent] == [n + 1000 for n in range(100)]
    until(lambda: empty(sqs, shop.queue), says=shop.said)


def test_a_task_that_fails_twice_succeeds_at_its_third_attempt(shop):
    assert shop.result(shop.send("flaky", "flaky", 2)) == 2
    assert shop.place.lines("flaky") == ["0", "1", "2"]


def test_a_task_that_fails_too_often_gives_its_error(shop):
    sent = shop.send("flaky", "hopeless", 99)
    with pytest.raises(RuntimeError, match="not yet"):
        shop.result(sent)
    assert shop.place.lines("hopeless") == ["0", "1", "2", "3", "4", "5"]


# --- time -----------------------------------------------------------------------------------------


def test_a_countdown_is_waited_for_in_the_worker(shop):
    due = time.time() + 2
    assert shop.result(shop.send("clock", countdown=2)) >= due - 0.01


def test_a_delay_is_waited_for_in_the_queue(shop, sqs):
    due = time.time() + 2
    sent = shop.send("clock", DelaySeconds=2)
    assert sqs.counts(url_of(sqs, shop.queue)) == (0, 0, 1)
    assert shop.result(sent) >= due - 0.01


# --- acknowledgements -----------------------------------------------------------------------------


def test_a_task_acknowledged_at_once_may_take_longer_than_its_visibility(bench, sqs):
    one = bench(visibility=1)
    one.work()
    sent = one.send("hold_acknowledged", "long")
    one.lines("long", 1)
    until(lambda: empty(sqs, one.queue), says=one.said)  # nothing is left that could come again
    one.place.gate("long").touch()
    assert [str(one.result(sent))] == one.place.lines("long")


def test_a_task_acknowledged_late_that_takes_longer_than_its_visibility_comes_again(bench, sqs):
    """Its first run waits for the second to begin; each acknowledges, and nothing is left."""
    one = bench(visibility=2)
    one.work()
    assert one.result(one.send("overlap", "twice")) >= 2
    assert len(set(one.place.lines("twice"))) == 2, "two processes"
    until(lambda: empty(sqs, one.queue), says=one.said)


def test_the_task_of_a_killed_worker_is_done_by_another(bench, sqs):
    one = bench(visibility=5)
    first = one.work()
    sent = one.send("hold", "job")
    (dead,) = one.lines("job", 1)
    first.kill()
    assert sqs.counts(url_of(sqs, one.queue)) == (0, 1, 0)
    one.place.gate("job").touch()
    second = one.work()
    done = str(one.result(sent))
    assert done != dead
    assert one.place.lines("job") == [dead, done]
    until(lambda: empty(sqs, one.queue), says=one.said)
    assert second.stop() == 0, second.tail()


def test_a_worker_told_to_stop_ends_its_task_and_leaves_the_rest(bench, sqs):
    one = bench(visibility=600)
    worker = one.work(concurrency=1)
    sent = [one.send("hold", "last") for _ in range(3)]
    one.lines("last", 1)
    worker.process.send_signal(signal.SIGTERM)
    until(lambda: "Warm shutdown" in worker.tail(), says=worker.tail)
    one.place.gate("last").touch()
    assert worker.process.wait(30) == 0, worker.tail()
    done = [result for result in sent if result.ready()]
    assert len(done) == len(one.place.lines("last"))
    left = 3 - len(done)
    assert left >= 1
    # What it had taken beyond its task, it gave back: another gets it long before ten minutes are over.
    one.work(concurrency=1)
    for result in sent:
        one.result(result)
    until(lambda: empty(sqs, one.queue), says=one.said)


# --- other queues ---------------------------------------------------------------------------------


def test_a_fifo_queue_does_a_group_in_order(bench, sqs):
    one = bench(visibility=30, suffix=".fifo")
    wanted = [str(n) for n in range(20)]
    for line in wanted:
        one.send("note", "order", line, MessageGroupId="g")
    one.work(concurrency=1)
    assert one.lines("order", len(wanted)) == wanted
    until(lambda: empty(sqs, one.queue), says=one.said)


def test_a_refused_task_ends_in_the_dead_letter_queue(bench, sqs):
    """kombu leaves it in a queue with a redrive policy, whose rule then counts the attempts."""
    one = bench(visibility=1)
    dead = sqs.queue()
    attributes = {"VisibilityTimeout": "1", "RedrivePolicy": sqs.redrive(dead, 2)}
    sqs.client.create_queue(QueueName=one.queue, Attributes=attributes)
    one.work()
    one.send("refuse", "refused")
    until(lambda: sqs.counts(dead) == (1, 0, 0), says=one.said)
    assert one.place.lines("refused") == ["refused"] * 2
    assert empty(sqs, one.queue)
