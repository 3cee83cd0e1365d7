"""A server that breaks its promise is caught: each rig, turned on one that is told to be careless."""

import os
import subprocess
import sys
import time

import pytest
from harness.server import BINARY
from killloop.journal import Received, Sent
from lines import fsync, power
from lines.table import POWER, Line
from rig import machine, preload, strace
from rig.outcome import Job
from rig.story import Story

CARELESS = "interval=60000"  # answers long before it syncs


@pytest.fixture(autouse=True)
def binary():
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is not there")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if not machine.there("cc"):
        pytest.skip("needs cc")
    return preload.build(tmp_path_factory.mktemp("library"))


def job(tmp_path, name: str, count: int) -> Job:
    return Job(name, 1, False, tmp_path, count)


def needs(*tools: str, root: bool = False, mounts: bool = False) -> None:
    missing = machine.missing(Line("t", "", "", 1, 1, 1, tools, root, mounts))
    if missing:
        pytest.skip(missing)


def test_power_cuts_find_what_was_not_synced(tmp_path):
    needs(*POWER, root=True)
    found = power.run(job(tmp_path, "power", 2), durability=CARELESS).failures
    assert any(line.startswith("lost: ") for line in found), found


def failed_sync(tmp_path, seconds_ago: float):
    """strace's words about a sync that failed so long ago."""
    log = tmp_path / "strace"
    at = time.time() - seconds_ago
    log.write_text(f"7 {at:.6f} fdatasync(9</d/1.segment>) = -1 EIO (Input/output error) (INJECTED) (DELAYED)\n")
    return log


@pytest.mark.parametrize(("ago", "caught"), [(5.0, True), (0.0, False)])
def test_acknowledgements_after_a_failed_sync_are_found(tmp_path, ago, caught):
    story = Story(0)
    story.write(Sent, "standard", "p/s/0", "id")
    assert bool(fsync.late(story, failed_sync(tmp_path, ago))) == caught


def test_a_handed_out_standard_message_is_no_promise(tmp_path):
    story = Story(0)
    story.write(Received, 0.0, "standard", ["p/s/0"], ["id"])
    assert fsync.late(story, failed_sync(tmp_path, 5.0)) == []


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_transfer_is_cut_short_once(tmp_path, library):
    log = tmp_path / "log"
    code = f"import os; f = os.open({str(tmp_path / 'f')!r}, os.O_CREAT | os.O_RDWR); "
    code += "print([os.pwrite(f, b'x' * 10, 0) for _ in range(4)])"
    assert python(code, **preload.cut(library, "pwrite64", 3, log)) == "[10, 10, 5, 10]"
    assert log.exists()


def test_only_the_wall_clock_is_away(tmp_path, library):
    clock = preload.WallClock(library, tmp_path / "clock")
    clock.set(-7200)
    code = "import time; print(int(time.time()), int(time.monotonic()))"
    plain, away = python(code).split(), python(code, **clock.environment()).split()
    assert 7190 < int(plain[0]) - int(away[0]) < 7210
    assert 0 <= int(away[1]) - int(plain[1]) < 60


def test_a_call_fails_where_it_was_told_to(tmp_path, library):
    needs("strace")
    path = tmp_path / "f"
    path.write_bytes(b"x")
    code = f"open({str(path)!r}).read()\ntry: open({str(path)!r})\nexcept OSError as e: print(e.errno)"
    tracer = strace.Tracer(tmp_path / "log", "openat", "openat:error=EMFILE:when=2", str(path))
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **preload.held(library)}, stdout=subprocess.PIPE, text=True
    )
    tracer.join(process.pid)
    said = process.communicate(timeout=30)[0]
    tracer.finish()
    assert said.strip() == "24"
    assert [call.injected for call in strace.read(tmp_path / "log")] == [False, True]
