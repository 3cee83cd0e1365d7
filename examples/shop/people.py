"""The people of the shop: tills place orders, packers pack them, cashiers take payments.

All of them are plain boto3 programs. When the server is away they try again, as any program should;
that is all they do about crashes.
"""

import json
import threading
from collections import defaultdict

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

POISON = "this is not an order"
PAUSE = 0.02  # seconds before a call that met no server is tried again


def client(url: str):
    """One attempt per call: the retries are ours, so that they can be counted."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
    keys = {"aws_access_key_id": "shop", "aws_secret_access_key": "shop"}
    session = boto3.session.Session(region_name="us-east-1", **keys)
    return session.client("sqs", endpoint_url=url, config=config)


class Ledger:
    """What happened, as the shop's people saw it; the check reads nothing else."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ordered = []  # order numbers whose order the server acknowledged
        self.charged = defaultdict(list)  # customer -> payment numbers that it acknowledged
        self.packed = []  # order numbers, repeats included
        self.paid = defaultdict(list)  # customer -> payment numbers as they came, repeats included
        self.redelivered = self.retries = 0
        self.accidents = []  # what went wrong with a person, not with the server

    def write(self, page: list, entry) -> None:
        with self.lock:
            page.append(entry)

    def add(self, name: str, count: int) -> None:
        with self.lock:
            setattr(self, name, getattr(self, name) + count)


class Person:
    """Somebody with a client, the ledger and patience."""

    def __init__(self, url: str, queues: dict, ledger: Ledger, closed: threading.Event):
        self.sqs, self.queues, self.ledger, self.closed = client(url), queues, ledger, closed

    def work(self, job, *arguments) -> None:
        """Does the job until it is done or the shop closes."""
        try:
            job(self, *arguments)
        except Exception as accident:  # a thread's last words would be lost otherwise
            self.ledger.write(self.ledger.accidents, f"{job.__name__}: {accident!r}")

    def insist(self, call, **parameters) -> dict | None:
        """The call again and again until it is answered; None when the shop closes first."""
        while not self.closed.is_set():
            try:
                return call(**parameters)
            except (BotoCoreError, ClientError) as failure:
                if not self.away(failure):
                    raise
                self.ledger.add("retries", 1)
                self.closed.wait(PAUSE)
        return None

    @staticmethod
    def away(failure: Exception) -> bool:
        """Nobody there, or "come again": either passes."""
        if not isinstance(failure, ClientError):
            return True
        answer = failure.response
        return answer["ResponseMetadata"]["HTTPStatusCode"] >= 500 or "Throttl" in answer["Error"]["Code"]

    def receive(self, queue: str) -> list:
        """Up to ten messages, or none after a second."""
        answer = self.insist(
            self.sqs.receive_message,
            QueueUrl=self.queues[queue],
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        messages = (answer or {}).get("Messages", [])
        again = sum(int(m["Attributes"]["ApproximateReceiveCount"]) > 1 for m in messages)
        self.ledger.add("redelivered", again)
        return messages

    def delete(self, queue: str, messages: list) -> None:
        """An entry whose lease ended meanwhile fails alone, and its message comes again."""
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        if entries:
            self.insist(self.sqs.delete_message_batch, QueueUrl=self.queues[queue], Entries=entries)

    def give_back(self, queue: str, message: dict) -> None:
        handle = {"QueueUrl": self.queues[queue], "ReceiptHandle": message["ReceiptHandle"]}
        try:
            self.insist(self.sqs.change_message_visibility, VisibilityTimeout=0, **handle)
        except ClientError:
            pass  # its lease ended meanwhile: it is back already


def till(person: Person, customers: list, orders: list) -> None:
    """Places each order, then asks for its payment in the customer's group."""
    ledger = person.ledger
    for turn, order in enumerate(orders):
        customer = customers[turn % len(customers)]
        number = len(ledger.charged[customer]) + 1
        text = json.dumps({"order": order, "customer": customer, "number": number})
        ids = {"MessageGroupId": customer, "MessageDeduplicationId": f"order-{order}"}  # tried twice, paid once
        if person.insist(person.sqs.send_message, QueueUrl=person.queues["orders"], MessageBody=text):
            ledger.write(ledger.ordered, order)
        if person.insist(person.sqs.send_message, QueueUrl=person.queues["payments"], MessageBody=text, **ids):
            ledger.write(ledger.charged[customer], number)


def packer(person: Person) -> None:
    """Packs orders; what cannot be read goes back, until the queue has had enough of it."""
    while not person.closed.is_set():
        done = []
        for message in person.receive("orders"):
            try:
                order = json.loads(message["Body"])["order"]
            except ValueError:
                person.give_back("orders", message)
                continue
            person.ledger.write(person.ledger.packed, order)
            done.append(message)
        person.delete("orders", done)


def cashier(person: Person) -> None:
    """Takes payments; written down before the deletion, so the next of a group comes after it."""
    while not person.closed.is_set():
        messages = person.receive("payments")
        for message in messages:
            payment = json.loads(message["Body"])
            person.ledger.write(person.ledger.paid[payment["customer"]], payment["number"])
        person.delete("payments", messages)
