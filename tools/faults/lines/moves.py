"""kill -9 while a message move task runs: before its first message, between two, behind its last.

That a task has started and that its first message is moved are two writes with a sync between them, less than
a millisecond apart. So the first kill of each task falls while its start is under way, without waiting for the
answer, at a moment that moves towards that gap; the log tells afterwards where it fell.

A move is one fact: the message is in the source or in the destination, never in both or in neither. Half
of the tasks name a destination, half give each message back to the queue that it came from; some have a
rate, some are cancelled. In the end each body is there exactly once, and each task has come to an end.
"""

import json
import re
import socket
import subprocess
import time
from collections import Counter

from harness import wire
from harness.server import BINARY
from rig.outcome import Job, Outcome
from rig.server import Rigged
from rig.wire import Away, Refused, Wire

MESSAGES = 40  # for each task
KILLS = 3  # while one task runs
UPTIME = (0.0, 0.06)  # seconds between a start and the next kill
PATIENCE = 30.0  # seconds in which a task must come to its end
ARN = "arn:aws:sqs:us-east-1:000000000000:"
ENDED = {"COMPLETED", "CANCELLED"}
BOUNDARIES = {
    "before": "before the start was written",
    "none": "with nothing moved",
    "some": "between two messages",
    "all": "behind the last",
}
AIMS = 8  # kills of one start, at most, until one falls behind its fact


class Aim:
    """How long after a start is sent the kill falls: later if the start was not written, else earlier."""

    def __init__(self):
        self.seconds = 0.0005

    def wait(self) -> None:
        """Without sleep, which is not so exact."""
        until = time.perf_counter() + self.seconds
        while time.perf_counter() < until:
            pass

    def was_early(self) -> None:
        self.seconds = min(self.seconds * 1.12, 0.1)

    def was_late(self) -> None:
        self.seconds = max(self.seconds * 0.75, 0.00005)


def run(job: Job) -> Outcome:
    server = Rigged(job.folder)
    outcome = Outcome(0, "kills")
    places, aim = Counter(), Aim()
    try:
        server.start()
        while outcome.count < job.count:
            moves = Moves(server, job.chance(outcome.count), outcome.count)
            outcome.count += moves.run(min(KILLS, job.count - outcome.count), places, aim)
            outcome.failures += moves.failures()
    finally:
        server.end()
    outcome.note = ", ".join(f"{BOUNDARIES[place]} {places[place]}" for place in BOUNDARIES)
    outcome.more = dict(places)
    if job.count >= 30:
        missed = [told for place, told in BOUNDARIES.items() if not places[place]]
        outcome.failures += [f"no kill fell {told}" for told in missed]
    return outcome


class Moves:
    """One dead-letter queue, one task, some kills."""

    def __init__(self, server: Rigged, chance, number: int):
        self.server, self.chance = server, chance
        self.wire = Wire(server.port)
        self.names = {role: f"{role}-{number}" for role in ("dead", "origin", "other")}
        self.urls = {}
        self.to_origin = chance.random() < 0.5
        self.target = "origin" if self.to_origin else "other"
        self.found = []

    def run(self, kills: int, places: Counter, aim: Aim) -> int:
        self.prepare()
        asked = self.asked(self.chance.choice([None, None, 100, 500]))
        done = self.killed_while_it_starts(asked, places, aim)
        during = done.total() - done["before"]
        if not during:
            self.wire.call("StartMessageMoveTask", **asked)
        cancels = self.chance.random() < 0.2
        for _ in range(kills - during):
            time.sleep(self.chance.uniform(*UPTIME))
            self.kill(places)
        if cancels:
            self.cancel()
        status = self.end_of_task()
        if status not in ENDED:
            self.found.append(f"the task is {status} after {PATIENCE:.0f} s")
        if status == "COMPLETED" and self.waiting("dead"):
            self.found.append("the task is complete, and its source is not empty")
        return kills

    def killed_while_it_starts(self, asked: dict, places: Counter, aim: Aim) -> Counter:
        """Until the start was written, or often enough; where the kills fell. Only those behind it count."""
        done = Counter()
        request = wire.request(json.dumps(asked).encode(), "AmazonSQS.StartMessageMoveTask")
        while done.total() < AIMS and (not done or done["before"] == done.total()):
            with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
                connection.sendall(request)
                aim.wait()
                place = self.kill(places)
            done[place] += 1
            (aim.was_early if place == "before" else aim.was_late)()
        return done

    def kill(self, places: Counter) -> str:
        """One kill, and where it fell, by the log that is left."""
        self.server.kill()
        place = self.place()
        places[place] += 1
        self.server.start()
        self.wire.close()
        return place

    def place(self) -> str:
        """What the log says of this task; tasks of other queues are none of it."""
        told = subprocess.run([BINARY, "log", self.server.data], capture_output=True, text=True, check=True).stdout
        created = re.search(rf"QueueCreated {{ queue: (QueueId\(\d+\)), name: [^}}]*/{self.names['dead']}\\\"", told)
        if f"MoveStarted {{ queue: {created[1]}," not in told:
            return "before"
        moved = told.count(f"Moved {{ from: {created[1]},")
        return "none" if not moved else "some" if moved < MESSAGES else "all"

    def prepare(self) -> None:
        """Real dead letters, received once too often; a task may only then give them back."""
        for role in ("dead", "other"):
            self.urls[role] = self.wire.call("CreateQueue", QueueName=self.names[role])["QueueUrl"]
        rule = json.dumps({"deadLetterTargetArn": ARN + self.names["dead"], "maxReceiveCount": 1})
        attributes = {"RedrivePolicy": rule, "VisibilityTimeout": "0"}
        origin = self.wire.call("CreateQueue", QueueName=self.names["origin"], Attributes=attributes)
        self.urls["origin"] = origin["QueueUrl"]
        for first in range(0, MESSAGES, 10):
            entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(first, first + 10)]
            answer = self.wire.call("SendMessageBatch", QueueUrl=self.urls["origin"], Entries=entries)
            assert len(answer["Successful"]) == 10, answer
        while self.waiting("dead") < MESSAGES:
            self.wire.call("ReceiveMessage", QueueUrl=self.urls["origin"], MaxNumberOfMessages=10)

    def asked(self, rate) -> dict:
        asked = {"SourceArn": ARN + self.names["dead"]}
        if not self.to_origin:
            asked["DestinationArn"] = ARN + self.names["other"]
        if rate:
            asked["MaxNumberOfMessagesPerSecond"] = rate
        return asked

    def task(self) -> dict:
        return self.wire.call("ListMessageMoveTasks", SourceArn=ARN + self.names["dead"])["Results"][0]

    def cancel(self) -> None:
        try:
            self.wire.call("CancelMessageMoveTask", TaskHandle=self.task().get("TaskHandle", "none"))
        except Refused as refused:
            # It has ended already, and an ended task has no handle.
            if refused.code not in ("ResourceNotFoundException", "InvalidParameterValue"):
                self.found.append(str(refused))

    def end_of_task(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while (status := self.task()["Status"]) in ("RUNNING", "CANCELLING") and time.monotonic() < deadline:
            time.sleep(0.02)
        return status

    def waiting(self, role: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.wire.call("GetQueueAttributes", QueueUrl=self.urls[role], AttributeNames=names)
        return sum(int(value) for value in answer["Attributes"].values())

    def failures(self) -> list[str]:
        """Each body must be in one of the two queues, once."""
        bodies = Counter()
        try:
            for role in ("dead", self.target):
                bodies += self.drained(role)
        except Away as away:
            return [*self.found, str(away)]
        wanted = Counter(str(n) for n in range(MESSAGES))
        lost, doubled = wanted - bodies, bodies - wanted
        story = f"{self.names['dead']} to {self.target}"
        if lost:
            self.found.append(f"{story}: lost {sorted(lost)}")
        if doubled:
            self.found.append(f"{story}: there twice {sorted(doubled)}")
        return self.found

    def drained(self, role: str) -> Counter:
        bodies = Counter()
        # Without the rule nothing that comes back to its origin is a dead letter again.
        self.wire.call("SetQueueAttributes", QueueUrl=self.urls[role], Attributes={"RedrivePolicy": ""})
        while self.waiting(role):
            answer = self.wire.call(
                "ReceiveMessage", QueueUrl=self.urls[role], MaxNumberOfMessages=10, VisibilityTimeout=60
            )
            for message in answer.get("Messages", []):
                bodies[message["Body"]] += 1
                self.wire.call("DeleteMessage", QueueUrl=self.urls[role], ReceiptHandle=message["ReceiptHandle"])
        return bodies
