"""SendMessage: bodies, attributes of every type, digests, limits, delays."""

import json
import re

import pytest
from harness import digest, wire
from harness.face import refused

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MIB = 1024 * 1024

TYPES = {
    "text": {"DataType": "String", "StringValue": "grüße 🚚"},
    "number": {"DataType": "Number", "StringValue": "-12.5e3"},
    "binary": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
    "text.custom": {"DataType": "String.Array", "StringValue": '["a", 1, null]'},
    "number.custom": {"DataType": "Number.byte", "StringValue": "7"},
    "binary.custom": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG"},
}


LISTS = [{"StringListValues": ["a"]}, {"BinaryListValues": [b"a"]}, {"StringValue": "x", "StringListValues": ["a", "b"]}]


@pytest.mark.parametrize("lists", LISTS, ids=lambda lists: " ".join(lists))
def test_attributes_that_are_lists(sqs, lists):
    """AWS reserves them; nothing is sent as if they were not there."""
    url = sqs.queue()
    attributes = {"a": {"DataType": "String", **lists}}
    with refused("UnsupportedOperation", says="list values"):
        sqs.send(url, MessageAttributes=attributes)
    answer = sqs.send_batch(url, [{"Id": "a", "MessageBody": "x", "MessageAttributes": attributes}])
    assert [one["Code"] for one in answer["Failed"]] == ["UnsupportedOperation"]
    assert sqs.receive(url) == []


def test_the_answer_names_the_message_and_its_digest(sqs):
    answer = sqs.send(sqs.queue(), "hello")
    assert re.fullmatch(UUID, answer["MessageId"])
    assert answer["MD5OfMessageBody"] == digest.of_body("hello")
    for absent in ("SequenceNumber", "MD5OfMessageAttributes", "MD5OfMessageSystemAttributes"):
        assert absent not in answer


def test_each_message_has_its_own_id(sqs):
    url = sqs.queue()
    assert len({sqs.send(url)["MessageId"] for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "body",
    ["x", " ", '{"a": [1, 2]}', "<a>&amp;</a>", "\t\r\n", "é€🚚", "\ufffd\ue000\ud7ff", "\\u0000", "x" * MIB],
    ids=["letter", "space", "json", "xml", "white", "utf8", "edges", "escape", "mebibyte"],
)
def test_bodies_come_back_as_they_went_in(sqs, body):
    url = sqs.queue()
    assert sqs.send(url, body)["MD5OfMessageBody"] == digest.of_body(body)
    message = sqs.receive_one(url)
    assert message["Body"] == body
    assert message["MD5OfBody"] == digest.of_body(body)


@pytest.mark.parametrize("character", ["\0", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ufffe", "\uffff"])
def test_characters_that_a_body_cannot_hold(sqs, character):
    with refused("InvalidMessageContents"):
        sqs.send(sqs.queue(), f"a{character}b")


def test_a_body_is_needed(sqs):
    url = sqs.queue()
    with refused("MissingParameter"):
        sqs.unchecked.send_message(QueueUrl=url)
    with refused("MissingParameter", "InvalidParameterValue"):
        sqs.send(url, "")


def test_a_body_may_not_be_larger_than_a_mebibyte(sqs):
    url = sqs.queue()
    with refused("InvalidParameterValue", says="shorter than"):
        sqs.send(url, "x" * (MIB + 1))
    assert sqs.receive(url) == []


def test_attributes_count_towards_the_size(sqs):
    url = sqs.queue(MaximumMessageSize="1024")
    # name, type and value: 1 + 6 + 10
    attributes = {"a": {"DataType": "String", "StringValue": "x" * 10}}
    sqs.send(url, "x" * (1024 - 17), MessageAttributes=attributes)
    with refused("InvalidParameterValue"):
        sqs.send(url, "x" * (1024 - 16), MessageAttributes=attributes)


def test_size_is_counted_in_bytes(sqs):
    url = sqs.queue(MaximumMessageSize="1024")
    sqs.send(url, "é" * 512)
    with refused("InvalidParameterValue"):
        sqs.send(url, "é" * 512 + "x")


@pytest.mark.parametrize("name", TYPES)
def test_an_attribute_of_each_type(sqs, name):
    url = sqs.queue()
    attributes = {name: TYPES[name]}
    answer = sqs.send(url, MessageAttributes=attributes)
    assert answer["MD5OfMessageAttributes"] == digest.of_attributes(attributes)
    message = sqs.receive_one(url)
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == digest.of_attributes(attributes)


def test_all_types_in_one_message(sqs):
    url = sqs.queue()
    answer = sqs.send(url, MessageAttributes=TYPES)
    message = sqs.receive_one(url)
    assert message["MessageAttributes"] == TYPES
    assert answer["MD5OfMessageAttributes"] == message["MD5OfMessageAttributes"] == digest.of_attributes(TYPES)


def test_ten_attributes_and_no_more(sqs):
    url = sqs.queue()
    attributes = {f"a{n}": TYPES["text"] for n in range(11)}
    with refused("InvalidParameterValue"):
        sqs.send(url, MessageAttributes=attributes)
    del attributes["a0"]
    sqs.send(url, MessageAttributes=attributes)


@pytest.mark.parametrize(
    "name",
    ["a b", "", ".a", "a.", "a..b", "AWS.x", "Amazon.x", "aws.x", "ä", "a/b", "x" * 257],
    ids=lambda name: ascii(name[:9]),
)
def test_attribute_names_that_are_refused(sqs, name):
    with refused("InvalidParameterValue"):
        sqs.send(sqs.queue(), MessageAttributes={name: TYPES["text"]})


@pytest.mark.parametrize("name", ["A-z_0.9", "x" * 256, "awsome"], ids=["letters", "longest", "awsome"])
def test_attribute_names_that_are_allowed(sqs, name):
    url = sqs.queue()
    sqs.send(url, MessageAttributes={name: TYPES["text"]})
    assert list(sqs.receive_one(url)["MessageAttributes"]) == [name]


@pytest.mark.parametrize(
    "value",
    [
        {"DataType": "Sting", "StringValue": "x"},
        {"DataType": "string", "StringValue": "x"},
        {"DataType": "", "StringValue": "x"},
        {"DataType": "String." + "x" * 256, "StringValue": "x"},
        {"DataType": "String"},
        {"DataType": "String", "StringValue": ""},
        {"DataType": "String", "StringValue": "a\0b"},
        {"DataType": "Number", "StringValue": "twelve"},
        {"DataType": "Number", "StringValue": ""},
        {"DataType": "Binary", "BinaryValue": b""},
        {"DataType": "Binary", "StringValue": "x"},
        {"DataType": "String", "BinaryValue": b"x"},
    ],
    ids=lambda value: json.dumps(value, default=str)[:60],
)
def test_attribute_values_that_are_refused(sqs, value):
    url = sqs.queue()
    with refused("InvalidParameterValue", "InvalidMessageContents", "MissingParameter"):
        sqs.send(url, MessageAttributes={"a": value})
    assert sqs.receive(url) == []


def test_an_attribute_without_a_type(sqs):
    with refused("InvalidParameterValue", "MissingParameter"):
        sqs.unchecked.send_message(
            QueueUrl=sqs.queue(), MessageBody="x", MessageAttributes={"a": {"StringValue": "x"}}
        )


@pytest.mark.parametrize("lists", [{"StringListValues": ["x"]}, {"BinaryListValues": [b"x"]}])
def test_list_values_are_reserved(sqs, lists):
    with refused("UnsupportedOperation", "InvalidParameterValue"):
        sqs.send(sqs.queue(), MessageAttributes={"a": {"DataType": "String", **lists}})


TRACE = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}


def test_the_trace_header_travels(sqs):
    url = sqs.queue()
    answer = sqs.send(url, MessageSystemAttributes=TRACE)
    assert answer["MD5OfMessageSystemAttributes"] == digest.of_attributes(TRACE)
    assert "MD5OfMessageAttributes" not in answer
    message = sqs.receive_one(url)
    assert message["Attributes"]["AWSTraceHeader"] == TRACE["AWSTraceHeader"]["StringValue"]
    assert "MessageAttributes" not in message


def test_no_other_system_attribute_can_be_sent(sqs):
    with refused("InvalidParameterValue"):
        sqs.send(sqs.queue(), MessageSystemAttributes={"SenderId": TRACE["AWSTraceHeader"]})


def test_the_system_attributes_of_a_standard_message(timed):
    url = timed.queue()
    timed.send(url)
    first = timed.receive_one(url, VisibilityTimeout=5)["Attributes"]
    assert set(first) == {
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
    }
    assert first["ApproximateReceiveCount"] == "1"
    assert first["SenderId"]
    timed.advance("6s")
    second = timed.receive_one(url)["Attributes"]
    assert second["ApproximateReceiveCount"] == "2"
    for same in ("SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId"):
        assert first[same] == second[same]
    assert int(first["SentTimestamp"]) <= int(first["ApproximateFirstReceiveTimestamp"])


def test_timestamps_are_milliseconds_of_the_servers_time(timed):
    url = timed.queue()
    timed.send(url)
    timed.advance("10s")
    found = timed.receive_one(url)["Attributes"]
    waited = int(found["ApproximateFirstReceiveTimestamp"]) - int(found["SentTimestamp"])
    assert 10_000 <= waited < 15_000
    assert int(found["SentTimestamp"]) > 1_600_000_000_000


def test_delay_of_one_message(timed):
    url = timed.queue()
    timed.send(url, "later", DelaySeconds=900)
    timed.send(url, "now")
    assert timed.receive_one(url)["Body"] == "now"
    timed.advance("890s")
    assert [m["Body"] for m in timed.receive(url)] == ["now"]
    timed.advance("11s")
    assert [m["Body"] for m in timed.receive(url)] == ["later"]


def test_delay_of_the_queue_and_a_message_that_overrides_it(timed):
    url = timed.queue(DelaySeconds="60")
    timed.send(url, "delayed")
    timed.send(url, "at once", DelaySeconds=0)
    assert timed.receive_one(url)["Body"] == "at once"
    timed.advance("61s")
    assert "delayed" in [m["Body"] for m in timed.receive(url)]


def test_a_standard_queues_new_delay_is_for_later_messages_only(timed):
    url = timed.queue(DelaySeconds="60")
    timed.send(url)
    timed.set(url, DelaySeconds="0")
    assert timed.receive(url) == []


@pytest.mark.parametrize("delay", [-1, 901, 2**31 - 1])
def test_delays_out_of_range(sqs, delay):
    with refused("InvalidParameterValue", says="DelaySeconds"):
        sqs.send(sqs.queue(), DelaySeconds=delay)


def test_a_deduplication_id_is_for_fifo_queues(sqs):
    with refused("InvalidParameterValue"):
        sqs.send(sqs.queue(), MessageDeduplicationId="d")


def test_a_group_on_a_standard_queue_is_kept(sqs):
    """Fair queues: a standard queue takes a group as the name of a tenant."""
    url = sqs.queue()
    assert "SequenceNumber" not in sqs.send(url, MessageGroupId="tenant")
    assert sqs.receive_one(url)["Attributes"]["MessageGroupId"] == "tenant"


def test_the_answer_on_the_wire(sqs):
    url = sqs.queue()
    answer = wire.call(sqs.url, "SendMessage", {"QueueUrl": url, "MessageBody": "hello"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert re.fullmatch(UUID, answer.headers["x-amzn-requestid"])
    assert set(answer.json) == {"MessageId", "MD5OfMessageBody"}


def test_null_is_the_same_as_absent(sqs):
    url = sqs.queue()
    body = {"QueueUrl": url, "MessageBody": "x", "DelaySeconds": None, "MessageAttributes": None}
    assert wire.call(sqs.url, "SendMessage", body).status == 200
    assert sqs.receive_one(url)["Body"] == "x"


def test_unknown_members_are_ignored(sqs):
    url = sqs.queue()
    body = {"QueueUrl": url, "MessageBody": "x", "Nonsense": {"deep": [1, {"er": None}]}}
    assert wire.call(sqs.url, "SendMessage", body).status == 200
