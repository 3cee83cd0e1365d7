"""boto3 against one endpoint, with the few verbs that nearly every test uses."""

import json
import urllib.request
import uuid
from contextlib import contextmanager

import boto3
import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "us-east-1"
ACCOUNT = "000000000000"

# The last SDK that speaks the Query protocol names the system attributes that a receive shows in one
# member only, which newer ones still send beside their own.
QUERY = botocore.__version__ == "1.31.80"
SYSTEM_NAMES = "AttributeNames" if QUERY else "MessageSystemAttributeNames"
json_only = pytest.mark.skipif(QUERY, reason="the Query protocol's SDK cannot say this")

# With the query-compatibility header an SDK shows the codes of the older protocol, without it the
# names of the model. Both say the same; the tests use the model's.
LEGACY = {"NonExistentQueue": "QueueDoesNotExist", "QueueAlreadyExists": "QueueNameExists"}


def client(url: str, service: str = "sqs", **options):
    """A client that never retries, so that a test sees each answer."""
    keys = {"aws_access_key_id": options.pop("key", "test"), "aws_secret_access_key": "test"}
    region = options.pop("region", REGION)
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=options.pop("read_timeout", 60),
        max_pool_connections=32,
        **options,
    )
    return boto3.session.Session(**keys, region_name=region).client(service, endpoint_url=url, config=config)


def fresh_name() -> str:
    """A name never used before."""
    return f"n-{uuid.uuid4().hex}"


def plain(code: str) -> str:
    """An error code as the model names it, whatever the server sent with it."""
    code = code.rsplit("#", 1)[-1].removeprefix("AWS.SimpleQueueService.")
    return LEGACY.get(code, code.removesuffix("Exception"))


@contextmanager
def refused(*codes: str, says: str = ""):
    """The block is refused with one of these codes, as the caller's fault."""
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response
    assert plain(answer["Error"]["Code"]) in codes, answer
    assert 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] < 500, answer
    assert says.lower() in answer["Error"]["Message"].lower(), answer


@contextmanager
def not_supported(operation: str):
    """The block is told that an operation is not here, by its name."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501, answer
    assert answer["Error"]["Code"] == "NotImplemented" and operation in answer["Error"]["Message"], answer


def bodies(messages: list) -> list[str]:
    return [message["Body"] for message in messages]


class Face:
    """One server's SQS."""

    def __init__(self, url: str, **who: str):
        """`who`: `key` and `region`, when they are not the tests' own."""
        self.url = url
        self.client = client(url, **who)
        self.unchecked = client(url, parameter_validation=False, **who)

    def name(self, fifo: bool = False) -> str:
        return f"q-{uuid.uuid4().hex}" + (".fifo" if fifo else "")

    def queue(self, fifo: bool = False, **attributes) -> str:
        """A new queue of a name never used before; its URL."""
        if fifo:
            attributes = {"FifoQueue": "true", **attributes}
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in attributes.items()}
        return self.client.create_queue(QueueName=self.name(fifo), Attributes=texts)["QueueUrl"]

    def fifo(self, **attributes) -> str:
        return self.queue(fifo=True, **attributes)

    def send(self, url: str, body: str = "hello", **more) -> dict:
        return self.client.send_message(QueueUrl=url, MessageBody=body, **more)

    def send_to_group(self, url: str, group: str, *texts: str) -> list[dict]:
        """Sends each text to the group, deduplicated by a fresh id."""
        return [
            self.send(url, text, MessageGroupId=group, MessageDeduplicationId=uuid.uuid4().hex)
            for text in texts
        ]

    def send_batch(self, url: str, entries: list[dict]) -> dict:
        return self.client.send_message_batch(QueueUrl=url, Entries=entries)

    def receive(self, url: str, count: int = 10, **more) -> list[dict]:
        more.setdefault(SYSTEM_NAMES, ["All"])
        more.setdefault("MessageAttributeNames", ["All"])
        answer = self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=count, **more)
        return answer.get("Messages", [])

    def receive_one(self, url: str, **more) -> dict:
        messages = self.receive(url, 1, **more)
        assert len(messages) == 1, messages
        return messages[0]

    def delete(self, url: str, message: dict) -> dict:
        return self.client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def hide(self, url: str, message: dict, seconds: int) -> dict:
        return self.client.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def attributes(self, url: str, *names: str) -> dict:
        names = list(names) or ["All"]
        return self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})

    def set(self, url: str, **attributes: str) -> dict:
        return self.client.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def counts(self, url: str) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        found = self.attributes(url, *names)
        return tuple(int(found[name]) for name in names)

    def arn(self, url: str) -> str:
        return self.attributes(url, "QueueArn")["QueueArn"]

    def redrive(self, target: str, after: int) -> str:
        """A redrive policy to the queue `target` after so many receives."""
        return json.dumps({"deadLetterTargetArn": self.arn(target), "maxReceiveCount": after})


class TimedFace(Face):
    """The same on a server whose clock the test turns."""

    def advance(self, span: str) -> dict:
        """Moves the server's time by `span` ("90s", "5m", "14d"); what fired on the way."""
        return self.clock({"advance": span})

    def clock(self, body: dict) -> dict:
        request = urllib.request.Request(
            self.url + "/_lineside/clock",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
