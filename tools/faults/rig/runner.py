"""Runs the lines, each in a process of its own, and prints one line for each."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from harness.server import BINARY, ROOT
from lines.table import LINES, Line

from rig import machine

WORK = ROOT / "target/faults"
LONG = 60  # times the patience of the short form
RUNNING = set()  # the lines' processes


@dataclass
class Result:
    """What is printed of a line."""

    line: Line
    seed: int
    status: str  # ok, FAILED, SKIPPED, MISSING
    seconds: float = 0.0
    count: int = 0
    unit: str = ""
    note: str = ""
    failures: list[str] = field(default_factory=list)
    more: dict = field(default_factory=dict)

    def text(self) -> str:
        amount = f"{self.count} {self.unit}" if self.unit else "-"
        head = f"{self.line.name:<10} {self.status:<8} {amount:<18} {self.seconds:6.1f} s"
        return f"{head}  SEED={self.seed:<7} {self.note}"

    def to_json(self) -> dict:
        return {
            "name": self.line.name, "title": self.line.title, "seed": self.seed, "status": self.status,
            "seconds": round(self.seconds, 1), "count": self.count, "unit": self.unit, "note": self.note,
            "failures": self.failures, **self.more,
        }  # fmt: skip


def main(options) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.cycles is not None and not options.only:
        sys.exit("CYCLES is one line's number: say ONLY=kill, too")
    wanted = chosen(options.only)
    if not BINARY.exists():
        sys.exit(f"{BINARY} is not there: run `cargo build --release`, or set LINESIDE_BIN")
    options.seed = random.randrange(10**6) if options.seed is None else options.seed
    form = "short" if options.short else "long"
    print(f"faults, {form} form, SEED={options.seed}, {BINARY}", flush=True)
    results = all_of(wanted, options)
    if options.json:
        options.json.write_text(json.dumps([result.to_json() for result in results], indent=2) + "\n")
    return verdict(wanted, results)


def all_of(wanted: list[Line], options) -> list[Result]:
    """Their results in their order. Whoever ends this program ends the lines with it."""
    with ThreadPoolExecutor(options.jobs) as pool:
        try:
            return [shown(result) for result in pool.map(lambda line: one_line(line, options), wanted)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                finish(process)
            raise


def chosen(names: str) -> list[Line]:
    wanted = [name for name in names.split(",") if name]
    unknown = set(wanted) - {line.name for line in LINES}
    if unknown:
        sys.exit(f"no such line: {', '.join(sorted(unknown))}; there are {', '.join(line.name for line in LINES)}")
    return [line for line in LINES if not wanted or line.name in wanted]


def shown(result: Result) -> Result:
    print("\n".join([result.text(), *(f"    {line}" for line in result.failures[:20])]), flush=True)
    if len(result.failures) > 20:
        print(f"    and {len(result.failures) - 20} more", flush=True)
    return result


def verdict(wanted: list[Line], results: list[Result]) -> int:
    """0 when each line that was asked for passed, or says why it could not run."""
    by_name = {result.line.name: result for result in results}
    good = {name for name, result in by_name.items() if result.status in ("ok", "SKIPPED")}
    bad = [line.name for line in wanted if line.name not in good]
    skipped = [result.line.name for result in results if result.status == "SKIPPED"]
    passed = len(wanted) - len(bad) - len(skipped)
    print(f"{passed} passed, {len(bad)} failed{named(bad)}, {len(skipped)} SKIPPED{named(skipped)}")
    return 1 if bad else 0


def named(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def one_line(line: Line, options) -> Result:
    missing = machine.missing(line)
    if missing:
        return Result(line, options.seed, "SKIPPED", note=missing)
    WORK.mkdir(parents=True, exist_ok=True)
    file = WORK / f"{line.name}.json"
    file.unlink(missing_ok=True)
    started = time.monotonic()
    ended = supervise(line, options, file)
    seconds = time.monotonic() - started
    result = judged(line, options, file, ended)
    result.seconds = seconds
    if result.status == "ok" and not options.keep:
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)
    return result


def judged(line: Line, options, file: Path, ended: str) -> Result:
    kept = f"what it wrote is in {file.with_suffix('').relative_to(ROOT)}, its words in {line.name}.log beside"
    if not file.exists():
        return Result(line, options.seed, "MISSING", note=ended, failures=[f"no result: {ended}; {kept}"])
    found = json.loads(file.read_text())
    skipped = found.pop("skipped")
    status = "SKIPPED" if skipped else "FAILED" if found["failures"] else "ok"
    result = Result(line, options.seed, status, **found)
    if skipped:
        result.note = skipped
    elif result.count == 0 and not result.failures:
        result.status, result.failures = "FAILED", ["it did nothing"]
    if result.failures:
        form = "faults-short" if options.short else "faults"
        result.failures.append(f"again: make {form} ONLY={line.name} SEED={options.seed}; {kept}")
    return result


def supervise(line: Line, options, file: Path) -> str:
    """Runs the line's process to its end, or to the end of patience; how it ended."""
    more = max(1, (options.cycles or 0) / max(line.short, 1))
    patience = line.patience * (1 if options.short else LONG) * more
    with file.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [*machine.wrapping(line), *command(line, options, file)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        RUNNING.add(process)
        try:
            return f"exit status {process.wait(patience)}"
        except subprocess.TimeoutExpired:
            return f"out of time after {patience:.0f} s"
        finally:
            finish(process)
            RUNNING.discard(process)


def command(line: Line, options, file: Path) -> list[str]:
    words = [sys.executable, "-B", str(ROOT / "tools/faults/faults.py"), "--child", str(file)]
    words += ["--only", line.name, "--seed", str(options.seed)]
    words += ["--short"] if options.short else []
    words += ["--cycles", str(options.cycles)] if options.cycles is not None else []
    return words


def finish(process: subprocess.Popen) -> None:
    """Its whole session ends with it: first asked, so that it can clean up, then made to."""
    for sign, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        if process.poll() is not None and sign == signal.SIGTERM:
            continue
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
