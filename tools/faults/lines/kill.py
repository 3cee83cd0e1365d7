"""kill -9 at random moments under load over the wire, a quarter of them while the server starts."""

import time
from pathlib import Path

from harness.face import Face
from killloop import check, journal
from killloop.workers import LEASE, Load
from rig.outcome import Job, Outcome
from rig.server import Rigged

ROUND = 500  # cycles with one data directory and one journal, so that neither grows without end
UPTIME = (0.02, 0.35)  # seconds from ready to the next kill
STARTING = (0.0, 0.03)  # seconds from the spawn to a kill that does not wait for ready


def run(job: Job) -> Outcome:
    outcome = Outcome(0, "cycles")
    sent, spans = 0, []
    for number, start in enumerate(range(0, job.count, ROUND)):
        cycles = min(ROUND, job.count - start)
        folder = job.sub(f"round-{number}")
        entries = one_round(folder, cycles, job.chance(number), spans)
        found = check.failures(entries, {"fifo"})
        outcome.failures += [f"round {number}: {line}" for line in found]
        outcome.count += cycles
        sent += sum(isinstance(entry, journal.Sent) for entry in entries)
    if sent < 5 * job.count:
        outcome.failures.append(f"hardly any load: {sent} sends acknowledged in {job.count} cycles")
    spans.sort()
    outcome.note = f"{sent} sends acknowledged; ready after {spans[len(spans) // 2]:.0f} ms, at most {spans[-1]:.0f}"
    outcome.more = {"sends": sent, "ready_ms_median": spans[len(spans) // 2], "ready_ms_max": spans[-1]}
    return outcome


def one_round(folder: Path, cycles: int, chance, spans: list[float]) -> list:
    server = Rigged(folder / "server")
    server.start()
    sqs = Face(server.url)
    queues = {"standard": sqs.queue(VisibilityTimeout=str(LEASE)), "fifo": sqs.fifo(VisibilityTimeout=str(LEASE))}
    journals = folder / "journal"
    journals.mkdir(exist_ok=True)
    load = Load(server.url, queues, journals)
    load.start()
    try:
        wait_for_load(journals)
        for _ in range(cycles):
            one_cycle(server, chance, spans)
        load.stop_producers()
        drain(Face(server.url), queues)
        load.stop_consumers()
    finally:
        load.terminate()
        server.end()
    return journal.read(journals)


def wait_for_load(journals: Path) -> None:
    """Python processes take their time to start; kills before they work would prove nothing."""
    deadline = time.monotonic() + 30
    while not all(any(path.stat().st_size for path in journals.glob(f"{name}*")) for name in ("p", "c")):
        assert time.monotonic() < deadline, "the load does not begin"
        time.sleep(0.05)


def one_cycle(server: Rigged, chance, spans: list[float]) -> None:
    if chance.random() < 0.25:
        server.kill()
        server.spawn()
        time.sleep(chance.uniform(*STARTING))
    else:
        time.sleep(chance.uniform(*UPTIME))
    server.kill()
    started = time.perf_counter()
    server.start()
    spans.append((time.perf_counter() - started) * 1000)


def drain(sqs: Face, queues: dict) -> None:
    """Returns when all queues are empty; what a killed consumer held comes back after its lease."""
    deadline = time.monotonic() + 120
    while any(sum(sqs.counts(url)) for url in queues.values()):
        left = {name: sqs.counts(url) for name, url in queues.items()}
        assert time.monotonic() < deadline, f"not empty after two minutes: {left}"
        time.sleep(0.2)
