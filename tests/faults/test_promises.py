"""Promises with a time: kept, early, late, forgotten, and pushed back by a stop."""

from rig.promises import LATE, Promises


def story(due: float, *came: float, blackouts=()) -> list[str]:
    promises = Promises(0)
    promises.expect("m", due - 10.01, due - 10, 10)
    for moment in came:
        promises.arrived("m", moment)
    promises.blackouts.extend(blackouts)
    return promises.failures()


def test_kept():
    assert story(100, 100.1) == []


def test_early():
    assert story(100, 99.9) == ["early by 0.090 s: m"]


def test_late():
    assert len(found := story(100, 100 + LATE + 1)) == 1 and found[0].startswith("late by")


def test_forgotten():
    assert story(100) == ["never came: m"]


def test_nothing_can_come_from_a_process_that_stands_still():
    assert story(100, 130.2, blackouts=[(99, 130)]) == []
    assert story(100, 130 + LATE + 1, blackouts=[(99, 130)]) != []
