"""Producers and consumers over boto3, each a process of its own."""

import multiprocessing
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from harness.face import client

from killloop.journal import Asked, Deleted, Journal, Received, Sent

GROUPS = 8  # of each producer
LEASE = 2  # seconds; short, because a lease outlives the crash in which its holder was cut off
PAUSE = 0.02  # seconds before a call to a server that is not there is tried again


def away(failure: Exception) -> bool:
    """Whether the server was gone or told us to come again; anything else is the test's failure."""
    if isinstance(failure, ClientError):
        status = failure.response["ResponseMetadata"]["HTTPStatusCode"]
        return status >= 500 or "Throttl" in failure.response["Error"]["Code"]
    return isinstance(failure, BotoCoreError)


def attempt(call, **parameters):
    """The answer, or None when the server was away."""
    try:
        return call(**parameters)
    except (BotoCoreError, ClientError) as failure:
        if not away(failure):
            raise
        time.sleep(PAUSE)
        return None


class Producer:
    """Sends to both queues in turn; the standard queue in batches, the FIFO queue one by one."""

    def __init__(self, name: str, url: str, queues: dict, journal: Journal):
        self.name, self.queues, self.journal = name, queues, journal
        self.sqs = client(url, read_timeout=5)
        self.counts = {}

    def next_key(self, group: str) -> str:
        number = self.counts.get(group, 0)
        self.counts[group] = number + 1
        return f"{self.name}/{group}/{number}"

    def standard(self) -> None:
        """What is not acknowledged is given up: perhaps it is there, perhaps not."""
        keys = [self.next_key("batch") for _ in range(4)]
        entries = [{"Id": str(n), "MessageBody": key} for n, key in enumerate(keys)]
        answer = attempt(self.sqs.send_message_batch, QueueUrl=self.queues["standard"], Entries=entries)
        for one in (answer or {}).get("Successful", []):
            self.journal.write(Sent, "standard", keys[int(one["Id"])], one["MessageId"])

    def fifo(self, stop, turn: int) -> None:
        """The same message, with the same deduplication id, until it is acknowledged."""
        group = f"g{turn % GROUPS}"
        key = self.next_key(group)
        ids = {"MessageGroupId": f"{self.name}-{group}", "MessageDeduplicationId": key.replace("/", "-")}
        while not stop.is_set():
            answer = attempt(self.sqs.send_message, QueueUrl=self.queues["fifo"], MessageBody=key, **ids)
            if answer:
                self.journal.write(Sent, "fifo", key, answer["MessageId"])
                return

    def run(self, stop) -> None:
        turn = 0
        while not stop.is_set():
            self.standard()
            self.fifo(stop, turn)
            turn += 1


class Consumer:
    """Receives from one queue and deletes what it got."""

    def __init__(self, name: str, url: str, queue: str, queue_url: str, journal: Journal):
        self.queue, self.queue_url, self.journal = queue, queue_url, journal
        self.sqs = client(url, read_timeout=5)

    def run(self, stop) -> None:
        while not stop.is_set():
            since = time.monotonic()
            answer = attempt(
                self.sqs.receive_message,
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=LEASE,
                WaitTimeSeconds=1,
            )
            if answer and "Messages" in answer:
                self.settle(since, answer["Messages"])

    def settle(self, since: float, messages: list) -> None:
        keys = [message["Body"] for message in messages]
        self.journal.write(Received, since, self.queue, keys, [message["MessageId"] for message in messages])
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        self.journal.write(Asked, self.queue, keys)
        answer = attempt(self.sqs.delete_message_batch, QueueUrl=self.queue_url, Entries=entries)
        gone = [keys[int(one["Id"])] for one in (answer or {}).get("Successful", [])]
        self.journal.write(Deleted, self.queue, gone)


def produce(name: str, url: str, queues: dict, folder: Path, stop) -> None:
    Producer(name, url, queues, Journal(folder / f"{name}.jsonl")).run(stop)


def consume(name: str, url: str, queue: str, queue_url: str, folder: Path, stop) -> None:
    Consumer(name, url, queue, queue_url, Journal(folder / f"{name}.jsonl")).run(stop)


class Load:
    """The processes; producers can be stopped before consumers."""

    def __init__(self, url: str, queues: dict, folder: Path):
        # Not forked: a fork would take the threads' locks of pytest's process with it.
        context = multiprocessing.get_context("spawn")
        self.no_more, self.done = context.Event(), context.Event()
        self.producers = [
            context.Process(target=produce, args=(f"p{n}", url, queues, folder, self.no_more), daemon=True)
            for n in range(2)
        ]
        self.consumers = [
            context.Process(
                target=consume, args=(f"c-{queue}-{n}", url, queue, queues[queue], folder, self.done), daemon=True
            )
            for queue in queues
            for n in range(2)
        ]

    def start(self) -> None:
        for worker in self.producers + self.consumers:
            worker.start()

    def stop_producers(self) -> None:
        self.no_more.set()
        self.join(self.producers)

    def stop_consumers(self) -> None:
        self.done.set()
        self.join(self.consumers)

    @staticmethod
    def join(workers: list) -> None:
        for worker in workers:
            worker.join(30)
            assert worker.exitcode == 0, f"{worker.name} ended with {worker.exitcode}"

    def terminate(self) -> None:
        for worker in self.producers + self.consumers:
            if worker.is_alive():
                worker.terminate()
