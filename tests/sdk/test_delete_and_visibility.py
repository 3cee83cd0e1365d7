"""DeleteMessage and ChangeMessageVisibility."""

import pytest
from harness.face import bodies, refused

NOT_OURS = ["nonsense", "", " ", "a" * 2000, "AQEB" + "x" * 200, "é", "-1"]


def test_a_deleted_message_is_gone(timed):
    url = timed.queue()
    timed.send(url)
    timed.delete(url, timed.receive_one(url))
    timed.advance("31s")
    assert timed.receive(url) == []
    assert timed.counts(url) == (0, 0, 0)


def test_deleting_twice_succeeds(sqs):
    url = sqs.queue()
    sqs.send(url)
    message = sqs.receive_one(url)
    sqs.delete(url, message)
    sqs.delete(url, message)


@pytest.mark.parametrize("handle", NOT_OURS, ids=lambda handle: handle[:8] or "empty")
def test_delete_with_a_receipt_that_is_none(sqs, handle):
    with refused("ReceiptHandleIsInvalid", "MissingParameter"):
        sqs.client.delete_message(QueueUrl=sqs.queue(), ReceiptHandle=handle)


@pytest.mark.parametrize("handle", NOT_OURS, ids=lambda handle: handle[:8] or "empty")
def test_visibility_with_a_receipt_that_is_none(sqs, handle):
    with refused("ReceiptHandleIsInvalid", "MissingParameter"):
        sqs.client.change_message_visibility(QueueUrl=sqs.queue(), ReceiptHandle=handle, VisibilityTimeout=1)


def test_a_receipt_with_one_letter_changed(sqs):
    """A receipt is sealed: whoever changes it does not get another message's."""
    url = sqs.queue()
    sqs.send(url)
    handle = sqs.receive_one(url)["ReceiptHandle"]
    middle = len(handle) // 2
    forged = handle[:middle] + ("A" if handle[middle] != "A" else "B") + handle[middle + 1 :]
    with refused("ReceiptHandleIsInvalid"):
        sqs.client.delete_message(QueueUrl=url, ReceiptHandle=forged)
    assert sqs.counts(url) == (0, 1, 0)


def test_a_receipt_of_another_queue(sqs):
    ours, other = sqs.queue(), sqs.queue()
    sqs.send(ours)
    message = sqs.receive_one(ours)
    with refused("ReceiptHandleIsInvalid", "InvalidParameterValue"):
        sqs.delete(other, message)
    assert sqs.counts(ours) == (0, 1, 0)


def test_a_receipt_is_needed(sqs):
    with refused("MissingParameter"):
        sqs.unchecked.delete_message(QueueUrl=sqs.queue())


def test_visibility_is_needed(sqs):
    url = sqs.queue()
    sqs.send(url)
    handle = sqs.receive_one(url)["ReceiptHandle"]
    with refused("MissingParameter"):
        sqs.unchecked.change_message_visibility(QueueUrl=url, ReceiptHandle=handle)


@pytest.mark.parametrize("seconds", [-1, 43201])
def test_visibility_out_of_range(sqs, seconds):
    url = sqs.queue()
    sqs.send(url)
    with refused("InvalidParameterValue", says="VisibilityTimeout"):
        sqs.hide(url, sqs.receive_one(url), seconds)


def test_visibility_counts_from_now_in_both_directions(timed):
    url = timed.queue()
    timed.send(url)
    message = timed.receive_one(url, VisibilityTimeout=100)
    timed.hide(url, message, 300)
    timed.advance("299s")
    assert timed.receive(url) == []
    timed.hide(url, message, 10)
    timed.advance("11s")
    assert len(timed.receive(url)) == 1


def test_a_changed_visibility_is_for_this_receive_only(timed):
    url = timed.queue(VisibilityTimeout="20")
    timed.send(url)
    timed.hide(url, timed.receive_one(url), 0)
    timed.receive_one(url)
    timed.advance("19s")
    assert timed.receive(url) == []
    timed.advance("2s")
    assert len(timed.receive(url)) == 1


def test_twelve_hours_from_the_receive_are_the_most(timed):
    url = timed.queue()
    timed.send(url)
    message = timed.receive_one(url, VisibilityTimeout=60)
    timed.advance("30s")
    with refused("InvalidParameterValue", says="VisibilityTimeout"):
        timed.hide(url, message, 43200)
    timed.hide(url, message, 43200 - 60)


def test_visibility_of_a_deleted_message(sqs):
    url = sqs.queue()
    sqs.send(url)
    message = sqs.receive_one(url)
    sqs.delete(url, message)
    with refused("InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"):
        sqs.hide(url, message, 10)


def test_the_newest_receipt_is_the_one_that_counts(timed):
    url = timed.queue()
    timed.send(url)
    older = timed.receive_one(url, VisibilityTimeout=5)
    timed.advance("6s")
    newer = timed.receive_one(url, VisibilityTimeout=60)
    with refused("MessageNotInflight", "InvalidParameterValue", "ReceiptHandleIsInvalid"):
        timed.hide(url, older, 0)
    assert timed.receive(url) == []
    timed.hide(url, newer, 0)
    assert bodies(timed.receive(url)) == ["hello"]
