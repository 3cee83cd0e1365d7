"""A full inbox, and a full budget of state, are the cloud's throttling, which SDKs answer by coming again."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from harness import wire
from harness.face import REGION, Face, refused
from harness.server import serve

SENDERS = 64


@pytest.fixture
def narrow(tmp_path):
    """A server in whose inbox four requests find room."""
    yield from serve(tmp_path, "--inbox", "4")


def test_a_full_inbox_answers_throttling(narrow):
    """Many requests at once: some are throttled, and just the others are there."""
    sqs = Face(narrow.url)
    url = sqs.queue()
    body = json.dumps({"QueueUrl": url, "MessageBody": "x"}).encode()
    request = wire.request(body, "AmazonSQS.SendMessage")
    senders = [wire.dial(narrow.url) for _ in range(SENDERS)]
    sent, throttled = 0, []
    for _ in range(200):
        for sender in senders:
            sender.sendall(request)
        answers = [wire.read(sender) for sender in senders]
        sent += sum(answer.status == 200 for answer in answers)
        throttled = [answer for answer in answers if answer.status != 200]
        if throttled:
            break
    for sender in senders:
        sender.close()
    assert {(answer.status, answer.error) for answer in throttled} == {(400, "RequestThrottled")}
    assert sqs.counts(url) == (sent, 0, 0)


def test_entries_of_a_batch_are_throttled_one_by_one(narrow):
    sqs = Face(narrow.url)
    url = sqs.queue()
    sent, failed = 0, []
    for _ in range(500):
        answer = sqs.send_batch(url, [{"Id": str(n), "MessageBody": "x"} for n in range(10)])
        sent += len(answer.get("Successful", []))
        failed += answer.get("Failed", [])
        if failed:
            break
    assert {entry["Code"] for entry in failed} == {"RequestThrottled"}
    assert sqs.counts(url) == (sent, 0, 0)


def test_an_sdk_with_retries_gets_everything_through(narrow):
    sqs = Face(narrow.url)
    url = sqs.queue()

    def send(number: int) -> None:
        config = Config(retries={"mode": "standard", "max_attempts": 25})
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        session = boto3.session.Session(**keys, region_name=REGION)
        own = session.client("sqs", endpoint_url=narrow.url, config=config)
        for _ in range(20):
            own.send_message(QueueUrl=url, MessageBody=str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert sqs.counts(url) == (160, 0, 0)


@pytest.fixture
def small(tmp_path):
    """A server that may keep 16 MiB of state."""
    yield from serve(tmp_path, "--state-mib", "16")


def send_until_throttled(url: str, queue: str) -> tuple[int, list[dict]]:
    """Sends batches from several clients at once; how many messages were taken, and what was not.
    A long group takes more room than the message, so that fewer are enough."""

    def send(_) -> tuple[int, list[dict]]:
        own, taken = Face(url), 0
        entries = [{"Id": str(n), "MessageBody": "x", "MessageGroupId": "g" * 128} for n in range(10)]
        for _ in range(10_000):
            answer = own.send_batch(queue, entries)
            taken += len(answer.get("Successful", []))
            if answer.get("Failed"):
                return taken, answer["Failed"]
        raise AssertionError(f"{taken} messages and no end")

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(send, range(4)))
    return sum(taken for taken, _ in sent), [entry for _, failed in sent for entry in failed]


def test_a_full_budget_refuses_sends_and_lets_consumers_make_room(small):
    sqs = Face(small.url)
    queue = sqs.queue()
    sent, failed = send_until_throttled(small.url, queue)
    assert {entry["Code"] for entry in failed} == {"RequestThrottled"}
    assert "--state-mib" in failed[0]["Message"]
    assert 20_000 < sent < 80_000
    assert small.resident_bytes() < 128 << 20
    for call in [lambda: sqs.send(queue), lambda: sqs.queue()]:
        with refused("RequestThrottled", says="too much is kept"):
            call()
    assert sqs.counts(queue) == (sent, 0, 0)

    for _ in range(20):
        received = sqs.receive(queue)
        assert len(received) == 10
        for message in received:
            sqs.hide(queue, message, 60)
            sqs.delete(queue, message)
    again, _ = send_until_throttled(small.url, queue)
    assert 190 <= again <= 210, "as many as were deleted"
    assert small.stop() == 0
    small.start()
    with refused("RequestThrottled"):
        sqs.send(queue)
    sqs.client.purge_queue(QueueUrl=queue)
    assert sqs.send(queue)["MessageId"]
