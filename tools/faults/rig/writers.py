"""Writers of events: each on a thread, over a kept connection, under conditions by chance; all is recorded."""

import http.client
import threading
import time
from collections import Counter
from math import inf
from random import Random

from harness.native import Line

from rig.history import Attempt

STREAMS = [f"shared-{n}" for n in range(6)]
TAGS = [f"tag:{n}" for n in range(6)]
KEYS = 8  # of this many of the newest keys one is repeated, by whoever
PAUSE = 0.004  # seconds until somebody who found no server looks again


class Known:
    """What the writers know together: the newest that any of them heard of. It may be old at any moment."""

    def __init__(self):
        self.lock = threading.Lock()
        self.versions, self.tagged = Counter(), Counter()
        self.keys: list[tuple[str, list]] = []
        self.last_key = 0

    def learn(self, attempt: Attempt) -> None:
        with self.lock:
            for stream, version in attempt.versions.items():
                self.versions[stream] = max(self.versions[stream], version)
            for _, tag in attempt.events if attempt.last else []:
                self.tagged[tag] = max(self.tagged[tag], attempt.last)
            if "actual" in attempt.moved:
                stream = attempt.moved["stream"]
                self.versions[stream] = max(self.versions[stream], attempt.moved["actual"])
            elif attempt.moved and attempt.boundary:
                tag = attempt.boundary[0]
                self.tagged[tag] = max(self.tagged[tag], attempt.moved["newest"])

    def key(self, chance: Random, events: list) -> tuple[str, list]:
        """A new key, or one that somebody has used or uses just now, and the events that go under it."""
        with self.lock:
            if self.keys and chance.random() < 0.6:
                return chance.choice(self.keys[-KEYS:])
            self.last_key += 1
            self.keys.append((f"key-{self.last_key}", events))
            return self.keys[-1]


class Writer(threading.Thread):
    """Asks, hears, records, until it is told to stop; a server that is away is looked for again."""

    def __init__(self, url: str, name: str, known: Known, chance: Random):
        super().__init__(daemon=True)
        self.url, self.name, self.known, self.chance = url, name, known, chance
        self.stopping = threading.Event()
        self.attempts: list[Attempt] = []
        self.trouble: list[str] = []
        self.unfinished: Attempt | None = None

    def run(self) -> None:
        line = Line(self.url)
        while not self.stopping.is_set() and not self.trouble:
            attempt = self.next_attempt()
            if not self.ask(line, attempt):
                line.close()
                time.sleep(PAUSE)
            self.known.learn(attempt)
            # Who does not know repeats; without a key that would be another append.
            self.unfinished = attempt if attempt.answer == "unknown" and attempt.key else None
        line.close()

    def next_attempt(self) -> Attempt:
        id, old = f"{self.name}.{len(self.attempts)}", self.unfinished
        if old:
            return Attempt(id, old.events, old.expected, old.boundary, old.key)
        chance = self.chance
        events = [(chance.choice(STREAMS), chance.choice(TAGS)) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        attempt = Attempt(id, events)
        kind = chance.random()
        if kind < 0.35:
            attempt.key, attempt.events = self.known.key(chance, events)
        if 0.25 < kind < 0.7:
            attempt.expected = {stream: self.known.versions[stream] for stream, _ in attempt.events}
        if 0.6 < kind < 0.9 or kind < 0.05:
            tag = chance.choice(attempt.events)[1]
            attempt.boundary = (tag, self.known.tagged[tag])
        return attempt

    def ask(self, line: Line, attempt: Attempt) -> bool:
        """False when nobody answered. Once a connection has broken, its server is dead: whatever it
        did, it did before that."""
        self.attempts.append(attempt)
        attempt.begin = time.monotonic()
        try:
            answer = line.append(body_of(attempt), **({"Idempotency-Key": attempt.key} if attempt.key else {}))
        except (OSError, http.client.HTTPException) as failure:
            attempt.end = inf if isinstance(failure, TimeoutError) else time.monotonic()
            return False
        attempt.end = time.monotonic()
        if answer.status == 200:
            heard(attempt, answer.json)
        elif answer.status == 409 and answer.json["type"].endswith(":moved"):
            attempt.answer, attempt.moved = "moved", answer.json
        elif answer.status == 503:
            attempt.end = inf
        else:
            self.trouble.append(f"{attempt.id}: {answer.status} {answer.body.decode(errors='replace')[:200]}")
        return answer.status != 503


def heard(attempt: Attempt, reply: dict) -> None:
    attempt.answer = "again" if reply["again"] else "done"
    attempt.first, attempt.last, attempt.versions = reply["first"], reply["last"], reply["streams"]


def body_of(attempt: Attempt) -> dict:
    body = {"events": [event(attempt, index) for index in range(len(attempt.events))]}
    if attempt.expected:
        body["expected"] = {stream: version or "empty" for stream, version in attempt.expected.items()}
    if attempt.boundary:
        tag, after = attempt.boundary
        body["boundary"] = {"query": {"tags": [tag]}, "after": after}
    return body


def event(attempt: Attempt, index: int) -> dict:
    stream, tag = attempt.events[index]
    return {"type": "Written", "stream": stream, "tags": [tag], "data": {"attempt": attempt.id, "index": index}}
