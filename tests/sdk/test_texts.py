"""Messages word for word where no document gives the words, and who says the same.

`MOTO` is moto 5.2.5 and `LOCALSTACK` LocalStack 2026.3.0, as they run; `REPORTS` are answers of AWS that people quote in public
issues. docs/fidelity shows this table.
"""

import base64
import json
from typing import NamedTuple

import pytest
from harness.face import ACCOUNT, REGION, refused

BOTH, MOTO, LOCALSTACK, REPORTS = "moto and LocalStack", "moto", "LocalStack", "reports of AWS's answers"

ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
NO_TASK = base64.b64encode(
    json.dumps({"taskId": "0000abcd-0000-8000-8000-000000000000", "sourceArn": "$ARN"}).encode()
).decode()
SENT = {"MessageBody": "x"}
SHARED = {"Label": "a", "AWSAccountIds": ["123456789012"], "Actions": ["SendMessage"]}


class Said(NamedTuple):
    operation: str
    given: dict  # beside the URL of the queue
    code: str
    message: str  # `{queue}` is its name
    who: str
    queue: str = "standard"


def attribute(name: str, kind: str, value: str) -> dict:
    return {"MessageAttributes": {name: {"DataType": kind, "StringValue": value}}, **SENT}


TEXTS = [
    Said(
        "send_message",
        {"MessageBody": ""},
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
        LOCALSTACK,
    ),
    Said(
        "send_message", SENT, "MissingParameter", "The request must contain the parameter MessageGroupId.", BOTH, "fifo"
    ),
    Said(
        "send_message",
        {"MessageGroupId": "g", **SENT},
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        BOTH,
        "fifo",
    ),
    Said(
        "send_message",
        {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 5, **SENT},
        "InvalidParameterValue",
        "Value 5 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.",
        BOTH,
        "fifo",
    ),
    Said(
        "send_message",
        {"MessageDeduplicationId": "d", **SENT},
        "InvalidParameterValue",
        "Value d for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter that is not valid for this queue type.",
        LOCALSTACK,
    ),
    Said(
        "send_message",
        {"MessageGroupId": "a b", **SENT},
        "InvalidParameterValue",
        "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        LOCALSTACK,
    ),
    Said(
        "send_message",
        {"DelaySeconds": 901, **SENT},
        "InvalidParameterValue",
        "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        MOTO,
    ),
    Said(
        "send_message",
        {"MessageBody": "\x01"},
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        LOCALSTACK,
    ),
    Said(
        "send_message",
        {"MessageBody": "x" * 1_048_577},
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
        BOTH,
    ),
    Said(
        "send_message",
        attribute("a", "String", ""),
        "InvalidParameterValue",
        "Message (user) attribute 'a' must contain a non-empty value of type 'String'.",
        LOCALSTACK,
    ),
    Said(
        "send_message",
        attribute("a", "Nonsense", "x"),
        "InvalidParameterValue",
        "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.",
        MOTO,
    ),
    Said(
        "send_message",
        attribute("a b", "String", "x"),
        "InvalidParameterValue",
        "The message attribute name 'a b' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.",
        MOTO,
    ),
    Said(
        "send_message",
        attribute("aws.b", "String", "x"),
        "InvalidParameterValue",
        "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'.",
        LOCALSTACK,
    ),
    Said(
        "send_message_batch",
        {"Entries": []},
        "EmptyBatchRequest",
        "There should be at least one SendMessageBatchRequestEntry in the request.",
        MOTO,
    ),
    Said(
        "send_message_batch",
        {"Entries": [{"Id": "a", **SENT}, {"Id": "a", **SENT}]},
        "BatchEntryIdsNotDistinct",
        "Id a repeated.",
        MOTO,
    ),
    Said(
        "send_message_batch",
        {"Entries": [{"Id": str(n), **SENT} for n in range(11)]},
        "TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 11.",
        BOTH,
    ),
    Said(
        "send_message_batch",
        {"Entries": [{"Id": "a b", **SENT}]},
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
        BOTH,
    ),
    Said(
        "send_message_batch",
        {"Entries": [{"Id": ident, "MessageBody": "x" * 600_000} for ident in "ab"]},
        "BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
        BOTH,
    ),
    Said(
        "delete_message_batch",
        {"Entries": [{"ReceiptHandle": "x"}]},
        "MissingParameter",
        "The request must contain the parameter DeleteMessageBatchRequestEntry.1.Id.",
        REPORTS,
    ),
    Said(
        "delete_message",
        {"ReceiptHandle": "x"},
        "ReceiptHandleIsInvalid",
        'The input receipt handle "x" is not a valid receipt handle.',
        LOCALSTACK,
    ),
    Said(
        "receive_message",
        {"MaxNumberOfMessages": 11},
        "InvalidParameterValue",
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        LOCALSTACK,
    ),
    Said(
        "receive_message",
        {"WaitTimeSeconds": 21},
        "InvalidParameterValue",
        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        LOCALSTACK,
    ),
    Said(
        "get_queue_attributes",
        {"AttributeNames": ["Nonsense"]},
        "InvalidAttributeName",
        "Unknown Attribute Nonsense.",
        BOTH,
    ),
    Said(
        "set_queue_attributes",
        {"Attributes": {"Nonsense": "1"}},
        "InvalidAttributeName",
        "Unknown Attribute Nonsense.",
        LOCALSTACK,
    ),
    Said(
        "set_queue_attributes",
        {"Attributes": {}},
        "MissingParameter",
        "The request must contain the parameter Attribute.Name.",
        REPORTS,
    ),
    Said(
        "set_queue_attributes",
        {"Attributes": {"RedrivePolicy": '{"deadLetterTargetArn":"%sa","maxReceiveCount":0}' % ARN}},
        "InvalidParameterValue",
        'Value {"deadLetterTargetArn":"%sa","maxReceiveCount":0} for parameter RedrivePolicy is invalid. Reason: '
        "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive." % ARN,
        LOCALSTACK,
    ),
    Said(
        "create_queue",
        {"QueueName": "a b"},
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        BOTH,
        "",
    ),
    Said(
        "create_queue",
        {"QueueName": "a", "Attributes": {"FifoQueue": "true"}},
        "InvalidParameterValue",
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length",
        LOCALSTACK,
        "",
    ),
    Said(
        "add_permission",
        {**SHARED, "Actions": ["Nonsense"]},
        "InvalidParameterValue",
        "Value SQS:Nonsense for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions.",
        LOCALSTACK,
    ),
    Said(
        "add_permission",
        {**SHARED, "Actions": ["CreateQueue"]},
        "InvalidParameterValue",
        "Value SQS:CreateQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action.",
        MOTO,
    ),
    Said(
        "add_permission",
        {**SHARED, "Actions": ["SendMessage"] * 8},
        "OverLimit",
        "8 Actions were found, maximum allowed is 7.",
        MOTO,
    ),
    Said(
        "add_permission",
        {**SHARED, "Label": "there"},
        "InvalidParameterValue",
        "Value there for parameter Label is invalid. Reason: Already exists.",
        BOTH,
    ),
    Said(
        "remove_permission",
        {"Label": "gone"},
        "InvalidParameterValue",
        "Value gone for parameter Label is invalid. Reason: can't find label on existing policy.",
        MOTO,
    ),
    Said("tag_queue", {"Tags": {}}, "MissingParameter", "The request must contain the parameter Tags.", MOTO),
    Said(
        "tag_queue",
        {"Tags": {f"t{n}": "" for n in range(51)}},
        "InvalidParameterValue",
        "Too many tags added for queue {queue}.",
        MOTO,
    ),
    Said(
        "untag_queue",
        {"TagKeys": [""]},
        "InvalidParameterValue",
        "Tag keys must be between 1 and 128 characters in length.",
        MOTO,
    ),
    Said(
        "start_message_move_task",
        {"SourceArn": ARN + "gone"},
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn parameter doesn't exist.",
        LOCALSTACK,
        "",
    ),
    Said(
        "start_message_move_task",
        {"SourceArn": ARN + "{queue}"},
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
        LOCALSTACK,
        "",
    ),
    Said(
        "list_message_move_tasks",
        {"SourceArn": "x"},
        "InvalidParameterValue",
        "You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
        LOCALSTACK,
        "",
    ),
    Said(
        "cancel_message_move_task",
        {"TaskHandle": "x"},
        "InvalidParameterValue",
        "Value for parameter TaskHandle is invalid.",
        LOCALSTACK,
        "",
    ),
    Said(
        "cancel_message_move_task",
        {"TaskHandle": NO_TASK},
        "ResourceNotFoundException",
        "Task does not exist.",
        LOCALSTACK,
        "",
    ),
]


@pytest.fixture(scope="module")
def urls(sqs):
    urls = {"standard": sqs.queue(), "fifo": sqs.fifo()}
    sqs.client.add_permission(QueueUrl=urls["standard"], **{**SHARED, "Label": "there"})
    return urls


def filled(given: dict, queue: str) -> dict:
    """`{queue}` in an ARN, and in a task's handle `$ARN`, is the standard queue."""
    if given.get("TaskHandle") == NO_TASK:
        handle = base64.b64decode(NO_TASK).decode().replace("$ARN", ARN + queue)
        return {"TaskHandle": base64.b64encode(handle.encode()).decode()}
    return {name: value.replace("{queue}", queue) if name == "SourceArn" else value for name, value in given.items()}


@pytest.mark.parametrize("said", TEXTS, ids=lambda said: f"{said.operation}-{said.message[:40]}")
def test_what_is_said_word_for_word(sqs, urls, said):
    name = urls["standard"].rsplit("/", 1)[1]
    queue = {"QueueUrl": urls[said.queue]} if said.queue else {}
    with refused(said.code, said.code.removesuffix("Exception")) as caught:
        getattr(sqs.unchecked, said.operation)(**queue, **filled(said.given, name))
    assert caught.value.response["Error"]["Message"] == said.message.replace("{queue}", name)
