"""The check of the kill loop can fail: each rule, kept and broken."""

import pytest
from killloop import check
from killloop.journal import Asked, Deleted, Received, Sent

FIFO = {"fifo"}


def story(*steps) -> list:
    """Entries with the time of their place; a receive was asked for half a step before."""
    return [
        kind(at, *([at - 0.5] if kind is Received else []), *values) for at, (kind, *values) in enumerate(steps)
    ]


def sent(key, queue="fifo", message=None):
    return (Sent, queue, key, message or f"id-{key}")


def received(*keys, queue="fifo", messages=None):
    return (Received, queue, list(keys), messages or [f"id-{key}" for key in keys])


GOOD = [
    (sent("p/g/0"), received("p/g/0"), (Asked, "fifo", ["p/g/0"]), (Deleted, "fifo", ["p/g/0"])),
    (sent("p/g/0"), sent("p/g/1"), received("p/g/0", "p/g/1"), received("p/g/0", "p/g/1")),
    (received("p/g/0"), received("p/g/0"), (Asked, "fifo", ["p/g/0"]), received("p/g/1")),
    (sent("p/g/0", "standard"), sent("p/g/1", "standard"), received("p/g/1", "p/g/0", queue="standard")),
]


@pytest.mark.parametrize("steps", GOOD)
def test_nothing_is_wrong(steps):
    assert check.failures(story(*steps), FIFO) == []


BAD = {
    "lost": (sent("p/g/0"), sent("p/g/1"), received("p/g/0")),
    "back again": (received("p/g/0"), (Asked, "fifo", ["p/g/0"]), (Deleted, "fifo", ["p/g/0"]), received("p/g/0")),
    "twice": (sent("p/g/0"), received("p/g/0", messages=["another"])),
    "overtaken": (received("p/g/0"), received("p/g/1")),
    "out of order": (received("p/g/1"),),
}


@pytest.mark.parametrize("word", BAD)
def test_something_is_wrong(word):
    found = check.failures(story(*BAD[word]), FIFO)
    assert found and any(line.startswith(word) for line in found), found


def test_a_standard_queue_may_repeat_and_reorder_but_not_lose():
    steps = [received("p/g/1", queue="standard"), (Deleted, "standard", ["p/g/1"])]
    steps += [received("p/g/1", queue="standard"), sent("p/g/0", "standard")]
    assert check.failures(story(*steps), FIFO) == ["lost: standard p/g/0"]


def test_an_answer_written_down_late_is_not_held_against_the_server():
    late = Received(9.0, 1.0, "fifo", ["p/g/0"], ["id"])
    assert check.failures([Deleted(5.0, "fifo", ["p/g/0"]), late], FIFO) == []
