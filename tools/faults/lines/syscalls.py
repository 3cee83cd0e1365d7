"""Every system call site of boot, a hundred messages and shutdown fails once, with what fits it.

First two runs are recorded: on a new directory, and on one that has a log. Then each site gets its
turn. The run must go on and do its work, or the process must end, not with success, and say why in a
sentence; a hang, a panic and a silent end are failures. In any case the next start, without faults,
must have all that was acknowledged.
"""

import re
import shutil
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from rig import preload, strace
from rig.errnos import fitting, injection
from rig.outcome import Job, Outcome
from rig.server import Rigged
from rig.story import NAP, Consumer, Producer, Story
from rig.wire import Away, Refused

TURNS = 36  # of the producer: 9 times a message, a batch of 4, and two of FIFO groups: 63
LAST = 10  # entries in each of four more batches, which stay for the next start: 103 in all
LEASE = 1  # seconds
PATIENCE = 15  # seconds until a run that neither works nor ends is called a hang
NEARBY = (0, -1, 1, -2, 2)  # threads do not run alike twice: where else the site's call may be
# One worker: the threads' calls come in nearly the same order each time.
ENVIRONMENT = {"TOKIO_WORKER_THREADS": "1"}
NEW, AGAIN = "new", "again"
# "Input/output error (os error 5)": what the system said, and not what was tried.
BARE = re.compile(r"[^:]*\(os error \d+\)|failed to write whole buffer")


class Case(NamedTuple):
    """One failure at one place: the `ordinal`-th such call of a thread, with this path if there is one."""

    scenario: str
    site: strace.Site
    path: str  # below the server's folder, or absolute; empty: no filter
    ordinal: int  # for a short transfer: of the process
    fault: str

    def __str__(self) -> str:
        return f"{self.fault} in {self.site}, call {self.ordinal} ({self.scenario} directory)"


class Ran(NamedTuple):
    """How a run under a fault ended."""

    state: str  # done, exited, hangs
    status: int | None
    said: list[str]
    raw: str


def run(job: Job) -> Outcome:
    tester = Tester(job)
    cases = tester.cases()
    for number, case in enumerate(cases):
        started = time.monotonic()
        tester.attempt(case, number)
        print(f"{time.monotonic() - started:5.2f} s  {case}", flush=True)
    return tester.outcome(len(cases))


class Tester:
    """Records, picks, runs, judges."""

    def __init__(self, job: Job):
        self.job = job
        self.root = job.folder.resolve()
        self.found, self.ends = [], Counter()
        self.sentences = defaultdict(list)
        self.recorded, self.hit, self.missed = set(), set(), []
        self.library = preload.build(self.root)
        self.first = None  # the story of the run whose directory the others begin with

    def cases(self) -> list[Case]:
        """All, or for the short form as many as it wants; first one for each site.

        Each site's luck is its own, so that the same seed picks the same cases although no two
        recordings are quite alike.
        """
        first, rest = [], []
        for scenario in (NEW, AGAIN):
            for site, calls in self.record(scenario).items():
                luck = self.job.chance(scenario, *site)
                faults = list(fitting(site.call, site.target))
                self.recorded.update({(scenario, site)} if faults else ())
                luck.shuffle(faults)
                made = [(luck.random(), Case(scenario, site, *luck.choice(calls), fault)) for fault in faults]
                first += made[:1]
                rest += made[1:]
        luck = self.job.chance("short transfers")
        for call, n in preload.moments(luck):
            rest.append((luck.random(), Case(AGAIN, strace.Site(call, "", ()), "", n, "short")))
        cases = [case for _, case in sorted(first) + sorted(rest)]
        return cases[: self.job.count or None]

    def record(self, scenario: str) -> dict:
        """The sites of a run without faults, each with paths and ordinals."""
        folder = self.root / f"record-{scenario}"
        story, server = self.prepared(folder, scenario)
        ran = self.drive(story, server, strace.Tracer(folder / "strace", "all"))
        assert ran.state == "done" and ran.status == 0, f"the run without a fault: {ran}"
        if scenario == NEW:
            shutil.copytree(server.data, self.root / "template")
            self.first = story
        sites = defaultdict(list)
        for call in strace.read(folder / "strace"):
            sites[call.site].append((call.path.removeprefix(f"{folder}/"), call.ordinal))
        return {site: calls for site, calls in sites.items() if "/proc" not in calls[0][0]}

    def prepared(self, folder: Path, scenario: str) -> tuple[Story, Rigged]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        server = Rigged(folder)
        story = Story(server.port, LEASE)
        if scenario == AGAIN:
            shutil.copytree(self.root / "template", server.data)
            story.entries, story.firm = list(self.first.entries), list(self.first.firm)
            story.life = self.first.life + 1
        return story, server

    def attempt(self, case: Case, number: int) -> None:
        """Runs the case, and near it when the fault met another site, or nothing."""
        folder, met = self.root / f"case-{number}", False
        for step in NEARBY[: 1 if case.fault == "short" else None]:
            sites = self.one(case._replace(ordinal=max(1, case.ordinal + step)), folder)
            met = met or bool(sites)
            if (case.scenario, case.site) in sites:
                return
        if not met:
            self.missed.append(str(case))

    def one(self, case: Case, folder: Path) -> set:
        """The sites that the fault met; what went wrong is noted."""
        story, server = self.prepared(folder, case.scenario)
        log = folder / "strace"
        if case.fault == "short":
            ran = self.drive(story, server, None, preload.cut(self.library, case.site.call, case.ordinal, log))
        else:
            fault = injection(case.site.call, case.fault, case.ordinal)
            path = str(folder / case.path) if case.path else ""
            ran = self.drive(story, server, strace.Tracer(log, case.site.call, fault, path))
        sites = self.met(case, log)
        if not sites:
            return sites
        wrong = self.judge(case, ran) + self.clean_start(story, server)
        self.found += [f"{case}: {line}" for line in wrong]
        if wrong:
            # Another attempt would write over what is worth a look.
            folder.rename(folder.with_name(f"{folder.name}-failed-{len(self.found)}"))
        else:
            shutil.rmtree(folder, ignore_errors=True)
        return sites

    def met(self, case: Case, log: Path) -> set:
        if case.fault == "short":
            return {(case.scenario, case.site)} if log.exists() else set()
        sites = {(case.scenario, call.site) for call in strace.read(log) if call.injected}
        if any(case.fault not in fitting(site.call, site.target) for _, site in sites):
            return set()  # it met, too, what cannot fail so, and proves nothing
        self.hit |= sites & self.recorded
        return sites

    def drive(self, story: Story, server: Rigged, tracer: strace.Tracer | None, more: dict | None = None) -> Ran:
        """Boot, a hundred messages, shutdown."""
        try:
            server.spawn({**ENVIRONMENT, **(more or {}), **(preload.held(self.library) if tracer else {})})
            if tracer:
                tracer.join(server.process.pid)
            state = Drive(story, server, f"p{story.life}").run()
            status = self.shutdown(server) if state == "done" else server.exit_within(5)
            state = "hangs at the end" if status is None and state == "done" else state
            return Ran(state, status, server.sentences(), server.said())
        finally:
            server.end()
            if tracer:
                tracer.finish()

    @staticmethod
    def shutdown(server: Rigged) -> int | None:
        """SIGTERM, again and again: the runtime's own note of a signal may be what fails, in each thread."""
        for _ in range(PATIENCE):
            server.process.terminate()
            status = server.exit_within(1)
            if status is not None:
                return status
        return None

    def judge(self, case: Case, ran: Ran) -> list[str]:
        self.sentences[CLEAN.sub("", " / ".join(ran.said))].append(str(case))
        if ran.state.startswith("hangs"):
            self.ends["hang"] += 1
            return [f"it {ran.state}; it said {ran.said}"]
        if ran.status == 0 and "panicked" not in ran.raw:
            self.ends["went on"] += 1
            return [] if ran.state == "done" else ["it ended with success before its work was done"]
        return self.judge_end(case, ran)

    def judge_end(self, case: Case, ran: Ran) -> list[str]:
        """It ended by itself, or something panicked."""
        what, wrong = how_it_ended(case, ran)
        self.ends[what] += 1
        return wrong

    def clean_start(self, story: Story, server: Rigged) -> list[str]:
        """Without a fault; everything that was acknowledged must be there."""
        try:
            server.start()
        except AssertionError as failure:
            server.end()
            return [f"the next start: {failure}"]
        try:
            story.life += 1
            story.make_queues()
            story.settle()
            status = server.stop()
            return story.failures() + ([f"the next shutdown: {status}"] if status else [])
        finally:
            server.end()

    def outcome(self, cases: int) -> Outcome:
        outcome = Outcome(cases - len(self.missed), "failures", failures=self.found)
        ends = ", ".join(f"{count} {what}" for what, count in self.ends.most_common())
        outcome.note = f"{len(self.hit)} of {len(self.recorded)} sites; {ends}"
        outcome.more = {"sites": len(self.recorded), "sites_hit": len(self.hit), "ends": dict(self.ends)}
        outcome.more |= {"not_met": self.missed, "sentences": {said: len(at) for said, at in self.sentences.items()}}
        if len(self.missed) > max(3, cases // 8):
            outcome.failures.append(f"{len(self.missed)} of {cases} faults met nothing: {self.missed[:3]}")
        return outcome


CLEAN = re.compile(r"\S*/case-\d+/|127.0.0.1:\d+|(?<=byte )\d+")


def how_it_ended(case: Case, ran: Ran) -> tuple[str, list[str]]:
    """A word for the count, and what is wrong with it."""
    panic = re.search(r"panicked at (\S+?):\d+:\d+:\n(.*)", ran.raw)
    if panic and ("/crates/" in f"/{panic[1]}" or not ran.status):
        return "panic", [f"a panic at {panic[1]}: {panic[2]}"]
    if panic:
        # A library's way to say that the system gave it no thread or no memory.
        return "ended by a library's panic that names the cause", []
    if ran.status > 0 and ran.said:
        wrong = [f"not a sentence that says what was tried: {line!r}" for line in ran.said if BARE.fullmatch(line)]
        if case.fault == "EINTR":
            wrong.append(f"a signal is no fault, but it ended: {ran.said}")
        return "ended with a sentence", wrong
    if case.site.call in strace.ALLOCATOR and "memory allocation of" in ran.raw:
        return "ended by the allocator, which says so", []
    return "silent end", [f"ended with {ran.status} and no sentence: {ran.raw[-200:]!r}"]


class Drive:
    """One client that does everything in turn, and comes again when it is sent away."""

    def __init__(self, story: Story, server: Rigged, name: str):
        self.story, self.server = story, server
        self.producer, self.consumer = Producer(story, name), Consumer(story, server.port)
        for client in (self.producer, self.consumer):
            client.wire.timeout = PATIENCE / 3
        self.deadline = time.monotonic() + PATIENCE

    def run(self) -> str:
        for step in self.steps():
            state = self.until_done(step)
            if state != "done":
                return state
        return "done"

    def steps(self):
        for queue in ("standard", "fifo"):
            yield lambda queue=queue: self.story.make_queue(queue, self.producer.wire.call)
        for number in range(TURNS):
            yield lambda number=number: self.producer.turn(number)
        for _ in range(4):
            yield lambda: self.consumer.settle_one("standard")
            yield lambda: self.consumer.settle_one("fifo")
        for _ in range(4):
            yield lambda: self.producer.batch(LAST)
        for client in (self.producer, self.consumer):
            yield client.wire.close

    def until_done(self, step) -> str:
        while time.monotonic() < self.deadline:
            try:
                step()
                return "done"
            except Away:
                if self.server.process.poll() is not None:
                    return "exited"
            except Refused as refusal:
                # Without a code it is HTTP's own: a connection broke, and there was still a way to say so.
                if refusal.code and not refusal.again:
                    raise
            time.sleep(NAP)
        return "hangs"
