"""The Celery application that producer and workers share, and the tasks it knows.

Tasks write what they do into a file of `folder`, one line for each beginning, so that a test sees
attempts, not only results; results go to files there too, as no other server shall be needed.
"""

import os
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from celery import Celery, Task
from celery.exceptions import Reject

PATIENCE = 60.0  # seconds; a task that waits in vain fails, it does not hang


class Place(NamedTuple):
    """Where a server listens, where files go, and for how many seconds a received message is hidden."""

    url: str
    folder: str
    visibility: int = 30

    def journal(self, key: str) -> Path:
        return Path(self.folder, f"{key}.journal")

    def lines(self, key: str) -> list[str]:
        """What the tasks wrote under this key; a line that is being written counts when it is whole."""
        try:
            text = self.journal(key).read_text()
        except FileNotFoundError:
            return []
        return [line.rstrip("\n") for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def write(self, key: str, line: str) -> None:
        with self.journal(key).open("a") as journal:
            journal.write(f"{line}\n")

    def gate(self, key: str) -> Path:
        """A file; `pass_gate` waits until it is there."""
        return Path(self.folder, f"{key}.gate")

    def pass_gate(self, key: str) -> None:
        wait(lambda: self.gate(key).exists())


def wait(look) -> None:
    """Another process's file is no event, hence the short naps."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError("what this task waits for did not come")
        time.sleep(0.01)


def application(place: Place) -> Celery:
    """Celery on kombu's SQS transport; all that differs from its defaults is said here."""
    app = Celery("peers", set_as_current=False)
    app.conf.update(
        broker_url=place.url.replace("http://", "sqs://test:test@"),
        broker_transport_options={
            "is_secure": False,
            "region": "us-east-1",
            "visibility_timeout": place.visibility,
            "polling_interval": 0.1,
            "wait_time_seconds": 2,  # a worker ends between two polls
        },
        result_backend=Path(place.folder).as_uri(),
        worker_enable_remote_control=False,  # needs a fan-out, which is not SQS's
        worker_hijack_root_logger=False,
    )
    register(app, place)
    return app


def register(app: Celery, place: Place) -> None:
    task = partial(app.task, shared=False)  # shared, they would be those of every application of a process

    @task(name="add")
    def add(a: int, b: int) -> int:
        return a + b

    @task(name="clock")
    def clock() -> float:
        return time.time()

    @task(name="note")
    def note(key: str, line: str) -> None:
        place.write(key, line)

    @task(name="flaky", bind=True, max_retries=5)
    def flaky(self: Task, key: str, failures: int) -> int:
        """Fails so many times; returns how often it was retried."""
        place.write(key, str(self.request.retries))
        if self.request.retries < failures:
            # Not at once: a worker writes "retry" after it has sent the next attempt, and would write over
            # what another process has made of that meanwhile.
            raise self.retry(exc=RuntimeError("not yet"), countdown=1)
        return self.request.retries

    @task(name="hold", acks_late=True)
    def hold(key: str) -> int:
        """Begins, waits at the gate, and returns the process that did it."""
        place.write(key, str(os.getpid()))
        place.pass_gate(key)
        return os.getpid()

    @task(name="hold_acknowledged")
    def hold_acknowledged(key: str) -> int:
        return hold.run(key)

    @task(name="overlap", acks_late=True)
    def overlap(key: str) -> int:
        """Ends only when it was begun twice: how often."""
        place.write(key, str(os.getpid()))
        wait(lambda: len(place.lines(key)) >= 2)
        return len(place.lines(key))

    @task(name="refuse", acks_late=True)
    def refuse(key: str) -> None:
        place.write(key, "refused")
        raise Reject("never", requeue=False)
