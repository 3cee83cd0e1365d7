"""Promises with a time: a delay, a lease. Not before, and not much later.

All moments are of this machine's monotonic clock, which a stopped server cannot stop and a wall clock
cannot move. The server took its own between the call's begin and the answer, so a message may come no
earlier than the begin plus the span, and is late when it comes well after the answer plus the span.
"""

import threading
import time

from rig.wire import Away, Refused, Wire

GRAIN = 0.002  # seconds: stamps are milliseconds
LATE = 1.5  # seconds that a busy machine may take beyond what is due


class Promises:
    """What is due when, and what came."""

    def __init__(self, port: int):
        self.port = port
        self.due = {}  # key -> (earliest, due)
        self.came = {}  # key -> moments
        self.lock = threading.Lock()
        self.blackouts = []  # (from, to): nothing could come

    def url(self, queue: str) -> str:
        return f"http://127.0.0.1:{self.port}/000000000000/{queue}"

    def make_queues(self) -> None:
        wire = Wire(self.port)
        for queue in ("delayed", "leased"):
            wire.call("CreateQueue", QueueName=queue, Attributes={"VisibilityTimeout": "900"})
        wire.close()

    def expect(self, key: str, begin: float, end: float, span: float) -> None:
        with self.lock:
            self.due[key] = (begin + span, end + span)

    def arrived(self, key: str, at: float) -> None:
        with self.lock:
            self.came.setdefault(key, []).append(at)

    def send(self, wire: Wire, key: str) -> None:
        """To the queue in which leases are watched."""
        wire.call("SendMessage", QueueUrl=self.url("leased"), MessageBody=key)

    def delay(self, wire: Wire, key: str, seconds: int) -> None:
        """Sends a message that must not come before its delay is over."""
        begin = time.monotonic()
        wire.call("SendMessage", QueueUrl=self.url("delayed"), MessageBody=key, DelaySeconds=seconds)
        self.expect(key, begin, time.monotonic(), seconds)

    def missing(self) -> list[str]:
        with self.lock:
            return [key for key in self.due if key not in self.came]

    def failures(self) -> list[str]:
        found = []
        for key, (earliest, due) in sorted(self.due.items()):
            moments = self.came.get(key, [])
            latest = self.pushed_back(due) + LATE
            if not moments:
                found.append(f"never came: {key}")
            elif moments[0] < earliest - GRAIN:
                found.append(f"early by {earliest - moments[0]:.3f} s: {key}")
            elif moments[0] > latest:
                found.append(f"late by {moments[0] - latest + LATE:.3f} s: {key}")
        return found

    def pushed_back(self, due: float) -> float:
        """The first moment at or after `due` at which the server could say anything."""
        for begin, end in self.blackouts:
            if begin - 0.1 <= due < end:
                return end
        return due


class Watch(threading.Thread):
    """Receives from one queue until it is stopped."""

    def __init__(self, promises: Promises, queue: str):
        super().__init__(daemon=True)
        self.promises, self.url = promises, promises.url(queue)
        self.wire = Wire(promises.port, timeout=120)
        self.stopping = threading.Event()
        self.trouble, self.aways = [], 0

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.turn()
            except Away:
                # A connection that nobody served for so long is closed unread, and a client comes again.
                self.aways += 1
            except Refused as failure:
                self.trouble.append(f"watching {self.url}: {failure}")
                return

    def receive(self, **more) -> tuple[float, float, list[dict]]:
        """When it was asked, when it was answered, and what came."""
        begin = time.monotonic()
        answer = self.wire.call("ReceiveMessage", QueueUrl=self.url, MaxNumberOfMessages=10, **more)
        return begin, time.monotonic(), answer.get("Messages", [])

    def delete(self, message: dict) -> None:
        self.wire.call("DeleteMessage", QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def finish(self) -> list[str]:
        self.stopping.set()
        self.join(60)
        if self.aways > 2:
            self.trouble.append(f"watching {self.url}: sent away {self.aways} times")
        return self.trouble + ([f"watching {self.url} does not end"] if self.is_alive() else [])


class WatchDelayed(Watch):
    """Long polls, one after the other; a delayed message is done with when it comes."""

    def __init__(self, promises: Promises):
        super().__init__(promises, "delayed")

    def turn(self) -> None:
        _, end, messages = self.receive(WaitTimeSeconds=1)
        for message in messages:
            self.promises.arrived(message["Body"], end)
            self.delete(message)


class WatchLeased(Watch):
    """Takes each message twice: the first time for a lease of its own, which must end in time."""

    def __init__(self, promises: Promises, leases: range, chance):
        super().__init__(promises, "leased")
        self.leases, self.chance, self.seen = leases, chance, set()

    def turn(self) -> None:
        seconds = self.chance.choice(self.leases)
        # No long poll: what begins the lease must be close to when it was asked for.
        begin, end, messages = self.receive(VisibilityTimeout=seconds)
        for message in messages:
            key = message["Body"]
            if key in self.seen:
                self.promises.arrived(key, end)
                self.delete(message)
            else:
                self.seen.add(key)
                self.promises.expect(key, begin, end, seconds)
        time.sleep(0.01)
