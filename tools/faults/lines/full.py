"""The disk is full at points of a load, and space is given back, without a restart.

At most points the server itself fills what is above its reserve: sends must be refused in the cloud's
words, receives and deletions must go on, and when there is space again sends must be taken at once, by
the same process. Now and then it is stopped or killed on the full disk and must start there.

At some the load goes on for long while space comes in small bits, so that a checkpoint and a compaction
fall due on the full disk.

At others somebody else takes the reserve too, down to the last byte, so that a write really finds no
room. Then whoever asks must hear that he may come again, the server must live, and when there is space
again it must take sends at once, as everywhere. That it came to this is required, too.
"""

import time
from typing import NamedTuple

from rig.outcome import Job, Outcome
from rig.server import Rigged
from rig.smalldisk import SmallDisk
from rig.story import NAP, Consumer, Producer, Story
from rig.wire import Away, Refused

RESERVE = 256 << 20  # bytes that the server keeps free (`DiskOptions::reserve_bytes`)
ROOM = 64 << 20  # above the reserve, when there is space
LEASE = 2  # seconds
WORDS = "RequestThrottled"  # what the cloud calls a send that it does not take now
FILLER, LARGE = 24 << 10, 160 << 10  # bytes of a message; of one while it churns
CHURNS = 16  # times that a little space is filled: more than a segment, and two checkpoints
CHURN_ROOM = 5 << 20  # bytes above the reserve each time
CHURN_EVERY = 12  # points
NO_ROOM = 2 << 20  # bytes; with fewer the server need not take anything (`FREE_BYTES_TO_GO_ON`)
AGAIN_WITHIN = 2.0  # seconds from space given back to the first send that is taken
SETTLED = 30  # messages received and deleted at each full disk


class Point(NamedTuple):
    """One full disk."""

    number: int
    kind: str  # own: the server reaches its reserve; churn: again and again; foreign: others take it
    free: int  # bytes left when it begins
    restart: str  # "", stop, kill


def run(job: Job) -> Outcome:
    outcome = Outcome(0, "points")
    tester = Tester(job)
    try:
        tester.begin()
        for number in range(job.count):
            tester.at(point(number, job.chance(number)))
            outcome.count += 1
        tester.finish()
    finally:
        tester.end()
    outcome.failures += tester.found
    outcome.note = (
        f"{tester.refused} sends refused, {tester.settled} messages received and deleted while full; "
        f"taken again after {max(tester.waits, default=0) * 1000:.0f} ms at most; "
        f"a write found no room {tester.dropped} times"
    )
    checkpoints, compactions = len(tester.checkpoints), tester.compacted
    outcome.more = {"refused": tester.refused, "settled": tester.settled, "dropped": tester.dropped}
    outcome.more |= {"compactions": compactions, "checkpoint_files": checkpoints}
    if job.count >= 50 and not (checkpoints and compactions):
        outcome.failures.append(f"{checkpoints} checkpoint files and {compactions} compactions while full")
    if not outcome.failures and not tester.refused:
        outcome.failures.append("no send was ever refused")
    if job.count >= 50 and not tester.dropped:
        outcome.failures.append("no write ever found no room")
    return outcome


def point(number: int, chance) -> Point:
    if number % CHURN_EVERY == CHURN_EVERY - 1:
        return Point(number, "churn", RESERVE + CHURN_ROOM, "")
    kind = "foreign" if chance.random() < 0.3 else "own"
    free = chance.choice((0, chance.randrange(1 << 20), chance.randrange(RESERVE)))
    if kind == "own":
        free = RESERVE + chance.randrange(3 << 20)
    return Point(number, kind, free, chance.choice(("", "", "", "", "stop", "kill")))


class Tester:
    """One disk, one server, one story."""

    def __init__(self, job: Job):
        self.disk = SmallDisk(job.sub("fs"))
        self.server = Rigged(job.folder, data=self.disk.folder / "data")
        self.story = Story(self.server.port, LEASE, filler="x" * FILLER)
        self.producer, self.consumer = Producer(self.story, "p"), Consumer(self.story, self.server.port)
        self.found, self.waits, self.checkpoints = [], [], set()
        self.sealed, self.compacted = {}, 0
        self.refused = self.settled = self.turn = self.dropped = 0

    def begin(self) -> None:
        self.disk.set_free(RESERVE + ROOM)
        self.server.start()
        self.story.make_queues()

    def at(self, point: Point) -> None:
        """Every step that goes wrong is told with its point; a server that ended is started again."""
        found = []
        try:
            found += self.steps(point)
        except (Away, Refused, AssertionError) as failure:
            found += self.revive(f"{type(failure).__name__}: {failure}")
        self.found += [f"{point}: {line}" for line in found]

    def steps(self, point: Point) -> list[str]:
        self.stock()
        self.disk.set_free(point.free)
        found = self.fill(point)
        self.drain(point)
        found += self.churn(point) if point.kind == "churn" else []
        if point.restart:
            self.restart(point)
            self.drain(point)
        self.disk.set_free(RESERVE + ROOM)
        self.send_again()
        return found

    def stock(self) -> None:
        """Something to receive while the disk is full."""
        for _ in range(2 * SETTLED // 4):
            self.send()

    def send(self) -> None:
        """In batches and alone, to both queues."""
        self.turn += 1
        refusals = len(self.story.refusals)
        self.producer.turn(self.turn)
        for code in self.story.refusals[refusals:]:
            status = 400 if "Throttl" in code else 503
            raise Refused("SendMessageBatch", status, code, "an entry of it")

    def fill(self, point: Point) -> list[str]:
        """Sends until one is refused, and some more, which must be refused too; other words than the cloud's."""
        deadline, refused, wrong = time.monotonic() + 20, 0, []
        while refused < 10:
            assert time.monotonic() < deadline, f"sends are still taken with {self.disk.free()} bytes free"
            try:
                self.send()
                # What is small may still fit in a server's own reserve, never in somebody else's file.
                assert refused < 3 or point.kind != "foreign", "taken after a refusal, with nothing given back"
            except Refused as refusal:
                refused += 1
                throttled = refusal.code.removesuffix("Exception") == WORDS and refusal.status == 400
                # Who was under way when the write failed hears that nobody is there to answer it.
                if not (throttled or point.kind == "foreign" and refusal.again):
                    wrong.append(f"refused in other words: {refusal}")
        self.refused += refused
        return wrong

    def churn(self, point: Point) -> list[str]:
        """Fills and drains on a disk that never has more than a little room."""
        self.story.filler, found = "x" * LARGE, []
        for _ in range(CHURNS):
            self.disk.set_free(point.free)
            found += self.fill(point)
            self.drain(point)
            self.look()
        self.story.filler = "x" * FILLER
        return found

    def look(self) -> None:
        """Which checkpoint files and segments are there: proof that both were written on a full disk."""
        self.checkpoints.update((self.server.data / "blobs").glob("*"))
        files = {path: path.stat().st_ino for path in sorted(self.server.data.glob("*.segment"))[:-1]}
        # One that was sealed, and is another file now, or gone.
        self.compacted += sum(files.get(path) != inode for path, inode in self.sealed.items())
        self.sealed = files

    def drain(self, point: Point) -> None:
        """Receives and deletions go on, unless others have taken the room for that too."""
        done, deadline = 0, time.monotonic() + 15
        while done < SETTLED:
            assert time.monotonic() < deadline, f"only {done} messages could be received and deleted"
            try:
                got = self.consumer.settle_one("standard") + self.consumer.settle_one("fifo")
                done += got
                if not got and not self.consumer.left():
                    break
            except Refused as refusal:
                if not (point.kind == "foreign" and refusal.again):
                    raise
                if self.disk.free() < NO_ROOM:
                    break
                got = 0
            if not got:
                time.sleep(NAP)
        self.settled += done

    def restart(self, point: Point) -> None:
        if point.restart == "kill":
            self.server.kill()
        else:
            status = self.server.stop()
            assert status == 0, f"SIGTERM on a full disk: {status}, {self.server.sentences()}"
        if self.disk.free() < NO_ROOM:
            # There it waits until there is some, and is not ready.
            self.disk.set_free(NO_ROOM)
        self.begin_again()

    def begin_again(self) -> None:
        self.count_dropped()
        self.server.start()
        self.story.life += 1
        for client in (self.producer, self.consumer):
            client.wire.close()

    def send_again(self) -> None:
        """Sends are taken again, by the same process."""
        started = time.monotonic()
        while True:
            try:
                self.send()
                break
            except Refused as refusal:
                late = time.monotonic() - started > AGAIN_WITHIN
                assert refusal.again and not late, f"space is back and sends are not taken: {refusal}"
                time.sleep(NAP)
        self.waits.append(time.monotonic() - started)

    def revive(self, failure: str) -> list[str]:
        """Space again, and a process; what is wrong."""
        status, said = self.server.exit_within(1), self.server.sentences()
        ended = f"the process had ended with {status}: {' / '.join(said)}"
        self.server.end()
        self.disk.set_free(RESERVE + ROOM)
        self.begin_again()
        return [failure] if status is None else [failure, ended]

    def count_dropped(self) -> None:
        """How often this process said that a write found no room."""
        self.dropped += sum("all is read again" in line and "No space left" in line for line in self.server.sentences())

    def finish(self) -> None:
        self.count_dropped()
        self.story.settle()
        self.found += self.story.failures()
        status = self.server.stop()
        if status:
            self.found.append(f"the last shutdown: {status}")

    def end(self) -> None:
        self.server.end()
        self.disk.remove()
