"""The AWS command line: every SQS command that it has, what it prints, and how it fails."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from harness import digest
from harness.face import REGION, bodies, plain
from peers.patience import until

PROGRAM = Path(sys.executable).parent / "aws"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
REFUSED = 255  # how the command line ends when the service said no
USAGE = 2  # ... and when it was called wrongly


@pytest.fixture
def aws(sqs):
    """Runs a command of `aws sqs`; what it printed, read as JSON. Nothing printed is an empty answer."""

    def run(command: str, *arguments) -> dict:
        done = start(sqs.url, command, *arguments)
        assert done.returncode == 0, (command, done)
        return json.loads(done.stdout or "{}")

    return run


def start(url: str, *arguments) -> subprocess.CompletedProcess:
    texts = [argument if isinstance(argument, str) else json.dumps(argument) for argument in arguments]
    command = [PROGRAM, "sqs", *texts, "--endpoint-url", url, "--output", "json"]
    return subprocess.run(command, env=os.environ | KEYS, capture_output=True, text=True, timeout=60)


def refusal(url: str, *arguments) -> SimpleNamespace:
    """The code, operation and text of an error, as the command line tells them to a person."""
    done = start(url, *arguments)
    assert (done.returncode, done.stdout) == (REFUSED, ""), done
    told = re.fullmatch(r"\s*An error occurred \((\S+)\) when calling the (\w+) operation: (.*)\s*", done.stderr)
    assert told, done
    return SimpleNamespace(code=plain(told[1]), operation=told[2], text=told[3])


# --- queues ---------------------------------------------------------------------------------------


def test_a_queue_from_its_creation_to_its_deletion(aws, sqs):
    name = sqs.name()
    url = aws("create-queue", "--queue-name", name, "--attributes", "VisibilityTimeout=77")["QueueUrl"]
    assert aws("get-queue-url", "--queue-name", name) == {"QueueUrl": url}
    assert aws("list-queues", "--queue-name-prefix", name) == {"QueueUrls": [url]}
    assert sqs.attributes(url, "VisibilityTimeout") == {"VisibilityTimeout": "77"}
    assert aws("delete-queue", "--queue-url", url) == {}
    assert aws("list-queues", "--queue-name-prefix", name) == {}


def test_queues_are_listed_page_by_page(aws, sqs):
    prefix = sqs.name()
    urls = [sqs.client.create_queue(QueueName=f"{prefix}-{n}")["QueueUrl"] for n in range(5)]
    listed = aws("list-queues", "--queue-name-prefix", prefix, "--page-size", "2")
    assert sorted(listed["QueueUrls"]) == urls
    first = aws("list-queues", "--queue-name-prefix", prefix, "--max-items", "3")
    rest = aws("list-queues", "--queue-name-prefix", prefix, "--starting-token", first["NextToken"])
    assert sorted(first["QueueUrls"] + rest["QueueUrls"]) == urls


def test_attributes_are_set_and_shown_whole(aws, sqs):
    url = sqs.queue()
    policy = {"deadLetterTargetArn": sqs.arn(sqs.queue()), "maxReceiveCount": 5}
    changes = {"DelaySeconds": "3", "RedrivePolicy": json.dumps(policy)}
    assert aws("set-queue-attributes", "--queue-url", url, "--attributes", changes) == {}
    shown = aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")
    assert shown == {"Attributes": sqs.attributes(url)}
    assert shown["Attributes"]["DelaySeconds"] == "3"
    assert json.loads(shown["Attributes"]["RedrivePolicy"]) == policy
    names = ["QueueArn", "DelaySeconds"]
    some = aws("get-queue-attributes", "--queue-url", url, "--attribute-names", *names)
    assert some == {"Attributes": {"QueueArn": sqs.arn(url), "DelaySeconds": "3"}}


def test_a_purged_queue_is_empty(aws, sqs):
    url = sqs.queue()
    sqs.send(url)
    assert aws("purge-queue", "--queue-url", url) == {}
    assert sqs.counts(url) == (0, 0, 0)


def test_tags(aws, sqs):
    name = sqs.name()
    url = aws("create-queue", "--queue-name", name, "--tags", "shop=north")["QueueUrl"]
    assert aws("tag-queue", "--queue-url", url, "--tags", "team=räder,stage=test") == {}
    tags = aws("list-queue-tags", "--queue-url", url)
    assert tags == {"Tags": {"shop": "north", "team": "räder", "stage": "test"}}
    assert aws("untag-queue", "--queue-url", url, "--tag-keys", "shop", "team") == {}
    assert aws("list-queue-tags", "--queue-url", url) == {"Tags": {"stage": "test"}}
    aws("untag-queue", "--queue-url", url, "--tag-keys", "stage")
    assert not aws("list-queue-tags", "--queue-url", url).get("Tags")


def test_permissions(aws, sqs):
    url = sqs.queue()
    whom = ["--aws-account-ids", "111122223333", "--actions", "SendMessage", "ReceiveMessage"]
    assert aws("add-permission", "--queue-url", url, "--label", "partner", *whom) == {}
    (statement,) = json.loads(sqs.attributes(url, "Policy")["Policy"])["Statement"]
    assert (statement["Sid"], statement["Effect"]) == ("partner", "Allow")
    assert "111122223333" in json.dumps(statement["Principal"])
    assert sorted(action.lower() for action in statement["Action"]) == ["sqs:receivemessage", "sqs:sendmessage"]
    assert aws("remove-permission", "--queue-url", url, "--label", "partner") == {}
    assert "partner" not in json.dumps(sqs.attributes(url))


# --- messages -------------------------------------------------------------------------------------


def test_a_message_with_attributes_is_sent_received_and_deleted(aws, sqs):
    url = sqs.queue()
    typed = {
        "text": {"DataType": "String", "StringValue": "grüße"},
        "number": {"DataType": "Number", "StringValue": "12.5"},
        "binary": {"DataType": "Binary", "BinaryValue": "four"},
    }
    sent = aws("send-message", "--queue-url", url, "--message-body", "grüße 🚚", "--message-attributes", typed)
    typed["binary"]["BinaryValue"] = b"four"
    md5 = {
        "MD5OfMessageBody": digest.of_body("grüße 🚚"),
        "MD5OfMessageAttributes": digest.of_attributes(typed),
    }
    assert sent == {**md5, "MessageId": sent["MessageId"]}
    typed["binary"]["BinaryValue"] = base64.b64encode(b"four").decode()
    names = ["--message-attribute-names", "All", "--message-system-attribute-names", "ApproximateReceiveCount"]
    (message,) = aws("receive-message", "--queue-url", url, *names)["Messages"]
    assert message == {
        "MessageId": sent["MessageId"],
        "ReceiptHandle": message["ReceiptHandle"],
        "MD5OfBody": md5["MD5OfMessageBody"],
        "Body": "grüße 🚚",
        "Attributes": {"ApproximateReceiveCount": "1"},
        "MD5OfMessageAttributes": md5["MD5OfMessageAttributes"],
        "MessageAttributes": typed,
    }
    assert aws("receive-message", "--queue-url", url) == {}
    assert aws("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"]) == {}
    assert sqs.counts(url) == (0, 0, 0)


def test_a_fifo_queue_keeps_order_and_drops_duplicates(aws, sqs):
    url = aws(
        "create-queue", "--queue-name", sqs.name(fifo=True), "--attributes", "FifoQueue=true"
    )["QueueUrl"]

    def send(text: str) -> dict:
        group = ["--message-group-id", "g", "--message-deduplication-id", text]
        return aws("send-message", "--queue-url", url, "--message-body", text, *group)

    first, second, again = send("1"), send("2"), send("1")
    assert first.keys() == {"MD5OfMessageBody", "MessageId", "SequenceNumber"}
    assert first["SequenceNumber"] < second["SequenceNumber"]
    assert again == first
    every = ["--max-number-of-messages", "10", "--attribute-names", "All"]
    messages = aws("receive-message", "--queue-url", url, *every)["Messages"]
    assert bodies(messages) == ["1", "2"]
    assert [message["Attributes"]["SequenceNumber"] for message in messages] == [
        first["SequenceNumber"],
        second["SequenceNumber"],
    ]


def test_a_message_made_visible_comes_again(aws, sqs):
    url = sqs.queue(VisibilityTimeout="600")
    sqs.send(url)
    handle = sqs.receive_one(url)["ReceiptHandle"]
    now = ["--receipt-handle", handle, "--visibility-timeout", "0"]
    assert aws("change-message-visibility", "--queue-url", url, *now) == {}
    again = aws("receive-message", "--queue-url", url, "--attribute-names", "ApproximateReceiveCount")
    assert [message["Attributes"] for message in again["Messages"]] == [{"ApproximateReceiveCount": "2"}]


def test_batches_with_an_entry_that_fails(aws, sqs, tmp_path):
    """Entries from a file, as people do it; each answer says which were done and which not."""
    url = sqs.queue()

    def batch(command: str, entries: list[dict]) -> dict:
        file = tmp_path / "entries.json"
        file.write_text(json.dumps(entries))
        return aws(command, "--queue-url", url, "--entries", f"file://{file}")

    late = {"Id": "late", "MessageBody": "x", "DelaySeconds": 901}
    sent = batch("send-message-batch", [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2"}, late])
    assert [(entry["Id"], entry["MD5OfMessageBody"]) for entry in sent["Successful"]] == [
        ("a", digest.of_body("1")),
        ("b", digest.of_body("2")),
    ]
    told = [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in sent["Failed"]]
    assert told == [("late", "InvalidParameterValue", True)]

    bad = {"Id": "bad", "ReceiptHandle": "nonsense"}
    handles = [{"Id": message["Body"], "ReceiptHandle": message["ReceiptHandle"]} for message in sqs.receive(url)]
    hidden = [{**entry, "VisibilityTimeout": 600} for entry in [*handles, bad]]
    for command, entries in (("change-message-visibility-batch", hidden), ("delete-message-batch", [*handles, bad])):
        answer = batch(command, entries)
        assert sorted(answer["Successful"], key=lambda entry: entry["Id"]) == [{"Id": "1"}, {"Id": "2"}]
        assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]
    assert sqs.counts(url) == (0, 0, 0)


# --- dead letters ---------------------------------------------------------------------------------


def test_the_sources_of_a_dead_letter_queue_page_by_page(aws, sqs):
    dead = sqs.queue()
    sources = [sqs.queue(RedrivePolicy=sqs.redrive(dead, 1)) for _ in range(3)]
    found = aws("list-dead-letter-source-queues", "--queue-url", dead, "--page-size", "2")
    assert sorted(found["queueUrls"]) == sorted(sources)


def test_dead_letters_are_moved_back_to_where_they_came_from(aws, sqs):
    dead = sqs.queue()
    url = sqs.queue(RedrivePolicy=sqs.redrive(dead, 1))
    sqs.send(url, "poison")
    sqs.hide(url, sqs.receive_one(url), 0)
    assert sqs.receive(url) == []
    assert sqs.counts(dead) == (1, 0, 0)
    arn = sqs.arn(dead)
    handle = aws("start-message-move-task", "--source-arn", arn)["TaskHandle"]
    assert handle
    task = until(lambda: task_of(aws, arn, "COMPLETED"))
    assert task["SourceArn"] == arn
    assert task["ApproximateNumberOfMessagesMoved"] == 1
    assert isinstance(task["StartedTimestamp"], int)
    assert bodies(sqs.receive(url)) == ["poison"]
    assert sqs.counts(dead) == (0, 0, 0)


def test_a_slow_move_is_cancelled_on_the_way(aws, sqs):
    dead, target = sqs.queue(), sqs.queue()
    sqs.queue(RedrivePolicy=sqs.redrive(dead, 1))  # what makes it a dead-letter queue
    for _ in range(5):
        sqs.send_batch(dead, [{"Id": str(n), "MessageBody": str(n)} for n in range(10)])
    arn = sqs.arn(dead)
    slow = ["--destination-arn", sqs.arn(target), "--max-number-of-messages-per-second", "1"]
    handle = aws("start-message-move-task", "--source-arn", arn, *slow)["TaskHandle"]
    running = task_of(aws, arn, "RUNNING")
    assert running["TaskHandle"] == handle
    assert running["DestinationArn"] == sqs.arn(target)
    assert running["MaxNumberOfMessagesPerSecond"] == 1
    answer = aws("cancel-message-move-task", "--task-handle", handle)
    assert answer.keys() == {"ApproximateNumberOfMessagesMoved"}
    task = until(lambda: task_of(aws, arn, "CANCELLED"))
    assert "TaskHandle" not in task, "only a running task has one"
    moved = task["ApproximateNumberOfMessagesMoved"]
    assert answer["ApproximateNumberOfMessagesMoved"] <= moved < 50
    assert (sqs.counts(target)[0], sqs.counts(dead)[0]) == (moved, 50 - moved)


def task_of(aws, arn: str, status: str) -> dict | None:
    """The one task that moves messages away from this queue, once it has this status."""
    (task,) = aws("list-message-move-tasks", "--source-arn", arn)["Results"]
    return task if task["Status"] == status else None


# --- refusals -------------------------------------------------------------------------------------


def test_a_refusal_is_told_with_code_operation_and_reason(sqs):
    told = refusal(sqs.url, "get-queue-url", "--queue-name", sqs.name())
    assert (told.code, told.operation) == ("QueueDoesNotExist", "GetQueueUrl")
    assert told.text == "The specified queue does not exist."


def test_a_bad_value_is_refused(sqs):
    url = sqs.queue()
    told = refusal(sqs.url, "send-message", "--queue-url", url, "--message-body", "x", "--delay-seconds", "901")
    assert (told.code, told.operation) == ("InvalidParameterValue", "SendMessage")
    assert "901" in told.text and "DelaySeconds" in told.text


# --- all of it ------------------------------------------------------------------------------------


def test_the_command_line_has_no_command_that_is_not_shown_here(sqs):
    """A command that does not exist makes it list those that do."""
    done = start(sqs.url, "no-such-command")
    assert done.returncode == USAGE
    there = set(re.findall(r"[a-z-]+", done.stderr.split("valid choices are:")[1])) - {"help"}
    source = Path(__file__).read_text()
    shown = {name for name in there if f'"{name}"' in source}
    assert len(there) == 23
    assert there - shown == set()
