"""The shop: its three queues, its staff, and what there is to count."""

import json
import threading

import check
from people import POISON, Ledger, Person, cashier, client, packer, till

TILLS, PACKERS, CASHIERS = 4, 3, 2
CUSTOMERS = 10  # of each till: a customer's payments come from one place, so they have an order
LEASE = 3  # seconds; what was handed out to a lost answer comes back after this
TRIES = 8  # receives before the dead-letter queue; a kill may cost one, so more than there are kills
COUNTED = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


class Shop:
    def __init__(self, url: str, orders: int):
        self.url, self.orders = url, orders
        self.sqs = client(url)
        self.ledger, self.closed = Ledger(), threading.Event()
        self.queues, self.staff = self.make_queues(), []

    def make_queues(self) -> dict:
        lease = {"VisibilityTimeout": str(LEASE)}
        dead = self.make_queue("orders-dead")
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": TRIES})
        return {
            "dead": dead,
            "orders": self.make_queue("orders", RedrivePolicy=policy, **lease),
            "payments": self.make_queue("payments.fifo", FifoQueue="true", **lease),
        }

    def make_queue(self, name: str, **attributes: str) -> str:
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def open(self) -> None:
        """Everybody starts to work, each on a thread."""
        for n in range(TILLS):
            customers = [f"customer-{n * CUSTOMERS + c}" for c in range(CUSTOMERS)]
            self.hire(till, customers, list(range(1 + n, 1 + self.orders, TILLS)))
        for job in [packer] * PACKERS + [cashier] * CASHIERS:
            self.hire(job)

    def hire(self, job, *arguments) -> None:
        person = Person(self.url, self.queues, self.ledger, self.closed)
        thread = threading.Thread(target=person.work, args=(job, *arguments), daemon=True)
        self.staff.append(thread)
        thread.start()

    def spill_poison(self) -> None:
        """Sent once and never again, so that there is one of it."""
        self.sqs.send_message(QueueUrl=self.queues["orders"], MessageBody=POISON)

    def close(self) -> None:
        self.closed.set()
        for thread in self.staff:
            thread.join(10)

    def ordered(self) -> int:
        return len(self.ledger.ordered)

    def packed(self) -> int:
        with self.ledger.lock:
            return len(set(self.ledger.packed))

    def charged(self) -> int:
        with self.ledger.lock:
            return sum(len(numbers) for numbers in self.ledger.charged.values())

    def paid(self) -> int:
        with self.ledger.lock:
            return sum(len(set(numbers)) for numbers in self.ledger.paid.values())

    def done(self) -> bool:
        """All was sent, and nothing is left but the one dead letter."""
        if self.ledger.accidents:
            return True
        sent = self.ordered() == self.charged() == self.orders
        return sent and self.left() == {"orders": 0, "payments": 0, "dead": 1}

    def left(self) -> dict:
        """Messages in each queue, those in flight included."""
        found = {}
        for name, url in self.queues.items():
            answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTED)["Attributes"]
            found[name] = sum(int(value) for value in answer.values())
        return found

    def dead_letters(self) -> list[str]:
        """Looked at, not taken: a lease of no seconds."""
        answer = self.sqs.receive_message(QueueUrl=self.queues["dead"], MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in answer.get("Messages", [])]

    def story(self) -> check.Story:
        """What there is to check."""
        left, ledger = self.left(), self.ledger
        del left["dead"]
        return check.Story(
            orders=self.orders,
            ordered=ledger.ordered,
            packed=ledger.packed,
            charged=ledger.charged,
            paid=ledger.paid,
            dead=self.dead_letters(),
            poison=POISON,
            left=left,
            accidents=ledger.accidents,
        )
