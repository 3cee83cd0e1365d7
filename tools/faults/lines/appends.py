"""kill -9 again and again while sixteen writers append under conditions; their histories are checked.

Writers share streams, tags and idempotency keys, so that expected versions, boundaries and repeats are really
fought for. In the end every event is read, and `rig.history` says whether the log explains each answer.
"""

import time
from collections import Counter
from pathlib import Path

from harness.native import Native
from rig.history import Attempt, History, Stored
from rig.outcome import Job, Outcome
from rig.server import Rigged
from rig.writers import Known, Writer

WRITERS = 16
ROUND = 60  # kills of one data directory and one history, so that neither grows without end
UPTIME = (0.01, 0.3)  # seconds from ready to the next kill
STARTING = (0.0, 0.03)  # seconds from the spawn to a kill that does not wait for ready
# Without each of these a run would prove little.
MET = {
    "done on a version": lambda a, there: a.answer == "done" and a.expected,
    "refused for a version": lambda a, there: "actual" in a.moved,
    "done under a boundary": lambda a, there: a.answer == "done" and a.boundary,
    "refused for a boundary": lambda a, there: "newest" in a.moved,
    "answered again": lambda a, there: a.answer == "again",
    "unanswered and there": lambda a, there: a.answer == "unknown" and there,
    "unanswered and not there": lambda a, there: a.answer == "unknown" and not there,
}


def run(job: Job, rigged: type[Rigged] = Rigged) -> Outcome:
    outcome, met = Outcome(0, "kills"), Counter()
    for number, start in enumerate(range(0, job.count, ROUND)):
        kills = min(ROUND, job.count - start)
        history, trouble = one_round(job, number, kills, rigged)
        outcome.failures += [f"round {number}: {line}" for line in trouble + history.failures()]
        outcome.count += kills
        met += what_was_met(history)
    if job.count >= 30:
        outcome.failures += [f"nothing was {what}, so this proves little" for what in MET if not met[what]]
    outcome.note = f"{met['acknowledged']} appends acknowledged; " + ", ".join(f"{met[what]} {what}" for what in MET)
    outcome.more = {"appends": met["acknowledged"], "events": met["events"], "met": {what: met[what] for what in MET}}
    return outcome


def one_round(job: Job, number: int, kills: int, rigged: type[Rigged]) -> tuple[History, list[str]]:
    """What happened, and what should not have."""
    server = rigged(job.sub(f"round-{number}") / "server")
    known, chance = Known(), job.chance(number)
    writers = []
    try:
        server.start()
        for n in range(WRITERS):
            writers.append(Writer(server.url, f"w{n}", known, job.chance(number, n)))
            writers[-1].start()
        for _ in range(kills):
            one_kill(server, chance)
        trouble = [line for writer in writers for line in finish(writer)]
        attempts = [attempt for writer in writers for attempt in writer.attempts]
        return History(attempts, everything(Native(server.url))), trouble
    finally:
        for writer in writers:
            writer.stopping.set()
        server.end()


def one_kill(server: Rigged, chance) -> None:
    if chance.random() < 0.2:
        server.kill()
        server.spawn()
        time.sleep(chance.uniform(*STARTING))
    else:
        time.sleep(chance.uniform(*UPTIME))
    server.kill()
    server.start()


def finish(writer: Writer) -> list[str]:
    writer.stopping.set()
    writer.join(60)
    return writer.trouble + ([f"{writer.name} does not come to its end"] if writer.is_alive() else [])


def everything(api: Native) -> list[Stored]:
    found, page = [], {"next": 1}
    while page["next"]:
        page = api.read(from_=page["next"], limit=1000)
        found += map(stored, page["events"])
    return found


def stored(event: dict) -> Stored:
    (tag,) = [tag for tag in event["tags"].split(",") if tag.startswith("tag:")]
    number, version = int(event["eventnumber"]), int(event["streamversion"])
    return Stored(number, event["stream"], version, event["data"]["attempt"], event["data"]["index"], tag)


def what_was_met(history: History) -> Counter:
    met = Counter(events=len(history.events))
    for attempt in history.attempts:
        met["acknowledged"] += attempt.answer == "done"
        for what, holds in MET.items():
            met[what] += bool(holds(attempt, attempt.id in history.places))
    return met
