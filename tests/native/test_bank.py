"""`lineside demo bank`: a small year, whole; the same seed is the same story; a server that is left can be asked."""

import json
import os
import re
import signal
import subprocess
import urllib.request

import pytest
from harness.server import BINARY

SMALL = ["--accounts", "50", "--days", "60"]


@pytest.fixture
def bank(tmp_path):
    """Plays it, with a folder of its own for what is temporary."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    def bank(*arguments: str) -> subprocess.CompletedProcess:
        command = [BINARY, "demo", "bank", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=90, env=environment)

    return bank


def test_it_holds_and_leaves_nothing(bank, tmp_path):
    done = bank("--exit", *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = re.findall(r"^    (ok|FAILED) +(\w+ ?\w*)  ", done.stdout, re.M)
    assert {verdict for verdict, _ in verdicts} == {"ok"}, done.stdout
    assert len(verdicts) == 9 and "All of it held" in done.stdout
    assert "day 60 of 60" in done.stdout and "Kiosk 24" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_is_the_same_log(bank):
    told = [json.loads(bank("--json", "--seed", seed, *SMALL).stdout) for seed in ("1", "1", "2")]
    assert all(story["held"] for story in told)
    same = [{name: story[name] for name in ("events", "totals", "digest")} for story in told]
    assert same[0] == same[1] and same[0]["digest"] != same[2]["digest"]
    assert [check["ok"] for check in told[0]["checks"]] == [True] * 9


def test_its_server_runs_on_and_what_it_says_to_try_works(bank, tmp_path):
    done = bank(*SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    pid = int(re.search(r"kill (\d+);", done.stdout)[1])
    try:
        lines = done.stdout.split("Try\n")[1].strip().splitlines()
        assert len(lines) == 5
        for line in lines[:-1]:
            tried = subprocess.run(
                ["sh", "-c", line.replace("lineside", str(BINARY), 1)], capture_output=True, text=True, timeout=30
            )
            assert tried.returncode == 0 and tried.stdout.strip(), line
        url = re.search(r"runs on at (http\S+)\. Try", done.stdout)[1]
        with urllib.request.urlopen(url + "/_lineside/health", timeout=5) as answer:
            assert json.load(answer)["ready"]
    finally:
        os.kill(pid, signal.SIGTERM)
    assert [path.name.startswith("lineside-bank-") for path in tmp_path.iterdir()] == [True]


def test_too_small_a_bank_is_no_bank(bank):
    done = bank("--exit", "--accounts", "1")
    assert done.returncode == 2 and "10..=5000" in done.stderr
