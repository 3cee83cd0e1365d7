"""SIGSTOP under load: the process stands still, time does not.

What was due meanwhile must come right after, what was not must not come early, a long poll across the
stop is answered, and a deduplication id is remembered.
"""

import os
import signal
import time

from rig.outcome import Job, Outcome
from rig.promises import LATE, Promises, WatchDelayed, WatchLeased
from rig.server import Rigged
from rig.story import Load, Story
from rig.wire import Wire

BEFORE = 2.0  # seconds of load before the stop
EACH = 0.02  # seconds between two promises


def run(job: Job) -> Outcome:
    """`count` is the length of the stop in seconds."""
    server = Rigged(job.folder)
    try:
        server.start()
        return Paused(job, server).run()
    finally:
        if server.running():
            server.process.send_signal(signal.SIGCONT)
        server.end()


class Paused:
    """One stop and what was promised around it."""

    def __init__(self, job: Job, server: Rigged):
        self.job, self.server = job, server
        self.promises = Promises(server.port)
        # A client that gave up would leave a lease behind that nobody knows of.
        self.story = Story(server.port, lease=job.count + 10, patience=120)
        self.spans = range(1, job.count + 4)
        self.wire = Wire(server.port, timeout=120)
        self.found = []

    def run(self) -> Outcome:
        self.promises.make_queues()
        self.story.make_queues()
        watches = [WatchDelayed(self.promises), WatchLeased(self.promises, self.spans, self.job.chance("leases"))]
        for watch in watches:
            watch.start()
        with Load(self.story, producers=2, consumers=1) as load:
            self.promise(BEFORE)
            before = self.remembered("before")
            self.stop()
            if self.remembered("before") != before:
                self.found.append("a deduplication id was forgotten")
            self.promise(1.0)
        self.wait()
        for watch in watches:
            self.found += watch.finish()
        self.story.settle(120)
        status = self.server.stop()
        self.found += load.trouble + self.story.failures() + ([f"the shutdown: {status}"] if status else [])
        return self.outcome()

    def promise(self, seconds: float) -> None:
        """Delays and leases, a few each moment, some of which end in the stop and some after it."""
        chance, until = self.job.chance("delays", seconds), time.monotonic() + seconds
        number = len(self.promises.due)
        while time.monotonic() < until:
            number += 1
            self.promises.delay(self.wire, f"delay-{seconds}-{number}", chance.choice(self.spans))
            self.promises.send(self.wire, f"lease-{seconds}-{number}")
            time.sleep(EACH)

    def remembered(self, text: str) -> str:
        """The message that a deduplication id stands for."""
        answer = self.wire.call(
            "SendMessage", QueueUrl=self.story.url("fifo"), MessageBody="p-dedup/g/0",
            MessageGroupId="dedup", MessageDeduplicationId=text,
        )  # fmt: skip
        return answer["MessageId"]

    def stop(self) -> None:
        os.kill(self.server.process.pid, signal.SIGSTOP)
        begin = time.monotonic()
        time.sleep(self.job.count)
        os.kill(self.server.process.pid, signal.SIGCONT)
        self.promises.blackouts.append((begin, time.monotonic()))
        self.wire.close()  # the server may have closed it, idle for so long

    def wait(self) -> None:
        """Until everything came, or is so late that it is lost."""
        last = max(due for _, due in self.promises.due.values()) + self.spans.stop + 2 * LATE
        while self.promises.missing() and time.monotonic() < last:
            time.sleep(0.05)

    def outcome(self) -> Outcome:
        count = len(self.promises.due)
        outcome = Outcome(count, "promises", failures=self.found + self.promises.failures())
        outcome.note = f"stopped for {self.job.count} s; {self.story.sent()} sends acknowledged beside"
        outcome.more = {"stopped_seconds": self.job.count, "sends": self.story.sent()}
        return outcome
