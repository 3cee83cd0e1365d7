"""What clients did and saw: sends, receives and deletions at two queues, in the kill loop's journal.

The journal outlives every server: the line kills, cuts and starts, the story goes on. In the end
`settle` empties both queues and `failures` says what must hold and does not.
"""

import threading
import time

from killloop import check
from killloop.journal import Asked, Deleted, Received, Sent

from rig.wire import Away, Refused, Wire

FIFO = {"fifo"}
BOTH = {"fifo", "standard"}
NAP = 0.01  # seconds before a client comes again to a server that is away or throttles


class Story:
    """Two queues, and all that anybody saw of them."""

    def __init__(self, port: int, lease: int = 30, filler: str = "", patience: float = 10):
        self.port, self.lease, self.filler = port, lease, filler
        self.patience = patience  # seconds that its clients wait for an answer
        self.entries = []
        self.firm = []  # the same without deletions by a receipt of an earlier start or a lapsed lease
        self.lock = threading.Lock()
        self.life = 0  # rises with each start of the server
        self.refusals = []

    def write(self, kind, *values, firm: bool = True) -> None:
        entry = kind(time.monotonic(), *values)
        with self.lock:
            self.entries.append(entry)
            if firm:
                self.firm.append(entry)

    def url(self, queue: str) -> str:
        return f"http://127.0.0.1:{self.port}/000000000000/{'f.fifo' if queue == 'fifo' else 's'}"

    def make_queue(self, queue: str, call) -> None:
        """By `call`; asked for twice it is the same queue."""
        attributes = {"VisibilityTimeout": str(self.lease)} | ({"FifoQueue": "true"} if queue == "fifo" else {})
        call("CreateQueue", QueueName=self.url(queue).rsplit("/", 1)[1], Attributes=attributes)

    def make_queues(self) -> None:
        wire = Wire(self.port)
        for queue in ("standard", "fifo"):
            self.make_queue(queue, lambda operation, **body: again(wire, operation, **body))
        wire.close()

    def sent(self) -> int:
        return sum(isinstance(entry, Sent) for entry in self.entries)

    def settle(self, within: float = 60.0) -> None:
        """Receives and deletes until nothing is left. Leases are not waited for where there are none."""
        client = Consumer(self, self.port)
        deadline = time.monotonic() + within
        while client.settle_one("standard") or client.settle_one("fifo") or client.left():
            assert time.monotonic() < deadline, f"not empty after {within} s: {client.left()} messages are left"
            time.sleep(NAP if client.idle else 0)

    def failures(self) -> list[str]:
        entries, firm = sorted(self.entries, key=at), sorted(self.firm, key=at)
        back = [line for line in check.returned(firm, BOTH) if " standard " in line]
        return check.failures(entries, FIFO) + back

    def summary(self) -> str:
        return check.summary(self.entries)


def at(entry) -> float:
    return entry.at


def again(wire: Wire, operation: str, within: float = 20.0, **body) -> dict:
    """The call until it is answered; a refusal that is for good goes to the caller."""
    deadline = time.monotonic() + within
    while True:
        try:
            return wire.call(operation, **body)
        except (Away, Refused) as failure:
            if isinstance(failure, Refused) and not failure.again or time.monotonic() > deadline:
                raise
            time.sleep(NAP)


class Producer:
    """Sends; what it sends to a group it repeats, with one deduplication id, until it is acknowledged."""

    def __init__(self, story: Story, name: str, groups: int = 4):
        self.story, self.name, self.groups = story, name, groups
        self.wire = Wire(story.port, story.patience)
        self.counts, self.pending = {}, {}

    def next_key(self, group: str) -> str:
        number = self.counts.get(group, 0)
        self.counts[group] = number + 1
        return f"{self.name}/{group}/{number}"

    def body(self, key: str) -> str:
        return key + "|" + self.story.filler if self.story.filler else key

    def standard(self) -> None:
        """One message; it is not repeated, and so may be there without an acknowledgement."""
        key = self.next_key("s")
        answer = self.wire.call("SendMessage", QueueUrl=self.story.url("standard"), MessageBody=self.body(key))
        self.story.write(Sent, "standard", key, answer["MessageId"])

    def batch(self, count: int = 4) -> None:
        keys = [self.next_key("s") for _ in range(count)]
        entries = [{"Id": str(n), "MessageBody": self.body(key)} for n, key in enumerate(keys)]
        answer = self.wire.call("SendMessageBatch", QueueUrl=self.story.url("standard"), Entries=entries)
        for one in answer.get("Successful", []):
            self.story.write(Sent, "standard", keys[int(one["Id"])], one["MessageId"])
        for one in answer.get("Failed", []):
            self.story.refusals.append(one.get("Code", ""))

    def fifo(self, turn: int) -> None:
        """The group's next message, or once more the one that nobody acknowledged."""
        group = f"g{turn % self.groups}"
        key = self.pending.setdefault(group, None) or self.next_key(group)
        self.pending[group] = key
        answer = self.wire.call(
            "SendMessage",
            QueueUrl=self.story.url("fifo"),
            MessageBody=self.body(key),
            MessageGroupId=f"{self.name}-{group}",
            MessageDeduplicationId=key.replace("/", "-"),
        )
        self.pending[group] = None
        self.story.write(Sent, "fifo", key, answer["MessageId"])

    def turn(self, number: int) -> None:
        (self.standard, self.batch, lambda: self.fifo(number), lambda: self.fifo(number))[number % 4]()


class Consumer:
    """Receives, writes down, deletes."""

    def __init__(self, story: Story, port: int):
        self.story = story
        self.wire = Wire(port, story.patience)
        self.idle = False  # nothing came with the last answer

    def receive(self, queue: str, wait: int = 0) -> tuple[list[str], list[str]]:
        """Keys and receipts of one answer."""
        since = time.monotonic()
        answer = self.wire.call(
            "ReceiveMessage", QueueUrl=self.story.url(queue), MaxNumberOfMessages=10, WaitTimeSeconds=wait
        )
        messages = answer.get("Messages", [])
        keys = [message["Body"].partition("|")[0] for message in messages]
        if messages:
            self.story.write(Received, since, queue, keys, [message["MessageId"] for message in messages])
        self.idle = not messages
        return keys, [message["ReceiptHandle"] for message in messages]

    def delete(self, queue: str, keys: list[str], receipts: list[str], firm: bool = True) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": receipt} for n, receipt in enumerate(receipts)]
        self.story.write(Asked, queue, keys)
        answer = self.wire.call("DeleteMessageBatch", QueueUrl=self.story.url(queue), Entries=entries)
        gone = [keys[int(one["Id"])] for one in answer.get("Successful", [])]
        if gone:
            self.story.write(Deleted, queue, gone, firm=firm)

    def settle_one(self, queue: str, wait: int = 0) -> int:
        """One answer's worth of a queue, away for good; how many messages that were."""
        life, since = self.story.life, time.monotonic()
        keys, receipts = self.receive(queue, wait)
        if keys:
            # A standard queue may forget a lease with its process; then a deletion promises less.
            firm = life == self.story.life and time.monotonic() - since < self.story.lease / 2
            self.delete(queue, keys, receipts, firm)
        return len(keys)

    def left(self) -> int:
        """Messages in both queues, leased ones too."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        total = 0
        for queue in ("standard", "fifo"):
            body = {"QueueUrl": self.story.url(queue), "AttributeNames": names}
            total += sum(map(int, self.wire.call("GetQueueAttributes", **body)["Attributes"].values()))
        return total


class Load:
    """Threads that produce and consume until they are stopped; nobody there is no reason to stop."""

    def __init__(self, story: Story, producers: int = 2, consumers: int = 1, name: str = "p"):
        self.story = story
        self.stop = threading.Event()
        self.trouble = []
        tasks = [self.producing(Producer(story, f"{name}{n}")) for n in range(producers)]
        tasks += [self.consuming(Consumer(story, story.port), n) for n in range(consumers)]
        self.threads = [threading.Thread(target=self.guarded, args=(task,), daemon=True) for task in tasks]

    def producing(self, producer: Producer):
        turns = iter(range(10**9))
        return lambda: producer.turn(next(turns))

    def consuming(self, consumer: Consumer, number: int):
        turns = iter(range(number, 10**9))
        return lambda: consumer.settle_one(("standard", "fifo")[next(turns) % 2])

    def guarded(self, task) -> None:
        while not self.stop.is_set():
            try:
                task()
            except Away:
                time.sleep(NAP)
            except Refused as refusal:
                self.refused(refusal)
            except Exception as failure:  # told by the line, which ends with it
                self.trouble.append(f"a client failed: {failure!r}")
                return

    def refused(self, refusal: Refused) -> None:
        if refusal.again:
            time.sleep(NAP)
        else:
            self.trouble.append(f"refused: {refusal}")

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client does not come back from its call"
