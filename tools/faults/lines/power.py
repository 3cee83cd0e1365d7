"""Power cuts: server, file system and kernel's cache lose at one moment all that was not flushed.

The same disk lives through many cuts; some of them fall into a start, some hit a new file system.
After each, the file system's own recovery runs, the server starts, and what it acknowledged before
must be there. A server that is still running sees every write fail and must end, and say why.
"""

import time

from killloop.journal import Sent
from rig.outcome import Job, Outcome
from rig.powered import PoweredDisk
from rig.server import Rigged
from rig.story import Load, Story

DISK = 448  # MiB; the server keeps a reserve of 256 free
LIFE = 8  # cycles that one file system lives through
LEASE = 1  # seconds
ON_ITS_WAY = 0.5  # seconds that an answer may take to its reader on a busy machine


def run(job: Job, durability: str = "commit") -> Outcome:
    outcome = Outcome(0, "cycles")
    sent = 0
    for first in range(0, job.count, LIFE):
        cycles = range(first, min(first + LIFE, job.count))
        with_disk = Life(job, first, durability)
        try:
            outcome.failures += with_disk.run(cycles)
        finally:
            with_disk.end()
        outcome.count += len(cycles)
        sent += with_disk.story.sent()
    if sent < 20 * job.count:
        outcome.failures.append(f"hardly any load: {sent} sends acknowledged in {job.count} cycles")
    outcome.note = f"{sent} sends acknowledged before {job.count} cuts"
    outcome.more = {"sends": sent}
    return outcome


class Life:
    """One file system from its making to its last cut."""

    def __init__(self, job: Job, first: int, durability: str):
        self.job = job
        folder = job.sub(f"disk-{first}")
        self.disk = PoweredDisk(folder, DISK)
        self.server = Rigged(folder, "--durability", durability, data=self.disk.mount / "data")
        self.story = Story(self.server.port, LEASE)
        self.found = []

    def run(self, cycles: range) -> list[str]:
        self.disk.format()
        for cycle in cycles:
            self.one_cycle(cycle, self.job.chance(cycle))
        self.power_on(cycles.stop)
        self.server.start()
        self.story.life += 1
        self.story.make_queues()
        self.story.settle()
        self.server.stop()
        return self.found + self.story.failures()

    def power_on(self, cycle: int) -> None:
        # Nothing of the cache, all of it, or any part: each is what some disk would do.
        survive = self.job.chance(cycle, "survive").choice((0, 0, 50, 90, 100))
        self.disk.on(f"{self.job.seed}/{cycle}", survive)

    def one_cycle(self, cycle: int, chance) -> None:
        self.power_on(cycle)
        if chance.random() < 0.2:
            self.server.spawn()
            time.sleep(chance.uniform(0, 0.06))
            self.cut(chance, loaded=False)
            return
        self.server.start()
        self.story.life += 1
        self.story.make_queues()
        with Load(self.story, producers=3, consumers=1, name=f"p{cycle}-") as load:
            time.sleep(chance.uniform(0.1, 0.8))
            moment = self.cut(chance, loaded=True)
        self.found += load.trouble + self.late(moment)

    def cut(self, chance, loaded: bool) -> float:
        """Takes the power away; the server is killed with it, or finds out by itself."""
        self.disk.cut()
        moment = time.monotonic()
        if chance.random() < 0.5:
            self.server.kill()
        else:
            self.found += self.finds_out(loaded)
        self.server.end()
        self.disk.off()
        return moment

    def finds_out(self, loaded: bool) -> list[str]:
        """With no disk under it a server must stop, with a word, and not with success."""
        status = self.server.exit_within(10 if loaded else 0.5)
        if status is None:
            # Without load nobody asked it to write, and it cannot know.
            return ["without a disk it went on for ten seconds"] if loaded else []
        said = self.server.sentences()
        if status <= 0 or not said:
            return [f"without a disk it ended with {status} and said {said}"]
        return []

    def late(self, moment: float) -> list[str]:
        """Sends that were acknowledged so long after the cut that they were asked for after it."""
        late = [e for e in self.story.entries if isinstance(e, Sent) and e.at > moment + ON_ITS_WAY]
        return [f"acknowledged {e.at - moment:.3f} s after the power was gone: {e.key}" for e in late]

    def end(self) -> None:
        self.server.end()
        self.disk.off()
