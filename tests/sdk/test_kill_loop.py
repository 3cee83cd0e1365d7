"""kill -9 under load, again and again, loses nothing that was acknowledged.

    CYCLES=500 SEED=7 python -m pytest tests/sdk/test_kill_loop.py -s

SEED decides when the kills come (the load itself runs as it can). A failing run keeps its journal.
"""

import os
import random
import shutil
import time

import pytest
from harness.face import Face
from harness.server import ROOT
from killloop import check, journal
from killloop.workers import LEASE, Load

CYCLES = int(os.environ.get("CYCLES", "50"))
SEED = int(os.environ.get("SEED", str(random.randrange(10**6))))
UPTIME = (0.1, 1.5)  # seconds between a start and the next kill


def ready_again(server) -> float:
    """Starts it on the same directory and port; milliseconds until it is ready."""
    started = time.perf_counter()
    server.start()
    return (time.perf_counter() - started) * 1000


def kill_and_restart(server, chance: random.Random) -> list[float]:
    """The cycles. The naps are the load's time to run: the chance is in their length."""
    spans = []
    for _ in range(CYCLES):
        time.sleep(chance.uniform(*UPTIME))
        server.kill()
        spans.append(ready_again(server))
    return spans


def drain(sqs: Face, queues: dict) -> None:
    """Returns when all queues are empty; what a killed consumer held comes back after its lease."""
    deadline = time.monotonic() + 60
    while any(sum(sqs.counts(url)) for url in queues.values()):
        assert time.monotonic() < deadline, {name: sqs.counts(url) for name, url in queues.items()}
        time.sleep(0.2)


@pytest.mark.timeout(240 + 5 * max(0, CYCLES - 50))
def test_kill_loop(own_server, tmp_path):
    sqs = Face(own_server.url)
    queues = {"standard": sqs.queue(VisibilityTimeout=str(LEASE)), "fifo": sqs.fifo(VisibilityTimeout=str(LEASE))}
    folder = tmp_path / "journal"
    folder.mkdir()
    load = Load(own_server.url, queues, folder)
    started = time.monotonic()
    load.start()
    try:
        spans = kill_and_restart(own_server, random.Random(SEED))
        load.stop_producers()
        drain(Face(own_server.url), queues)
        load.stop_consumers()
    finally:
        load.terminate()
    entries = journal.read(folder)
    print(
        f"\n{CYCLES} kills with -9 (SEED={SEED}) in {time.monotonic() - started:.0f} s: {check.summary(entries)}; "
        f"ready again after {sorted(spans)[len(spans) // 2]:.0f} ms (median), {max(spans):.0f} ms (longest)"
    )
    found = check.failures(entries, {"fifo"})
    if found:
        shutil.copytree(folder, kept := ROOT / "target" / f"kill-loop-{SEED}", dirs_exist_ok=True)
        pytest.fail(f"SEED={SEED}, journal in {kept}\n" + "\n".join(found[:50]))
    assert sum(isinstance(e, journal.Sent) for e in entries) > 10 * CYCLES, "hardly any load"
    own_server.assert_alive()
