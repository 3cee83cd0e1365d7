"""strace as the one that makes system calls fail, and its log as the list of call sites.

A *site* is a system call together with the innermost frames of the program that lead to it and with
the kind of file it works on. strace counts each thread's calls for `when=`, after its filter by path;
so each call of a recording has a path, if it has one, and an ordinal among its thread's calls with it.
"""

import re
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

FRAMES = 6  # innermost frames of our own code that tell sites apart
# Whoever wants memory may be the one for whom the allocator asks the system: the allocator is the site.
ALLOCATOR = {"brk", "mmap", "mprotect", "mremap", "munmap", "madvise"}
PATIENCE = 20  # seconds for strace to come and to go

CALL = re.compile(r"^(\d+)\s+([\d.]+)\s+(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)$")
FRAME = re.compile(r"^ > (.*?)\((.*?)\) \[(0x[0-9a-f]+)\]")
TARGET = re.compile(r'^(?:AT_FDCWD(?:<[^>]*>)?, )?(?:\d+<([^<>]*)[^>]*>|"([^"]*)")')
MADE = ", made if need be"  # added to the kind of a file that is opened so
CHANCE = re.compile(r"[0-9a-f]{8,}|\d+")  # parts of a name that differ from run to run


class Site(NamedTuple):
    """Where in the program a call is made, and on what."""

    call: str
    target: str
    frames: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.call}({self.target}) at {'<'.join(self.frames[:3]) or '?'}"


class Call(NamedTuple):
    """One call of a recording."""

    site: Site
    path: str  # of its file; empty when it has none that a filter could name
    ordinal: int  # among its thread's calls of that name (and path), from 1
    injected: bool
    at: float  # seconds since 1970, when it was entered


class Tracer:
    """An strace that joins a held server, follows its calls and may make one of them fail."""

    def __init__(self, log: Path, calls: str, inject: str = "", path: str = ""):
        self.log = log
        self.words = ["strace", "-f", "-k", "-yy", "-ttt", "-s", "64", "-o", str(log), "-e", f"trace={calls}"]
        self.words += ["-P", path] if path else []
        self.words += ["-e", f"inject={inject}"] if inject else []
        self.process = None

    def join(self, pid: int) -> None:
        """Waits until the process holds itself, and lets it go when strace is there."""
        wait_for(lambda: state_of(pid) in "TZ", "the server does not hold itself")
        words = self.log.with_suffix(".words")
        with words.open("wb") as file:
            self.process = subprocess.Popen([*self.words, "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=file)
        wait_for(lambda: b"attached" in words.read_bytes() or self.process.poll() is not None, "strace does not come")
        assert self.process.poll() is None, words.read_text()
        subprocess.run(["kill", "-CONT", str(pid)], check=False)

    def finish(self) -> None:
        """strace ends with the last thread that it follows."""
        if self.process is not None:
            try:
                self.process.wait(PATIENCE)
            finally:
                self.process.kill()


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} in {PATIENCE} s"
        time.sleep(0.002)


def read(log: Path) -> list[Call]:
    """The calls of a log, each with its stack."""
    calls, counts, waiting = [], defaultdict(int), {}
    lines = log.read_text(errors="replace").splitlines()
    for number, line in enumerate(lines):
        match = CALL.match(line)
        if not match:
            continue
        thread, time_text, name, begins, text = match.groups()
        key = (thread, name, path_of(text))
        if begins == "(":
            counts[thread, name] += 1
            counts[key] += 1
            waiting[thread] = (text, counts[key], float(time_text))
            if text.endswith("<unfinished ...>"):
                continue
        begun, ordinal, at = waiting.pop(thread, ("", 1, float(time_text)))
        kind = kind_of(begun) + (MADE if "O_CREAT" in begun else "")
        site = Site(name, kind, frames(lines, number + 1, name))
        calls.append(Call(site, path_of(begun), ordinal, "INJECTED" in text, at))
    return calls


def name_of(text: str) -> str:
    match = TARGET.match(text)
    return (match[1] or match[2] or "") if match else ""


def path_of(text: str) -> str:
    """A path that strace can filter by."""
    name = name_of(text)
    return name if name.startswith("/") and "(deleted)" not in name and '\\' not in name else ""


def kind_of(text: str) -> str:
    """The kind of file: its last name without numbers and chance."""
    name = name_of(text)
    if name.startswith("/"):
        return CHANCE.sub("N", name.rsplit("/", 1)[-1])
    return re.sub(r"^(?:anon_inode:\[?(\w+)\]?.*|([\w-]+):.*|.*)$", r"\1\2", name)


def frames(lines: list[str], number: int, name: str) -> tuple[str, ...]:
    """Our own innermost frames; those of libraries where there are none, or the allocator's."""
    own, other = [], []
    while number < len(lines) and lines[number].startswith(" > "):
        match = FRAME.match(lines[number])
        if match:
            library = ".so" in match[1]
            (other if library else own).append(match[2].partition("+")[0] if library else match[3])
        number += 1
    return tuple(other[:3] if name in ALLOCATOR and other else own[:FRAMES] or other[:2])
