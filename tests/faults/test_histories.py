"""Histories of appends: the right one passes, and each that is wrong in one way is found out."""

import shutil
from dataclasses import replace
from math import inf

import pytest
from harness.server import BINARY
from lines import appends
from rig.history import Attempt, History, Stored
from rig.outcome import Job
from rig.server import Rigged


def done(id: str, begin: float, first: int, versions: dict, events: list, **more) -> Attempt:
    last = first + len(events) - 1
    told = {"answer": "done", "begin": begin, "end": begin + 1, "first": first, "last": last, "versions": versions}
    return Attempt(id, events, **(told | more))


def events_of(*attempts: Attempt) -> list[Stored]:
    """The log in which these stand one after the other."""
    found, versions = [], {}
    for attempt in attempts:
        for index, (stream, tag) in enumerate(attempt.events):
            versions[stream] = versions.get(stream, 0) + 1
            found.append(Stored(len(found) + 1, stream, versions[stream], attempt.id, index, tag))
    return found


OPEN = done("open", 0, 1, {"s": 1}, [("s", "t")], expected={"s": 0})
PAY = done("pay", 2, 2, {"s": 2, "u": 1}, [("s", "t"), ("u", "x")], expected={"s": 1, "u": 0})
BOOK = done("book", 4, 4, {"u": 2}, [("u", "t")], boundary=("t", 2), key="k")
LATE = done("late", 6, 4, {"u": 2}, [("u", "t")], key="k", answer="again")
TAKEN = Attempt("taken", [("s", "t")], {"s": 1}, begin=5, end=8, answer="moved", moved={"stream": "s", "actual": 2})
BUSY = Attempt("busy", [("s", "t")], {}, ("t", 2), begin=5, end=8, answer="moved", moved={"newest": 4})
THERE = Attempt("there", [("s", "x")], {"s": 2}, begin=9, end=10)
NEVER = Attempt("never", [("s", "x")], {"s": 2}, begin=9, end=10)
RIGHT = [OPEN, PAY, BOOK, LATE, TAKEN, BUSY, THERE, NEVER]
LOG = [OPEN, PAY, BOOK, THERE]


def found(attempts=RIGHT, log=LOG, events=None) -> list[str]:
    return History(attempts, events_of(*log) if events is None else events).failures()


def but(attempt: Attempt, **more) -> list[Attempt]:
    """The right history, with one attempt that went otherwise."""
    return [replace(other, **more) if other is attempt else other for other in RIGHT]


def test_a_right_history_passes():
    assert found() == []


EVENTS = events_of(*LOG)
AGAIN = replace(LATE, answer="done", first=6, last=6, versions={"u": 3})
WRONG = {
    "a gap: event 3": {"events": EVENTS[:1] + EVENTS[2:]},
    "a gap: s": {"events": [replace(event, version=event.version + (event.number > 4)) for event in EVENTS]},
    "nobody appended": {"attempts": [attempt for attempt in RIGHT if attempt is not THERE]},
    "not whole": {"events": [replace(e, number=2) for e in EVENTS if e.attempt == "pay" and e.index]},
    "not whole, or not once": {"log": [OPEN, PAY, BOOK, THERE, THERE]},
    "lost: book": {"log": [OPEN, PAY, THERE]},
    "elsewhere: pay": {"attempts": but(PAY, first=3, last=4)},
    "other versions: pay": {"attempts": but(PAY, versions={"s": 2, "u": 2})},
    "refused and there: taken": {"log": [*LOG, TAKEN]},
    "refused and there: late": {"log": [*LOG, LATE]},
    "taken at 1 of s: pay": {"attempts": but(PAY, expected={"s": 0})},
    "taken at 2 of s: there": {"attempts": but(THERE, expected={"s": 1})},  # it has no answer, and counts
    "on the same version 1 of s": {"attempts": [*RIGHT, done("pay2", 2, 6, {"s": 2}, [("s", "t")], expected={"s": 1})]},
    "taken over 2: book": {"attempts": but(BOOK, boundary=("t", 1))},
    "appended twice under k": {"attempts": but(LATE, **vars(AGAIN)), "log": [*LOG, LATE]},
    "answered in two ways under k": {"attempts": but(LATE, first=1, last=1)},
    "taken as new twice under k": {"attempts": but(LATE, answer="done")},
    "k had its answer": {"attempts": but(LATE, answer="moved", moved={"newest": 4}, boundary=("t", 2))},
    "answered with nothing": {"attempts": [replace(LATE, key="other"), *RIGHT[:3], *RIGHT[4:]]},
    "out of order: book": {"attempts": but(BOOK, begin=11, end=12)},
    "out of order: pay": {"log": [PAY, OPEN, BOOK, THERE]},
    "as expected": {"attempts": but(TAKEN, expected={"s": 2})},
    "version 7 of s, which is not there": {"attempts": but(TAKEN, moved={"stream": "s", "actual": 7})},
    "version 3 of s, which nobody had asked for": {"attempts": but(TAKEN, moved={"stream": "s", "actual": 3})},
    "version 1 of s, which was older": {"attempts": but(TAKEN, expected={"s": 0}, moved={"stream": "s", "actual": 1})},
    "event 3, which is not of t": {"attempts": but(BUSY, moved={"newest": 3})},
    "event 2, which is not of t behind 2": {"attempts": but(BUSY, moved={"newest": 2})},
    "event 4, which nobody had asked for": {"attempts": but(BUSY, begin=2, end=3)},
}


@pytest.mark.parametrize("told", WRONG)
def test_a_wrong_history_is_found_out(told):
    assert any(told in line for line in found(**WRONG[told])), found(**WRONG[told])


def test_what_lost_its_connection_ended_with_it_and_what_was_not_answered_may_come_later():
    later = done("later", 20, 5, {"u": 3}, [("u", "x")])
    log, attempts = [OPEN, PAY, BOOK, later, THERE], [*RIGHT, later]
    assert any("out of order: later" in line for line in found(attempts, log))
    patient = [replace(attempt, end=inf) if attempt is THERE else attempt for attempt in attempts]
    assert found(patient, log) == []


class Forgetful(Rigged):
    """A server whose disk is another one after each kill."""

    def kill(self) -> None:
        super().kill()
        shutil.rmtree(self.data, ignore_errors=True)


def test_a_server_that_forgets_is_caught(tmp_path):
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is not there")
    told = appends.run(Job("appends", 1, False, tmp_path, 2), Forgetful).failures
    assert any("lost: " in line for line in told), told


def test_a_run_that_meets_nothing_is_no_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(appends, "one_round", lambda *_: (History(RIGHT, EVENTS), []))
    told = appends.run(Job("appends", 1, False, tmp_path, 60)).failures
    assert told == []
    monkeypatch.setattr(appends, "one_round", lambda *_: (History([OPEN], EVENTS[:1]), []))
    told = appends.run(Job("appends", 1, False, tmp_path, 60)).failures
    assert any("nothing was answered again" in line for line in told), told
