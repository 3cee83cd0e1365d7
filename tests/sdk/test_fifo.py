"""FIFO queues: groups, deduplication, delays. The numbered rules are in test_items.py."""

import pytest
from harness.face import bodies, refused


def send(sqs, url: str, group: str, dedup: str, body: str = "x") -> dict:
    return sqs.send(url, body, MessageGroupId=group, MessageDeduplicationId=dedup)


def test_what_a_fifo_message_carries(sqs):
    url = sqs.fifo()
    sent = send(sqs, url, "g", "d")
    found = sqs.receive_one(url)["Attributes"]
    assert found["MessageGroupId"] == "g"
    assert found["MessageDeduplicationId"] == "d"
    assert found["SequenceNumber"] == sent["SequenceNumber"]
    assert found["ApproximateReceiveCount"] == "1"


def test_a_group_is_needed(sqs):
    with refused("MissingParameter", says="MessageGroupId"):
        sqs.send(sqs.fifo(), MessageDeduplicationId="d")


def test_a_deduplication_id_is_needed(sqs):
    with refused("InvalidParameterValue", says="ContentBasedDeduplication"):
        sqs.send(sqs.fifo(), MessageGroupId="g")


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
@pytest.mark.parametrize("value", ["a b", "ä", "a\tb", "x" * 129], ids=["space", "umlaut", "tab", "long"])
def test_ids_that_are_none(sqs, name, value):
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d", name: value}
    with refused("InvalidParameterValue", says=name):
        sqs.send(sqs.fifo(), **ids)


def test_all_punctuation_is_allowed_in_ids(sqs):
    url, punctuated = sqs.fifo(), "aZ9!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    send(sqs, url, punctuated, punctuated)
    assert sqs.receive_one(url)["Attributes"]["MessageGroupId"] == punctuated


def test_groups_do_not_hold_each_other_up(sqs):
    url = sqs.fifo()
    sqs.send_to_group(url, "a", "a1", "a2")
    sqs.send_to_group(url, "b", "b1")
    assert bodies(sqs.receive(url, 1)) == ["a1"]
    assert bodies(sqs.receive(url)) == ["b1"]
    assert sqs.receive(url) == []


def test_a_delete_lets_the_group_go_on(sqs):
    url = sqs.fifo()
    sqs.send_to_group(url, "g", "1", "2")
    sqs.delete(url, sqs.receive_one(url))
    assert bodies(sqs.receive(url)) == ["2"]


def test_the_rest_waits_for_all_that_are_in_flight(sqs):
    url = sqs.fifo()
    sqs.send_to_group(url, "g", "1", "2", "3")
    first, second = sqs.receive(url, 2)
    sqs.delete(url, second)
    assert sqs.receive(url) == []
    sqs.delete(url, first)
    assert bodies(sqs.receive(url)) == ["3"]


def test_content_based_deduplication(sqs):
    url = sqs.fifo(ContentBasedDeduplication="true")
    first = sqs.send(url, "same", MessageGroupId="g")
    again = sqs.send(url, "same", MessageGroupId="g")
    other = sqs.send(url, "other", MessageGroupId="g")
    assert first["MessageId"] == again["MessageId"] != other["MessageId"]
    assert bodies(sqs.receive(url)) == ["same", "other"]


def test_content_is_the_body_and_not_the_attributes(sqs):
    url = sqs.fifo(ContentBasedDeduplication="true")
    sqs.send(url, "same", MessageGroupId="g")
    attributes = {"a": {"DataType": "String", "StringValue": "x"}}
    sqs.send(url, "same", MessageGroupId="g", MessageAttributes=attributes)
    assert len(sqs.receive(url)) == 1


def test_an_explicit_id_goes_before_the_content(sqs):
    url = sqs.fifo(ContentBasedDeduplication="true")
    send(sqs, url, "g", "1", "same")
    send(sqs, url, "g", "2", "same")
    assert len(sqs.receive(url)) == 2


def test_deduplication_is_for_the_whole_queue(sqs):
    url = sqs.fifo()
    send(sqs, url, "a", "d", "kept")
    send(sqs, url, "b", "d", "dropped")
    assert bodies(sqs.receive(url)) == ["kept"]


def test_the_window_is_five_minutes_from_the_first_send(timed):
    url = timed.fifo()
    send(timed, url, "g", "d", "first")
    timed.advance("290s")
    send(timed, url, "g", "d", "duplicate")
    timed.advance("11s")
    send(timed, url, "g", "d", "second")
    assert bodies(timed.receive(url)) == ["first", "second"]


def test_queue_delay_holds_every_message(timed):
    url = timed.fifo(DelaySeconds="60")
    timed.send_to_group(url, "g", "1", "2")
    assert timed.receive(url) == []
    assert timed.counts(url) == (0, 0, 2)
    timed.advance("61s")
    assert bodies(timed.receive(url)) == ["1", "2"]


def test_a_fifo_queues_new_delay_is_for_messages_already_there(timed):
    """The developer guide, delay queues: on FIFO queues the setting is retroactive."""
    url = timed.fifo(DelaySeconds="600")
    timed.send_to_group(url, "g", "1")
    timed.advance("61s")
    timed.set(url, DelaySeconds="60")
    assert bodies(timed.receive(url)) == ["1"]


def test_visibility_zero_gives_the_group_back(sqs):
    url = sqs.fifo()
    sqs.send_to_group(url, "g", "1", "2")
    sqs.hide(url, sqs.receive_one(url), 0)
    assert bodies(sqs.receive(url)) == ["1", "2"]


def test_order_over_a_hundred_messages_and_ten_groups(sqs):
    url = sqs.fifo()
    for n in range(10):
        entries = [
            {"Id": g, "MessageBody": f"{n}", "MessageGroupId": g, "MessageDeduplicationId": f"{g}-{n}"}
            for g in "abcdefghij"
        ]
        sqs.send_batch(url, entries)
    seen = {g: [] for g in "abcdefghij"}
    while messages := sqs.receive(url):
        for message in messages:
            seen[message["Attributes"]["MessageGroupId"]].append(message["Body"])
            sqs.delete(url, message)
    assert all(numbers == [f"{n}" for n in range(10)] for numbers in seen.values()), seen


def test_sequence_numbers_rise_over_all_groups(sqs):
    url = sqs.fifo()
    numbers = [send(sqs, url, f"g{n % 3}", f"d{n}")["SequenceNumber"] for n in range(9)]
    assert numbers == sorted(numbers) and len(set(numbers)) == 9


def test_a_receive_tried_again_gets_the_same_messages(sqs):
    """Same attempt id within five minutes: the answer that got lost is given again."""
    url = sqs.fifo()
    sqs.send_to_group(url, "g", "1", "2")
    first = sqs.receive(url, ReceiveRequestAttemptId="attempt-1")
    again = sqs.receive(url, ReceiveRequestAttemptId="attempt-1")
    assert bodies(first) == bodies(again) == ["1", "2"]
    assert [m["ReceiptHandle"] for m in first] == [m["ReceiptHandle"] for m in again]
