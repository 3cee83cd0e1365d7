"""SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch."""

import pytest
from harness import digest
from harness.face import bodies, refused

KIB = 1024


def entry(ident: str, body: str = "x", **more) -> dict:
    return {"Id": ident, "MessageBody": body, **more}


def ids(entries: list) -> list[str]:
    return [one["Id"] for one in entries]


def failures(answer: dict) -> dict:
    """Code of each failed entry, by its id."""
    return {one["Id"]: one["Code"] for one in answer.get("Failed", [])}


def operations(sqs, url: str, entries: list) -> list:
    """The three batch operations with the same entries, filled up for each."""
    handle = [{**one, "ReceiptHandle": "x"} for one in entries]
    return [
        lambda: sqs.send_batch(url, [{**one, "MessageBody": "x"} for one in entries]),
        lambda: sqs.client.delete_message_batch(QueueUrl=url, Entries=handle),
        lambda: sqs.client.change_message_visibility_batch(
            QueueUrl=url, Entries=[{**one, "VisibilityTimeout": 1} for one in handle]
        ),
    ]


def test_send_ten(sqs):
    url = sqs.queue()
    answer = sqs.send_batch(url, [entry(str(n), f"body {n}") for n in range(10)])
    assert ids(answer["Successful"]) == [str(n) for n in range(10)]
    assert not answer.get("Failed")
    for n, one in enumerate(answer["Successful"]):
        assert one["MD5OfMessageBody"] == digest.of_body(f"body {n}")
    assert len({one["MessageId"] for one in answer["Successful"]}) == 10
    assert sorted(bodies(sqs.receive(url))) == sorted(f"body {n}" for n in range(10))


def test_entries_keep_what_belongs_to_them(timed):
    url = timed.queue()
    colour = {"colour": {"DataType": "String", "StringValue": "red"}}
    answer = timed.send_batch(
        url, [entry("plain"), entry("red", MessageAttributes=colour), entry("late", "late", DelaySeconds=60)]
    )
    md5s = {one["Id"]: one.get("MD5OfMessageAttributes") for one in answer["Successful"]}
    assert md5s == {"plain": None, "red": digest.of_attributes(colour), "late": None}
    assert len(timed.receive(url)) == 2
    assert timed.counts(url) == (0, 2, 1)


@pytest.mark.parametrize("which", range(3), ids=["send", "delete", "visibility"])
def test_an_empty_batch(sqs, which):
    with refused("EmptyBatchRequest"):
        operations(sqs, sqs.queue(), [])[which]()


@pytest.mark.parametrize("which", range(3), ids=["send", "delete", "visibility"])
def test_eleven_entries(sqs, which):
    with refused("TooManyEntriesInBatchRequest", says="11"):
        operations(sqs, sqs.queue(), [{"Id": str(n)} for n in range(11)])[which]()


@pytest.mark.parametrize("which", range(3), ids=["send", "delete", "visibility"])
def test_the_same_id_twice(sqs, which):
    with refused("BatchEntryIdsNotDistinct", says="repeated"):
        operations(sqs, sqs.queue(), [{"Id": "a"}, {"Id": "b"}, {"Id": "a"}])[which]()


@pytest.mark.parametrize("which", range(3), ids=["send", "delete", "visibility"])
@pytest.mark.parametrize("ident", ["", "a b", "a.b", "ä", "x" * 81], ids=["empty", "space", "dot", "umlaut", "long"])
def test_an_id_that_is_none(sqs, which, ident):
    with refused("InvalidBatchEntryId"):
        operations(sqs, sqs.queue(), [{"Id": ident}])[which]()


def test_a_refused_batch_sends_nothing(sqs):
    url = sqs.queue()
    with refused("BatchEntryIdsNotDistinct"):
        sqs.send_batch(url, [entry("a"), entry("a")])
    assert sqs.receive(url) == []


def test_one_bad_entry_fails_alone(sqs):
    url = sqs.queue()
    answer = sqs.send_batch(
        url, [entry("good", "good"), entry("bad", "a\0b"), entry("late", DelaySeconds=901), entry("fine", "fine")]
    )
    assert ids(answer["Successful"]) == ["good", "fine"]
    assert failures(answer).keys() == {"bad", "late"}
    assert failures(answer)["bad"] == "InvalidMessageContents"
    assert failures(answer)["late"] == "InvalidParameterValue"
    assert all(one["SenderFault"] for one in answer["Failed"])
    assert sorted(bodies(sqs.receive(url))) == ["fine", "good"]


@pytest.mark.parametrize("bad", range(10))
def test_one_bad_among_ten_fails_alone_wherever_it_stands(sqs, bad):
    """In each of the three; the nine others are sent, hidden and deleted."""
    url, others = sqs.queue(), [str(n) for n in range(10) if n != bad]
    answer = sqs.send_batch(url, [entry(str(n), "" if n == bad else f"{n}") for n in range(10)])
    assert (ids(answer["Successful"]), failures(answer)) == (others, {str(bad): "MissingParameter"})
    held = {one["Body"]: one["ReceiptHandle"] for one in sqs.receive(url)}
    assert sorted(held) == others
    entries = [{"Id": str(n), "ReceiptHandle": held.get(str(n), "x")} for n in range(10)]
    hidden = sqs.client.change_message_visibility_batch(
        QueueUrl=url, Entries=[{**one, "VisibilityTimeout": 600} for one in entries]
    )
    deleted = sqs.client.delete_message_batch(QueueUrl=url, Entries=entries)
    for answer in (hidden, deleted):
        assert (ids(answer["Successful"]), failures(answer)) == (others, {str(bad): "ReceiptHandleIsInvalid"})
    assert sqs.counts(url) == (0, 0, 0)


def test_an_entry_larger_than_the_queue_allows(sqs):
    url = sqs.queue(MaximumMessageSize="1024")
    answer = sqs.send_batch(url, [entry("fits", "x" * 1024), entry("large", "x" * 1025)])
    assert ids(answer["Successful"]) == ["fits"]
    assert failures(answer) == {"large": "InvalidParameterValue"}


def test_a_mebibyte_in_all_is_allowed(sqs):
    url = sqs.queue()
    answer = sqs.send_batch(url, [entry(str(n), "x" * (256 * KIB)) for n in range(4)])
    assert len(answer["Successful"]) == 4


def test_more_than_a_mebibyte_in_all_is_refused(sqs):
    url = sqs.queue()
    with refused("BatchRequestTooLong"):
        sqs.send_batch(url, [entry(str(n), "x" * (256 * KIB)) for n in range(4)] + [entry("more")])
    assert sqs.receive(url) == []


def test_fifo_entries_without_a_group_fail_alone(sqs):
    url = sqs.fifo(ContentBasedDeduplication="true")
    answer = sqs.send_batch(url, [entry("grouped", "a", MessageGroupId="g"), entry("alone", "b")])
    assert ids(answer["Successful"]) == ["grouped"]
    assert failures(answer) == {"alone": "MissingParameter"}


def test_fifo_batch_keeps_its_order(sqs):
    url = sqs.fifo(ContentBasedDeduplication="true")
    answer = sqs.send_batch(url, [entry(str(n), f"{n}", MessageGroupId="g") for n in range(10)])
    numbers = [one["SequenceNumber"] for one in answer["Successful"]]
    assert numbers == sorted(numbers) and len(set(numbers)) == 10
    assert bodies(sqs.receive(url)) == [f"{n}" for n in range(10)]


def test_delete_ten(sqs):
    url = sqs.queue()
    sqs.send_batch(url, [entry(str(n)) for n in range(10)])
    messages = sqs.receive(url)
    answer = sqs.client.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)],
    )
    assert ids(answer["Successful"]) == [str(n) for n in range(10)]
    assert sqs.counts(url) == (0, 0, 0)


def test_delete_with_one_bad_receipt(sqs):
    url = sqs.queue()
    sqs.send(url)
    good = sqs.receive_one(url)["ReceiptHandle"]
    answer = sqs.client.delete_message_batch(
        QueueUrl=url, Entries=[{"Id": "bad", "ReceiptHandle": "nonsense"}, {"Id": "good", "ReceiptHandle": good}]
    )
    assert ids(answer["Successful"]) == ["good"]
    assert failures(answer) == {"bad": "ReceiptHandleIsInvalid"}
    assert answer["Failed"][0]["SenderFault"] is True
    assert sqs.counts(url) == (0, 0, 0)


def test_change_visibility_of_several(timed):
    url = timed.queue()
    timed.send_batch(url, [entry(str(n), f"{n}") for n in range(3)])
    found = {one["Body"]: one["ReceiptHandle"] for one in timed.receive(url, VisibilityTimeout=600)}
    answer = timed.client.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "now", "ReceiptHandle": found["0"], "VisibilityTimeout": 0},
            {"Id": "soon", "ReceiptHandle": found["1"], "VisibilityTimeout": 10},
            {"Id": "far", "ReceiptHandle": found["2"], "VisibilityTimeout": 43201},
            {"Id": "bad", "ReceiptHandle": "nonsense", "VisibilityTimeout": 1},
        ],
    )
    assert ids(answer["Successful"]) == ["now", "soon"]
    assert failures(answer) == {"far": "InvalidParameterValue", "bad": "ReceiptHandleIsInvalid"}
    assert bodies(timed.receive(url, VisibilityTimeout=600)) == ["0"]
    timed.advance("11s")
    assert bodies(timed.receive(url, VisibilityTimeout=600)) == ["1"]


def test_change_visibility_of_one_that_is_back(timed):
    url = timed.queue()
    timed.send(url)
    handle = timed.receive_one(url, VisibilityTimeout=5)["ReceiptHandle"]
    timed.advance("6s")
    answer = timed.client.change_message_visibility_batch(
        QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 60}]
    )
    assert set(failures(answer)) == {"a"}
    assert failures(answer)["a"].removeprefix("AWS.SimpleQueueService.") == "MessageNotInflight"
    assert len(timed.receive(url)) == 1
