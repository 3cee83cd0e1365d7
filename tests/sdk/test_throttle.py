"""A full inbox is the cloud's throttling, which SDKs answer by coming again."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from harness import wire
from harness.face import REGION, Face
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
