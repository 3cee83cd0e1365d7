"""What a worker saw, one JSON line each, with the machine's monotonic time.

CLOCK_MONOTONIC is one clock for all processes of a machine, so entries of different workers can be
put in order. A worker writes *before* it asks for a deletion and *after* it got an answer, so the
order of entries never contradicts the order in which the server did things.
"""

import json
import time
from pathlib import Path
from typing import NamedTuple


class Sent(NamedTuple):
    """A send that was acknowledged."""

    at: float
    queue: str
    key: str
    message: str  # its MessageId


class Received(NamedTuple):
    """One answer with messages, in the order of the answer."""

    at: float
    since: float  # when it was asked for
    queue: str
    keys: list
    messages: list


class Asked(NamedTuple):
    """A deletion is about to be asked for; it may or may not happen."""

    at: float
    queue: str
    keys: list


class Deleted(NamedTuple):
    """A deletion was acknowledged."""

    at: float
    queue: str
    keys: list


KINDS = {kind.__name__: kind for kind in (Sent, Received, Asked, Deleted)}


class Journal:
    """One worker's file."""

    def __init__(self, path: Path):
        self.file = path.open("a", buffering=1)

    def write(self, kind, *values) -> None:
        self.file.write(json.dumps([kind.__name__, time.monotonic(), *values]) + "\n")


def read(folder: Path) -> list:
    """The entries of all workers, in the order of time."""
    entries = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            name, *values = json.loads(line)
            entries.append(KINDS[name](*values))
    return sorted(entries, key=lambda entry: entry.at)
