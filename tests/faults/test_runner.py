"""What the runner makes of results: a line that is missing, failed, did nothing, or was skipped."""

import argparse
import json

import pytest
from lines.command import judged as judged_command
from lines.table import LINES
from rig import machine, runner
from rig.outcome import Job, Outcome

LINE = LINES[1]
OPTIONS = argparse.Namespace(seed=7, short=False)


def judged(tmp_path, monkeypatch, outcome: Outcome | None) -> runner.Result:
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    file = tmp_path / "line.json"
    if outcome:
        file.write_text(json.dumps(outcome.to_json()))
    return runner.judged(LINE, OPTIONS, file, "exit status 1")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(200, "cycles"), "ok"),
        (Outcome(200, "cycles", failures=["lost: a"]), "FAILED"),
        (Outcome(0, "cycles"), "FAILED"),
        (Outcome(0, "", skipped="needs root"), "SKIPPED"),
        (None, "MISSING"),
    ],
)
def test_status(tmp_path, monkeypatch, outcome, status):
    result = judged(tmp_path, monkeypatch, outcome)
    assert result.status == status
    assert runner.verdict([LINE], [result]) == (1 if status in ("FAILED", "MISSING") else 0)
    assert "SEED=7" in result.text()


def test_a_line_without_a_result_fails_the_run():
    assert runner.verdict([LINE], []) == 1


def test_a_failure_says_how_to_repeat_it(tmp_path, monkeypatch):
    failures = judged(tmp_path, monkeypatch, Outcome(1, "cycles", failures=["lost: a"])).failures
    assert "make faults ONLY=kill SEED=7" in failures[-1]


def test_every_fault_has_a_line():
    names = {line.name for line in LINES}
    engine = {"kill", "moves", "appends", "power", "syscalls", "full", "fsync", "pause", "clock", "sim"}
    assert names == {"rigs", "images", "bytes"} | engine


def test_without_root_a_line_that_needs_it_is_skipped(monkeypatch):
    monkeypatch.setattr(machine, "is_root", lambda: False)
    power = next(line for line in LINES if line.name == "power")
    assert machine.missing(power) == "needs root"


def test_a_machine_that_forbids_a_tool_skips_its_lines_and_says_so(monkeypatch):
    monkeypatch.setitem(machine.PROBES, "strace", ("cannot trace here", ["false"]))
    machine.forbidden.cache_clear()
    line = next(line for line in LINES if line.name == "syscalls")
    assert machine.missing(line) == "this machine cannot trace here: false"
    machine.forbidden.cache_clear()


@pytest.mark.parametrize(
    ("said", "status", "wrong"),
    [
        ("2,000 crash images, all as the fold", 0, ""),
        ("1999 crash images", 0, "only 1999 images of 2000"),
        ("running 0 tests … ok", 0, "did not say how many"),
        ("2000 crash images\nthread panicked", 101, "exit status 101"),
    ],
)
def test_another_programs_count(tmp_path, said, status, wrong):
    job = Job("images", 1, False, tmp_path, 2000)
    failures = judged_command(job, said, status, "images", r"([\d,_]+) crash images").failures
    assert [wrong in line for line in failures] == ([True] if wrong else [])


def test_a_test_that_passed_counts_for_what_it_holds(tmp_path):
    job = Job("bytes", 1, False, tmp_path, 20)
    said = "test rot::a ... ok\ntest rot::b ... ok\n"
    assert judged_command(job, said, 0, "bytes", r"rot::\w+ \.\.\. ok", 10).count == 20
    assert judged_command(job, said, 0, "bytes", r"rot::\w+ \.\.\. ok", 9).failures == ["only 18 bytes of 20"]
