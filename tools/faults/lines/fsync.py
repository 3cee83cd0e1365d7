"""A sync or a write of the log fails once under load, and the next start is clean.

The failing call is held up before it fails, so that whatever is acknowledged while it lasts, or later,
was acknowledged in spite of it. The server must say so, and end, and not with success. Only a write that
finds no room ends nobody: nothing is acknowledged while it lasts, and then the same process goes on.
"""

import time
from typing import NamedTuple

from killloop.journal import Deleted, Received, Sent
from rig import preload, strace
from rig.errnos import injection
from rig.outcome import Job, Outcome
from rig.server import Rigged
from rig.story import Load, Story

HELD_UP = 1.0  # seconds between the failing call's begin and its end
ON_ITS_WAY = 0.4  # of those: an answer released before may take so long to its reader
LEASE = 1  # seconds
DEEPEST = 120  # the failing call is one of the first so many of its kind
ENDS_WITHIN = 10  # seconds
GOES_ON = 0.5  # seconds of load after the server says that it is ready again
POLL = 0.01  # seconds
FAULTS = (
    ("fdatasync", "EIO"),
    ("fdatasync", "EIO"),
    ("fdatasync", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("pwrite64", "ENOSPC"),
)


class Case(NamedTuple):
    """The `ordinal`-th call to the log's file fails."""

    call: str
    fault: str
    ordinal: int

    def __str__(self) -> str:
        return f"{self.call} {self.ordinal} says {self.fault}"

    @property
    def goes_on(self) -> bool:
        """Whether nothing was written, and nothing is wrong but that there was no room."""
        return (self.call, self.fault) == ("pwrite64", "ENOSPC")


def run(job: Job) -> Outcome:
    outcome = Outcome(0, "failures")
    library = preload.build(job.folder)
    sent = 0
    for number in range(job.count):
        chance = job.chance(number)
        call, fault = FAULTS[number % len(FAULTS)]
        case = Case(call, fault, chance.randrange(1, DEEPEST))
        found, story = one(job.sub(f"case-{number}"), case, library)
        outcome.failures += [f"{case}: {line}" for line in found]
        outcome.count += 1
        sent += story.sent()
    outcome.note = f"{sent} sends acknowledged, none after the failure" if not outcome.failures else ""
    outcome.more = {"sends": sent}
    return outcome


def one(folder, case: Case, library) -> tuple[list[str], Story]:
    server = Rigged(folder.resolve())
    story = Story(server.port, LEASE)
    log = server.folder / "strace"
    fault = injection(case.call, case.fault, case.ordinal) + f":delay_enter={int(HELD_UP * 1_000_000)}"
    tracer = None
    try:
        # Made before, so that the fault meets the load and not the making.
        server.start()
        story.make_queues()
        assert server.stop() == 0
        tracer = strace.Tracer(log, case.call, fault, str(max(server.data.glob("**/*.segment"))))
        server.spawn(preload.held(library))
        tracer.join(server.process.pid)
        found = refused_under_load(story, server) if case.goes_on else under_load(story, server)
        tracer.finish()
        return found + late(story, log, case.goes_on) + after(story, server), story
    finally:
        server.end()
        if tracer:
            tracer.finish()


def under_load(story: Story, server: Rigged) -> list[str]:
    """Load until the server ends by itself; what is wrong with its end."""
    story.life += 1
    with Load(story, producers=4, consumers=1) as load:
        status = server.exit_within(ENDS_WITHIN)
    said = server.sentences()
    found = load.trouble
    if status is None:
        return [*found, f"it went on for {ENDS_WITHIN} s"]
    if status <= 0 or not said or "panicked" in server.said():
        return [*found, f"it ended with {status} and said {said}"]
    return found


def refused_under_load(story: Story, server: Rigged) -> list[str]:
    """Load until the server has gone on by itself for a while; what is wrong with how it did."""
    story.life += 1
    deadline = time.monotonic() + ENDS_WITHIN
    with Load(story, producers=4, consumers=1) as load:
        while server.sentences()[-1:] != ["ready again"] and time.monotonic() < deadline:
            time.sleep(POLL)
        before = story.sent()
        time.sleep(GOES_ON)
    said, sent, status = server.sentences(), story.sent() - before, server.stop()
    found = load.trouble + ([f"the shutdown: {status}"] if status else [])
    if len(said) != 2 or "No space left" not in said[0] or said[1] != "ready again":
        found.append(f"it said {said}")
    return found if sent else [*found, "nothing was acknowledged any more"]


def late(story: Story, log, goes_on: bool = False) -> list[str]:
    """Acknowledgements that cannot rest on an earlier sync, up to when it may go on."""
    failed = [call for call in strace.read(log) if call.injected]
    if not failed:
        return ["the fault met nothing"]
    # strace has the wall clock, the journal the monotonic one.
    since = min(call.at for call in failed) - time.time() + time.monotonic() + ON_ITS_WAY
    kinds = (Sent, Deleted, Received)
    until = since - ON_ITS_WAY + HELD_UP if goes_on else float("inf")
    late = [e for e in story.entries if isinstance(e, kinds) and since < e.at < until and promises(e)]
    return [f"acknowledged {e.at - since + ON_ITS_WAY:.3f} s after the failing call began: {e}" for e in late]


def promises(entry) -> bool:
    """A standard queue's lease may be forgotten, so handing out is no promise there."""
    return not isinstance(entry, Received) or entry.queue == "fifo"


def after(story: Story, server: Rigged) -> list[str]:
    """A clean start with everything that was acknowledged."""
    server.start()
    story.life += 1
    told = [line for line in server.sentences() if "unfinished write" not in line]
    story.settle()
    status = server.stop()
    wrong = [f"the next start says {told}"] if told else []
    return wrong + ([f"the next shutdown: {status}"] if status else []) + story.failures()
