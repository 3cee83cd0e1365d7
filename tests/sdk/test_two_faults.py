"""Requests with two faults at once, over all operations: which of the two is told.

Where the API reference gives an order, that holds. It gives nearly none, so most lines rest on moto 5.2.5 and
LocalStack 2026.3.0 as they run: `PEERS` where both say the same, `MOTO` or `LOCALSTACK` where the other looks
at only one of the two, and `OURS` where they differ or look at neither.
"""

import json
from typing import NamedTuple

import pytest
from botocore import xform_name
from botocore.session import Session
from harness import wire
from harness.face import ACCOUNT, QUERY, REGION, refused

PEERS, MOTO, LOCALSTACK, OURS = "both peers", "moto", "LocalStack", "nobody else"

LONG = "x" * 600_000
ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"


class Case(NamedTuple):
    operation: str
    given: dict  # beside the queue's URL
    code: str
    says: str = ""
    rests_on: str = PEERS
    queue: str = "standard"


def entries(*ids: str, **more) -> list:
    return [{"Id": ident, "MessageBody": "x", **more} for ident in ids]


def handles(*ids: str, **more) -> list:
    return [{"Id": ident, "ReceiptHandle": "x", **more} for ident in ids]


def gone(operation: str, rests_on: str = PEERS, **given) -> Case:
    """A queue that is not there, and another fault: the queue is told, whatever the other is."""
    return Case(operation, given, "QueueDoesNotExist", "The specified queue does not exist.", rests_on, "gone")


SENT = {"MessageBody": "x"}
RECEIPT = {"ReceiptHandle": "x"}
SHARED = {"Label": "a", "AWSAccountIds": ["123456789012"], "Actions": ["SendMessage"]}

QUEUE_FIRST = [
    gone("add_permission"),
    gone("add_permission", **{**SHARED, "Label": "a b"}),
    gone("add_permission", **{**SHARED, "AWSAccountIds": ["12"]}),
    gone("add_permission", **{**SHARED, "Actions": ["Nonsense"]}),
    gone("change_message_visibility", LOCALSTACK),
    gone("change_message_visibility", VisibilityTimeout=1, **RECEIPT),
    gone("change_message_visibility", LOCALSTACK, VisibilityTimeout=43201, **RECEIPT),
    gone("change_message_visibility_batch", LOCALSTACK, Entries=[]),
    gone("change_message_visibility_batch", Entries=handles("a", "a", VisibilityTimeout=1)),
    gone("delete_message"),
    gone("delete_message", **RECEIPT),
    gone("delete_message_batch", LOCALSTACK, Entries=[]),
    gone("delete_message_batch", LOCALSTACK, Entries=handles("a", "a")),
    gone("get_queue_attributes", AttributeNames=["Nonsense"]),
    gone("list_dead_letter_source_queues", MaxResults=0),
    gone("list_dead_letter_source_queues", NextToken="not-a-token"),
    gone("receive_message", MaxNumberOfMessages=11),
    gone("receive_message", VisibilityTimeout=43201),
    gone("receive_message", WaitTimeSeconds=21),
    gone("receive_message", AttributeNames=["Nonsense"]),
    gone("remove_permission"),
    gone("remove_permission", Label="a b"),
    gone("send_message"),
    gone("send_message", MessageBody=""),
    gone("send_message", MessageBody="\x01"),
    gone("send_message", DelaySeconds=901, **SENT),
    gone("send_message", MessageAttributes={"a b": {"DataType": "String", "StringValue": "x"}}, **SENT),
    gone("send_message_batch"),
    gone("send_message_batch", Entries=[]),
    gone("send_message_batch", Entries=entries("a", "a")),
    gone("send_message_batch", Entries=entries(*"abcdefghijk")),
    gone("set_queue_attributes"),
    gone("set_queue_attributes", Attributes={"Nonsense": "1"}),
    gone("set_queue_attributes", Attributes={"DelaySeconds": "x"}),
    gone("tag_queue", MOTO),
    gone("tag_queue", Tags={"aws:a": "x"}),
    gone("untag_queue"),
    gone("untag_queue", TagKeys=[]),
]

BATCHES = [
    # Too many, then each entry in its place: its id as such, then whether it was there before.
    Case("send_message_batch", {"Entries": entries(*["a"] * 11)}, "TooManyEntriesInBatchRequest", "11", LOCALSTACK),
    Case("delete_message_batch", {"Entries": handles(*["a"] * 11)}, "TooManyEntriesInBatchRequest", "11", LOCALSTACK),
    Case("send_message_batch", {"Entries": entries("a b", "a b")}, "InvalidBatchEntryId"),
    Case("send_message_batch", {"Entries": entries("c", "c", "a b")}, "BatchEntryIdsNotDistinct", "Id c", LOCALSTACK),
    Case("delete_message_batch", {"Entries": handles("c", "c", "a b")}, "BatchEntryIdsNotDistinct", "Id c", MOTO),
    Case(
        "change_message_visibility_batch",
        {"Entries": handles("c", "c", "a b", VisibilityTimeout=43201)},
        "BatchEntryIdsNotDistinct",
        "Id c",
        OURS,
    ),
    # All of that before the sizes, and before anything that an entry alone is answered with.
    Case("send_message_batch", {"Entries": entries("a b", "c", MessageBody=LONG)}, "InvalidBatchEntryId"),
    Case(
        "send_message_batch",
        {"Entries": entries("a", "a", MessageBody=LONG)},
        "BatchEntryIdsNotDistinct",
        "",
        LOCALSTACK,
    ),
    Case("send_message_batch", {"Entries": entries("a", "a", DelaySeconds=901)}, "BatchEntryIdsNotDistinct"),
    Case(
        "send_message_batch",
        {"Entries": entries("a", "b", MessageBody=LONG, DelaySeconds=901)},
        "BatchRequestTooLong",
        "",
        PEERS,
    ),
]

TWO_VALUES = [
    Case("add_permission", {**SHARED, "Label": "a b", "AWSAccountIds": ["12"]}, "InvalidParameterValue", "Label", OURS),
    Case("add_permission", {**SHARED, "AWSAccountIds": ["12"], "Actions": []}, "MissingParameter", "Actions", MOTO),
    Case("change_message_visibility", {"VisibilityTimeout": 43201, **RECEIPT}, "InvalidParameterValue", "43201", MOTO),
    Case("change_message_visibility", {"VisibilityTimeout": 43201}, "InvalidParameterValue", "43201", MOTO),
    Case("change_message_visibility", RECEIPT, "MissingParameter", "VisibilityTimeout", OURS),
    Case(
        "receive_message",
        {"MaxNumberOfMessages": 11, "WaitTimeSeconds": 21},
        "InvalidParameterValue",
        "MaxNumber",
        MOTO,
    ),
    Case("receive_message", {"WaitTimeSeconds": 21, "VisibilityTimeout": 43201}, "InvalidParameterValue", "WaitTime"),
    Case(
        "receive_message", {"MaxNumberOfMessages": 11, "AttributeNames": ["Nonsense"]}, "InvalidAttributeName", "", OURS
    ),
    Case("send_message", {"MessageBody": "", "DelaySeconds": 901}, "MissingParameter", "MessageBody", LOCALSTACK),
    Case("send_message", {"MessageBody": "\x01", "DelaySeconds": 901}, "InvalidMessageContents", "", LOCALSTACK),
    Case(
        "send_message",
        {"DelaySeconds": 901, "MessageAttributes": {"a b": {"DataType": "String", "StringValue": "x"}}, **SENT},
        "InvalidParameterValue",
        "DelaySeconds",
        MOTO,
    ),
    Case("send_message", {"MessageDeduplicationId": "d", **SENT}, "MissingParameter", "MessageGroupId", PEERS, "fifo"),
    Case("send_message", {"DelaySeconds": 5, **SENT}, "MissingParameter", "MessageGroupId", MOTO, "fifo"),
    Case("send_message", SENT, "MissingParameter", "MessageGroupId", PEERS, "fifo"),
    Case(
        "set_queue_attributes",
        {"Attributes": {"DelaySeconds": "x", "Nonsense": "1"}},
        "InvalidAttributeName",
        "Nonsense",
        LOCALSTACK,
    ),
    Case(
        "set_queue_attributes",
        {"Attributes": {"ContentBasedDeduplication": "x"}},
        "InvalidAttributeName",
        "Content",
        LOCALSTACK,
    ),
    Case("tag_queue", {"Tags": {"aws:a": "x", "b" * 129: "x"}}, "InvalidParameterValue", "aws:", OURS),
]

# Operations that name a queue otherwise, or none.
OTHERS = [
    Case("create_queue", {"Attributes": {"DelaySeconds": "x"}}, "MissingParameter", "QueueName", OURS, ""),
    Case(
        "create_queue",
        {"QueueName": "a b", "Attributes": {"DelaySeconds": "x"}},
        "InvalidParameterValue",
        "alphanumeric",
        PEERS,
        "",
    ),
    Case(
        "create_queue",
        {"QueueName": "a", "Attributes": {"DelaySeconds": "x", "Nonsense": "1"}},
        "InvalidAttributeName",
        "Nonsense",
        LOCALSTACK,
        "",
    ),
    Case(
        "create_queue",
        {"QueueName": "a", "Attributes": {"DelaySeconds": "x"}, "tags": {"aws:a": "x"}},
        "InvalidAttributeValue",
        "DelaySeconds",
        OURS,
        "",
    ),
    Case("get_queue_url", {"QueueName": "no such!"}, "QueueDoesNotExist", "", PEERS, ""),
    Case(
        "get_queue_url",
        {"QueueName": "nowhere", "QueueOwnerAWSAccountId": "12"},
        "InvalidParameterValue",
        "12",
        OURS,
        "",
    ),
    Case("list_queues", {"MaxResults": 0, "NextToken": "not-a-token"}, "InvalidParameterValue", "MaxResults", OURS, ""),
    Case(
        "list_message_move_tasks",
        {"SourceArn": "x", "MaxResults": 11},
        "InvalidParameterValue",
        "SourceArn",
        LOCALSTACK,
        "",
    ),
    Case(
        "start_message_move_task",
        {"SourceArn": ARN + "gone", "DestinationArn": ARN + "gone"},
        "ResourceNotFoundException",
        "SourceArn",
        LOCALSTACK,
        "",
    ),
    Case(
        "start_message_move_task",
        {"SourceArn": ARN + "gone", "MaxNumberOfMessagesPerSecond": 501},
        "ResourceNotFoundException",
        "SourceArn",
        LOCALSTACK,
        "",
    ),
    Case("cancel_message_move_task", {"TaskHandle": "x"}, "InvalidParameterValue", "TaskHandle", LOCALSTACK, ""),
]

ALL = QUEUE_FIRST + BATCHES + TWO_VALUES + OTHERS


def named(case: Case) -> str:
    return f"{case.operation}-{case.queue}-{json.dumps(case.given)[:60]}"


@pytest.fixture(scope="module")
def urls(sqs):
    return {"standard": sqs.queue(), "fifo": sqs.fifo(), "gone": f"{sqs.url}/{ACCOUNT}/{sqs.name()}"}


@pytest.mark.parametrize("case", ALL, ids=named)
def test_of_two_faults_the_graver_is_told(sqs, urls, case):
    queue = {"QueueUrl": urls[case.queue]} if case.queue else {}
    codes = {case.code, case.code.removesuffix("Exception")}
    with refused(*codes, says=case.says):
        getattr(sqs.unchecked, case.operation)(**queue, **case.given)


def test_every_operation_has_two_faults():
    """But those that have but one to make: the URL of a queue."""
    alone = {"delete_queue", "list_queue_tags", "purge_queue"}
    operations = {xform_name(name) for name in Session().get_service_model("sqs").operation_names}
    assert {case.operation for case in ALL} == operations - alone


@pytest.mark.skipif(QUERY, reason="what is refused is the envelope of AWS JSON")
def test_what_cannot_be_read_is_told_before_anything_else(sqs, urls):
    """Before the queue is known, it cannot be missing."""
    body = json.dumps({"QueueUrl": urls["gone"], "MessageBody": 5}).encode()
    assert wire.call(sqs.url, "SendMessage", body).error == "SerializationException"
    body = json.dumps({"QueueUrl": "http://x/a b", "MessageBody": ""}).encode()
    assert wire.call(sqs.url, "SendMessage", body).error == "InvalidAddress"
