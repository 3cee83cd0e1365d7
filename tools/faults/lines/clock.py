"""The wall clock an hour and ten years away, to both sides: while the server runs, and at a start.

Only this one process's CLOCK_REALTIME is moved (rig/preload.c), never the machine's own clock. While
the server runs, a jump must not be seen. At a start its time is the later of the wall clock and the
last stamp in the log, and more than a day between the two is told.
"""

import email.utils
import http.client
import time

from rig import preload
from rig.outcome import Job, Outcome
from rig.preload import WallClock
from rig.promises import Promises, WatchDelayed, WatchLeased
from rig.server import Rigged
from rig.wire import Wire

HOUR, DAY = 3600, 86_400
JUMPS = (HOUR, -HOUR, 3653 * DAY, -3653 * DAY)
WATCHED = 3.0  # seconds after each jump
SPANS = range(1, 4)  # seconds of delays and leases
NEAR = 120  # seconds within which two clocks are called the same


def run(job: Job) -> Outcome:
    outcome = Outcome(0, "jumps")
    clock = WallClock(preload.build(job.folder), job.folder / "clock")
    scripts = [("running", running, JUMPS)] + [(f"start {by:+d} s", start, by) for by in JUMPS]
    for number, (name, script, what) in enumerate(scripts):
        folder = job.sub(f"script-{number}")
        server = Rigged(folder)
        try:
            found = script(server, clock, what, job.chance(number))
        except AssertionError as failure:
            found = [str(failure)]
        finally:
            server.end()
        outcome.failures += [f"{name}: {line}" for line in found]
        outcome.count += len(what) if script is running else 1
    outcome.note = "four jumps while running, four starts"
    return outcome


def wall_of(server: Rigged) -> float:
    """The wall clock as the server sees it: HTTP's own date header."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/_lineside/health")
    header = connection.getresponse().getheader("date")
    connection.close()
    assert header, "no date header, so that nothing shows that the clock was moved"
    return email.utils.parsedate_to_datetime(header).timestamp()


def assert_moved(server: Rigged, by: int) -> None:
    """A fake that does not work would prove nothing."""
    away = wall_of(server) - time.time()
    assert abs(away - by) < NEAR, f"the server's wall clock is {away:.0f} s away, and should be {by}"


def running(server: Rigged, clock: WallClock, jumps, chance) -> list[str]:
    """Jumps under promises that are kept or broken in the seconds after."""
    clock.set(0)
    server.start(clock.environment())
    promises, wire = Promises(server.port), Wire(server.port)
    promises.make_queues()
    watches = [WatchDelayed(promises), WatchLeased(promises, SPANS, chance)]
    for watch in watches:
        watch.start()
    found, first = [], stamp(wire, promises)
    begun = time.monotonic()
    for number, by in enumerate(jumps):
        make(promises, wire, f"before-{number}", 0.3, chance)
        clock.set(by)
        make(promises, wire, f"after-{number}", 0.3, chance)
        time.sleep(WATCHED)
        if by == max(jumps[: number + 1]):  # the header's own cache does not follow a clock that goes back
            assert_moved(server, by)
        drift = stamp(wire, promises) - first - (time.monotonic() - begun)
        found += [f"the stamps drifted by {drift:.1f} s after {by:+d} s"] if abs(drift) > 1 else []
    deadline = time.monotonic() + SPANS.stop + 2
    while promises.missing() and time.monotonic() < deadline:
        time.sleep(0.05)
    found += [line for watch in watches for line in watch.finish()]
    status = server.stop()
    return found + promises.failures() + ([f"the shutdown: {status}"] if status else [])


def make(promises: Promises, wire: Wire, name: str, seconds: float, chance) -> None:
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        number += 1
        promises.delay(wire, f"delay-{name}-{number}", chance.choice(SPANS))
        promises.send(wire, f"lease-{name}-{number}")
        time.sleep(0.02)


def stamp(wire: Wire, promises: Promises) -> float:
    """The server's time: what it says a message was sent at, in seconds since 1970."""
    wire.call("CreateQueue", QueueName="stamps", Attributes={})
    url = promises.url("stamps")
    wire.call("SendMessage", QueueUrl=url, MessageBody="now")
    answer = wire.call("ReceiveMessage", QueueUrl=url, MessageSystemAttributeNames=["SentTimestamp"])
    message = answer["Messages"][0]
    wire.call("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return int(message["Attributes"]["SentTimestamp"]) / 1000


def start(server: Rigged, clock: WallClock, by: int, chance) -> list[str]:
    """What was promised before the stop, seen by a start with another wall clock."""
    server.start()
    promises, wire = Promises(server.port), Wire(server.port)
    promises.make_queues()
    for name, seconds in (("delay", 900), ("short", 2)):
        wire.call("SendMessage", QueueUrl=promises.url("delayed"), MessageBody=name, DelaySeconds=seconds)
    short = time.monotonic()
    wire.call("SendMessage", QueueUrl=promises.url("leased"), MessageBody="leased")
    wire.call("ReceiveMessage", QueueUrl=promises.url("leased"), VisibilityTimeout=1800)
    last = stamp(wire, promises)
    wire.close()
    status = server.stop()
    assert status == 0, f"the shutdown: {status}"
    clock.set(by)
    server.start(clock.environment())
    assert_moved(server, by)
    found = told(server, by) + at_start(promises, Wire(server.port), by, last, short)
    assert server.stop() == 0, server.sentences()
    return found


def told(server: Rigged, by: int) -> list[str]:
    """More than a day away is worth a sentence, less is not."""
    said = [line for line in server.sentences() if "the last write was" in line and "days ago" in line]
    if by > DAY and not said:
        return [f"it said nothing of {by // DAY} days, but {server.sentences()}"]
    return [f"it said {said}"] if said and by < DAY else []


def at_start(promises: Promises, wire: Wire, by: int, last: float, short: float) -> list[str]:
    """Time is the later of wall clock and last stamp; what is due then is due."""
    now = stamp(wire, promises)
    base = max(time.time() + by, last)
    found = [] if abs(now - base) < 30 else [f"its time is {now - base:+.0f} s from where it should be"]
    found += [] if now >= last else [f"its time went back by {last - now:.3f} s"]
    if by > 14 * DAY:
        # Older than any retention: by time alone they are gone.
        queues = ("delayed", "leased")
        return found + [f"{queue}: outlived its retention" for queue in queues if take(promises, wire, queue, 0)]
    if by > 0:
        # An hour: longer than both delays and the lease.
        want = {"delay", "short"}
        missing = want - collect(promises, wire, "delayed", want)
        found += [f"due and not there: {key}" for key in sorted(missing)]
        return found + ([] if take(promises, wire, "leased", 0) else ["a lease of 1800 s is there an hour later"])
    found += ["a lease ended with its process"] if take(promises, wire, "leased", 0) else []
    came = collect(promises, wire, "delayed", {"short"})
    found += ["a delay of 900 s is over"] if "delay" in came else []
    found += [] if "short" in came else ["a delay of 2 s is not over"]
    if "short" in came and time.monotonic() - short < 2:
        found.append("a delay of 2 s was over early")
    return found


def take(promises: Promises, wire: Wire, queue: str, wait: int) -> list[str]:
    url = promises.url(queue)
    answer = wire.call(
        "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait, VisibilityTimeout=600
    )
    return [message["Body"] for message in answer.get("Messages", [])]


def collect(promises: Promises, wire: Wire, queue: str, wanted: set) -> set:
    """What comes within some seconds, until it is all that is wanted."""
    came, deadline = set(), time.monotonic() + 6
    while not wanted <= came and time.monotonic() < deadline:
        came.update(take(promises, wire, queue, 1))
    return came
