"""ReceiveMessage: how many, for how long, which attributes, long polls and those who wait."""

import time

import pytest
from harness import digest, wire
from harness.face import SYSTEM_NAMES, bodies, json_only, refused
from harness.parked import Parked

COLOURS = {
    "colour.core": {"DataType": "String", "StringValue": "red"},
    "colour.edge": {"DataType": "String", "StringValue": "blue"},
    "weight": {"DataType": "Number", "StringValue": "12"},
}


def filtered(sqs, *names: str) -> dict:
    """A message with COLOURS, received with this filter."""
    url = sqs.queue()
    sqs.send(url, MessageAttributes=COLOURS)
    return sqs.receive_one(url, MessageAttributeNames=list(names))


def test_what_a_message_is_made_of(sqs):
    url = sqs.queue()
    sent = sqs.send(url, "hello")
    answer = sqs.client.receive_message(QueueUrl=url)
    (message,) = answer["Messages"]
    assert set(message) == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == digest.of_body("hello")
    assert 0 < len(message["ReceiptHandle"]) <= 1024


def test_one_message_unless_more_are_asked_for(sqs):
    url = sqs.queue()
    sqs.send(url)
    sqs.send(url)
    assert len(sqs.client.receive_message(QueueUrl=url)["Messages"]) == 1


@pytest.mark.parametrize("count", [0, 11, -1])
def test_how_many_out_of_range(sqs, count):
    with refused("InvalidParameterValue", says="MaxNumberOfMessages"):
        sqs.receive(sqs.queue(), count)


@pytest.mark.parametrize("seconds", [-1, 21])
def test_wait_out_of_range(sqs, seconds):
    with refused("InvalidParameterValue", says="WaitTimeSeconds"):
        sqs.receive(sqs.queue(), WaitTimeSeconds=seconds)


def test_a_message_in_flight_is_hidden_and_comes_back(timed):
    url = timed.queue(VisibilityTimeout="20")
    timed.send(url)
    first = timed.receive_one(url)
    timed.advance("19s")
    assert timed.receive(url) == []
    timed.advance("2s")
    second = timed.receive_one(url)
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]


def test_visibility_zero_hides_nothing(sqs):
    url = sqs.queue()
    sqs.send(url)
    for count in ("1", "2", "3"):
        assert sqs.receive_one(url, VisibilityTimeout=0)["Attributes"]["ApproximateReceiveCount"] == count


def test_a_hundred_messages_each_once(sqs):
    url = sqs.queue()
    wanted = {f"{n}" for n in range(100)}
    for n in range(0, 100, 10):
        sqs.send_batch(url, [{"Id": str(m), "MessageBody": str(m)} for m in range(n, n + 10)])
    seen = []
    while messages := sqs.receive(url):
        seen += bodies(messages)
    assert sorted(seen) == sorted(wanted)


@pytest.mark.parametrize(
    "names, expected",
    [
        (["All"], set(COLOURS)),
        ([".*"], set(COLOURS)),
        (["colour.core"], {"colour.core"}),
        (["colour.*"], {"colour.core", "colour.edge"}),
        (["weight", "missing"], {"weight"}),
        (["missing"], set()),
        ([], set()),
    ],
    ids=str,
)
def test_filter_of_message_attributes(sqs, names, expected):
    message = filtered(sqs, *names)
    assert set(message.get("MessageAttributes", {})) == expected
    for name in expected:
        assert message["MessageAttributes"][name] == COLOURS[name]


def test_the_digest_is_of_the_attributes_that_are_given(sqs):
    """An SDK checks the digest against what it received, so it must cover just that."""
    message = filtered(sqs, "weight")
    assert message["MD5OfMessageAttributes"] == digest.of_attributes({"weight": COLOURS["weight"]})


def test_no_attributes_given_no_digest(sqs):
    assert "MD5OfMessageAttributes" not in filtered(sqs)


@json_only
def test_the_older_name_of_the_system_attribute_filter(sqs):
    url = sqs.queue()
    sqs.send(url)
    message = sqs.receive_one(url, AttributeNames=["SentTimestamp"], MessageSystemAttributeNames=[])
    assert set(message["Attributes"]) == {"SentTimestamp"}


def test_an_unknown_system_attribute(sqs):
    with refused("InvalidAttributeName", "InvalidParameterValue"):
        sqs.receive(sqs.queue(), **{SYSTEM_NAMES: ["Nonsense"]})


def test_an_empty_long_poll_lasts_as_long_as_it_was_asked_to(sqs):
    url = sqs.queue()
    started = time.monotonic()
    assert sqs.receive(url, WaitTimeSeconds=1) == []
    assert 0.95 < time.monotonic() - started < 3


def test_the_queues_own_wait_is_the_default(sqs):
    url = sqs.queue(ReceiveMessageWaitTimeSeconds="1")
    started = time.monotonic()
    assert sqs.receive(url) == []
    assert 0.95 < time.monotonic() - started < 3


def test_a_wait_of_zero_overrides_the_queues(sqs):
    url = sqs.queue(ReceiveMessageWaitTimeSeconds="20")
    poll = Parked(lambda: sqs.receive(url, WaitTimeSeconds=0))
    assert poll.result(5) == []


def test_a_send_ends_a_long_poll(sqs):
    url = sqs.queue()
    poll = Parked(lambda: sqs.receive(url, WaitTimeSeconds=20))
    assert poll.waiting()
    sqs.send(url, "here")
    assert bodies(poll.result(5)) == ["here"]


def test_a_lapsed_lease_ends_a_long_poll(timed):
    url = timed.queue()
    timed.send(url, "again")
    timed.receive_one(url, VisibilityTimeout=60)
    poll = Parked(lambda: timed.receive(url, WaitTimeSeconds=20))
    assert poll.waiting()
    timed.advance("61s")
    assert bodies(poll.result(5)) == ["again"]


def test_deleting_the_queue_ends_a_long_poll(sqs):
    url = sqs.queue()
    poll = Parked(lambda: sqs.receive(url, WaitTimeSeconds=20))
    sqs.client.delete_queue(QueueUrl=url)
    with refused("QueueDoesNotExist"):
        assert poll.result(5) == []
        sqs.receive(url)


def test_a_poller_that_hung_up_takes_nothing_with_it(sqs):
    url = sqs.queue()
    body = b'{"QueueUrl": "%s", "WaitTimeSeconds": 20}' % url.encode()
    with wire.dial(sqs.url) as poller:
        poller.sendall(wire.request(body, "AmazonSQS.ReceiveMessage"))
        poll = Parked(lambda: None)  # the time that a poll needs to begin to wait
    poll.result(1)
    again = Parked(lambda: sqs.receive(url, WaitTimeSeconds=20))
    sqs.send(url, "not lost")
    assert bodies(again.result(5)) == ["not lost"]


def test_those_who_wait_are_served_in_the_order_they_came(sqs):
    url = sqs.queue()
    polls = [Parked(lambda: sqs.receive(url, 1, WaitTimeSeconds=20)) for _ in range(3)]
    for n, poll in enumerate(polls):
        sqs.send(url, f"{n}")
        assert bodies(poll.result(5)) == [f"{n}"]


def test_one_send_wakes_one_of_many(sqs):
    url = sqs.queue()
    polls = [Parked(lambda: sqs.receive(url, WaitTimeSeconds=3)) for _ in range(4)]
    sqs.send(url, "one")
    found = [bodies(poll.result(8)) for poll in polls]
    assert sorted(found) == [[], [], [], ["one"]]
