"""The rules of SQS that other implementations got wrong, one test each, by number."""

import os
import re
import selectors
import statistics
import threading
import time
import uuid

import pytest
from harness import digest, wire
from harness.face import Face, bodies, json_only, refused
from harness.parked import Parked

MIB = 1024 * 1024


def test_item_01_the_first_message_in_flight_locks_its_group(timed):
    """While it is hidden nothing of the group is given out, even if later ones' leases ended."""
    url = timed.fifo()
    timed.send_to_group(url, "g", "1", "2", "3")
    first, _ = timed.receive(url, 2, VisibilityTimeout=30)
    timed.hide(url, first, 300)
    timed.advance("31s")
    assert timed.receive(url) == []
    timed.advance("270s")
    assert bodies(timed.receive(url)) == ["1", "2", "3"]


def test_item_02_a_delayed_message_does_not_block_earlier_ones(timed):
    url = timed.fifo(DelaySeconds="60")
    timed.send_to_group(url, "g", "1")
    timed.advance("30s")
    timed.send_to_group(url, "g", "2")
    timed.advance("31s")
    first = timed.receive_one(url)
    assert first["Body"] == "1"
    timed.delete(url, first)
    assert timed.receive(url) == []
    timed.advance("30s")
    assert bodies(timed.receive(url)) == ["2"]


def test_item_03_redelivery_is_in_the_original_order(timed):
    url = timed.fifo()
    timed.send_to_group(url, "g", *"12345")
    assert bodies(timed.receive(url, VisibilityTimeout=10)) == list("12345")
    timed.advance("11s")
    again = timed.receive(url, VisibilityTimeout=10)
    assert bodies(again) == list("12345")
    assert {m["Attributes"]["ApproximateReceiveCount"] for m in again} == {"2"}


def test_item_04_a_receive_takes_as_many_of_a_group_as_it_can(sqs):
    url = sqs.fifo()
    sqs.send_to_group(url, "g", *"0123456789ab")
    assert bodies(sqs.receive(url)) == list("0123456789")

    url = sqs.fifo()
    sqs.send_to_group(url, "a", *"123")
    sqs.send_to_group(url, "b", *"456")
    assert sorted(bodies(sqs.receive(url))) == list("123456")


def test_item_05_a_fifo_message_has_no_delay_of_its_own(timed):
    url = timed.fifo(DelaySeconds="60", ContentBasedDeduplication="true")
    timed.send(url, "zero", MessageGroupId="g", DelaySeconds=0)
    assert timed.receive(url) == []
    with refused("InvalidParameterValue", says="DelaySeconds"):
        timed.send(url, "one", MessageGroupId="g", DelaySeconds=1)
    timed.advance("61s")
    assert bodies(timed.receive(url)) == ["zero"]


def test_item_06_deduplication_outlives_the_message(timed):
    url = timed.fifo()
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    timed.send(url, "first", **ids)
    timed.delete(url, timed.receive_one(url))
    timed.send(url, "duplicate", **ids)
    assert timed.receive(url) == []
    timed.advance("5m")
    timed.advance("1s")
    timed.send(url, "later", **ids)
    assert bodies(timed.receive(url)) == ["later"]


def test_item_06_an_id_counts_in_its_group_where_the_queue_says_so(sqs):
    """The same id in two groups: one message in a queue of the one scope, two in a queue of the other."""
    for scope, wanted in [("queue", ["a"]), ("messageGroup", ["a", "b"])]:
        url = sqs.fifo(DeduplicationScope=scope)
        for group in ("a", "b", "a"):
            sqs.send(url, group, MessageGroupId=group, MessageDeduplicationId="same")
        assert sorted(bodies(sqs.receive(url))) == wanted


def test_item_07_a_duplicate_is_answered_with_the_originals_id_and_its_own_digests(sqs):
    url = sqs.fifo()
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    attributes = {"a": {"DataType": "String", "StringValue": "x"}}
    first = sqs.send(url, "first", **ids)
    again = sqs.send(url, "again", MessageAttributes=attributes, **ids)
    assert again["MessageId"] == first["MessageId"]
    assert again["SequenceNumber"] == first["SequenceNumber"]
    assert again["MD5OfMessageBody"] == digest.of_body("again")
    assert again["MD5OfMessageAttributes"] == digest.of_attributes(attributes)
    assert bodies(sqs.receive(url)) == ["first"]


def test_item_08_a_batch_deduplicates_and_keeps_system_attributes_like_a_single_send(sqs):
    url = sqs.fifo()
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-67891233-abcdef012345678912345678"}}
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    single = sqs.send(url, "single", MessageSystemAttributes=trace, **ids)
    answer = sqs.send_batch(
        url,
        [
            {"Id": "same-as-single", "MessageBody": "x", **ids},
            {"Id": "new", "MessageBody": "new", "MessageSystemAttributes": trace}
            | {**ids, "MessageDeduplicationId": "e"},
            {"Id": "same-as-new", "MessageBody": "x"} | {**ids, "MessageDeduplicationId": "e"},
        ],
    )
    found = {one["Id"]: one for one in answer["Successful"]}
    assert found["same-as-single"]["MessageId"] == single["MessageId"]
    assert found["same-as-single"]["SequenceNumber"] == single["SequenceNumber"]
    assert found["same-as-new"]["MessageId"] == found["new"]["MessageId"]
    assert found["new"]["MD5OfMessageSystemAttributes"] == digest.of_attributes(trace)
    messages = sqs.receive(url)
    assert bodies(messages) == ["single", "new"]
    for message in messages:
        assert message["Attributes"]["AWSTraceHeader"] == trace["AWSTraceHeader"]["StringValue"]


def test_item_09_sequence_numbers_have_twenty_digits_and_rise(sqs):
    url = sqs.fifo()
    numbers = [answer["SequenceNumber"] for answer in sqs.send_to_group(url, "g", *"12345")]
    assert all(re.fullmatch(r"\d{20}", number) for number in numbers), numbers
    assert numbers == sorted(set(numbers))
    assert [m["Attributes"]["SequenceNumber"] for m in sqs.receive(url)] == numbers


def test_item_10_visibility_after_the_lease_never_hides_again(timed):
    url = timed.queue()
    timed.send(url)
    late = timed.receive_one(url, VisibilityTimeout=5)
    timed.advance("6s")
    with refused("MessageNotInflight"):
        timed.hide(url, late, 600)
    assert len(timed.receive(url)) == 1


def test_item_10_a_new_visibility_counts_from_now(timed):
    url = timed.queue()
    timed.send(url)
    message = timed.receive_one(url, VisibilityTimeout=100)
    timed.advance("90s")
    timed.hide(url, message, 50)
    timed.advance("49s")
    assert timed.receive(url) == []
    timed.advance("2s")
    assert len(timed.receive(url)) == 1


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_item_10_visibility_zero_wakes_a_poller_at_once(sqs, fifo):
    url = sqs.queue(fifo=fifo)
    sqs.send_to_group(url, "g", "x") if fifo else sqs.send(url, "x")
    message = sqs.receive_one(url, VisibilityTimeout=600)
    poll = Parked(lambda: sqs.receive(url, WaitTimeSeconds=20))
    assert poll.waiting()
    sqs.hide(url, message, 0)
    assert bodies(poll.result(3)) == ["x"]


def test_item_11_a_fifo_delete_after_the_lease_fails(timed):
    url = timed.fifo()
    timed.send_to_group(url, "g", "x")
    late = timed.receive_one(url, VisibilityTimeout=5)
    timed.advance("6s")
    with refused("InvalidParameterValue", "ReceiptHandleIsInvalid"):
        timed.delete(url, late)
    assert bodies(timed.receive(url)) == ["x"]


def test_item_11_a_fifo_delete_after_an_extension_succeeds(timed):
    url = timed.fifo()
    timed.send_to_group(url, "g", "x")
    message = timed.receive_one(url, VisibilityTimeout=5)
    timed.hide(url, message, 60)
    timed.advance("30s")
    timed.delete(url, message)
    timed.advance("60s")
    assert timed.receive(url) == []


def test_item_11_a_standard_delete_after_the_lease_succeeds(timed):
    """Nobody holds a newer lease, so the message is deleted as well."""
    url = timed.queue()
    timed.send(url)
    late = timed.receive_one(url, VisibilityTimeout=5)
    timed.advance("6s")
    timed.delete(url, late)
    assert timed.receive(url) == []


def test_item_12_an_older_receipt_never_deletes_what_a_newer_lease_holds(timed):
    url = timed.queue()
    timed.send(url)
    older = timed.receive_one(url, VisibilityTimeout=5)
    timed.advance("6s")
    newer = timed.receive_one(url, VisibilityTimeout=60)
    timed.delete(url, older)
    assert timed.counts(url) == (0, 1, 0)
    timed.delete(url, newer)
    assert timed.counts(url) == (0, 0, 0)


def test_item_12_the_same_on_a_fifo_queue(timed):
    url = timed.fifo()
    timed.send_to_group(url, "g", "x")
    older = timed.receive_one(url, VisibilityTimeout=5)
    timed.advance("6s")
    newer = timed.receive_one(url, VisibilityTimeout=60)
    with refused("InvalidParameterValue", "ReceiptHandleIsInvalid"):
        timed.delete(url, older)
    assert timed.counts(url) == (0, 1, 0)
    timed.delete(url, newer)
    assert timed.counts(url) == (0, 0, 0)


def hidden_for(timed, url: str, seconds: int, **more) -> bool:
    """Whether a receive hides its message for so many seconds: one less and it is hidden, one more not."""
    timed.send(url)
    timed.receive_one(url, **more)
    timed.advance(f"{seconds - 1}s")
    early = timed.receive(url, VisibilityTimeout=0)
    timed.advance("2s")
    return early == [] and len(timed.receive(url)) == 1


def test_item_13_the_request_goes_before_the_queue_before_thirty_seconds(timed):
    assert hidden_for(timed, timed.queue(), 30)
    assert hidden_for(timed, timed.queue(VisibilityTimeout="100"), 100)
    assert hidden_for(timed, timed.queue(VisibilityTimeout="100"), 10, VisibilityTimeout=10)


@pytest.mark.parametrize("seconds", [-1, 43201, 2**31 - 1, -(2**31)])
def test_item_13_visibility_is_validated_everywhere(sqs, seconds):
    url = sqs.queue()
    with refused("InvalidAttributeValue"):
        sqs.queue(VisibilityTimeout=str(seconds))
    with refused("InvalidAttributeValue"):
        sqs.set(url, VisibilityTimeout=str(seconds))
    sqs.send(url)
    with refused("InvalidParameterValue"):
        sqs.receive(url, VisibilityTimeout=seconds)
    assert len(sqs.receive(url, VisibilityTimeout=43200)) == 1


def test_item_14_a_long_poll_ends_when_a_delayed_message_is_due(sqs):
    url = sqs.queue()
    sqs.send(url, "due", DelaySeconds=1)
    started = time.monotonic()
    assert bodies(sqs.receive(url, WaitTimeSeconds=20)) == ["due"]
    assert 0.5 < time.monotonic() - started < 5


def test_item_14_the_same_on_a_fifo_queue(sqs):
    url = sqs.fifo(DelaySeconds="1")
    sqs.send_to_group(url, "g", "due")
    started = time.monotonic()
    assert bodies(sqs.receive(url, WaitTimeSeconds=20)) == ["due"]
    assert 0.5 < time.monotonic() - started < 5


@pytest.mark.slow
def readable(sockets):
    """Those that can be read, as soon as there is one."""
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(timeout=10)]


def test_item_14_a_thousand_idle_pollers_burn_nothing(own_server):
    url = wire.call(own_server.url, "CreateQueue", {"QueueName": "idle"}).json["QueueUrl"]
    body = b'{"QueueUrl": "%s", "WaitTimeSeconds": 20}' % url.encode()
    pollers = [wire.dial(own_server.url, timeout=30) for _ in range(1000)]
    try:
        for poller in pollers:
            poller.sendall(wire.request(body, "AmazonSQS.ReceiveMessage"))
        own_server.health()
        time.sleep(1)  # the last of them parks
        before = own_server.cpu_seconds()
        time.sleep(3)
        assert own_server.cpu_seconds() - before < 0.15
        own_server.assert_alive()
        # They do wait: a message goes to exactly one of them.
        wire.call(own_server.url, "SendMessage", {"QueueUrl": url, "MessageBody": "x"})
        served = readable(pollers)
        assert len(served) == 1
        assert b"MessageId" in wire.read(served[0]).body
    finally:
        for poller in pollers:
            poller.close()


def test_item_15_a_message_is_moved_by_the_next_receive_and_not_by_a_timer(timed):
    dead = timed.queue()
    url = timed.queue(RedrivePolicy=timed.redrive(dead, 2))
    timed.send(url, "poison")
    for _ in range(2):
        timed.receive_one(url, VisibilityTimeout=5)
        timed.advance("6s")
    timed.advance("1h")
    assert timed.counts(dead) == (0, 0, 0)
    assert timed.counts(url) == (1, 0, 0)
    assert timed.receive(url) == []
    assert timed.counts(url) == (0, 0, 0)
    moved = timed.receive_one(dead)
    assert moved["Body"] == "poison"
    assert moved["Attributes"]["DeadLetterQueueSourceArn"] == timed.arn(url)


def test_item_15_a_fifo_dead_letter_keeps_its_ids(sqs):
    dead = sqs.fifo()
    url = sqs.fifo(RedrivePolicy=sqs.redrive(dead, 1))
    sqs.send(url, "poison", MessageGroupId="the-group", MessageDeduplicationId="the-id")
    sqs.receive_one(url, VisibilityTimeout=0)
    assert sqs.receive(url) == []
    found = sqs.receive_one(dead)["Attributes"]
    assert found["MessageGroupId"] == "the-group"
    assert found["MessageDeduplicationId"] == "the-id"


def test_item_15_without_its_dead_letter_queue_a_message_stays(own_server):
    sqs = Face(own_server.url)
    dead = sqs.queue()
    url = sqs.queue(RedrivePolicy=sqs.redrive(dead, 1))
    sqs.send(url, "poison")
    sqs.receive_one(url, VisibilityTimeout=0)
    sqs.client.delete_queue(QueueUrl=dead)
    before = own_server.cpu_seconds()
    sqs.receive(url, VisibilityTimeout=0, WaitTimeSeconds=2)
    assert own_server.cpu_seconds() - before < 0.5, "it looks as if it loops"
    assert sum(sqs.counts(url)) == 1


def test_item_16_an_empty_receive_has_no_member(sqs):
    url = sqs.queue()
    answer = wire.call(sqs.url, "ReceiveMessage", {"QueueUrl": url})
    assert (answer.status, answer.json) == (200, {})


def test_item_16_the_queues_maximum_size_is_honoured(sqs):
    url = sqs.queue(MaximumMessageSize="2048")
    sqs.send(url, "x" * 2048)
    with refused("InvalidParameterValue", says="2048"):
        sqs.send(url, "x" * 2049)


def test_item_16_a_batch_is_a_mebibyte_in_all(sqs):
    url = sqs.queue()
    half = [{"Id": name, "MessageBody": "x" * (MIB // 2)} for name in "ab"]
    assert len(sqs.send_batch(url, half)["Successful"]) == 2
    with refused("BatchRequestTooLong", says=str(MIB)):
        sqs.send_batch(url, [*half, {"Id": "c", "MessageBody": "x"}])


@pytest.mark.parametrize(
    "member", ["AttributeNames", pytest.param("MessageSystemAttributeNames", marks=json_only)]
)
@pytest.mark.parametrize("names", [["SenderId"], ["SentTimestamp", "ApproximateReceiveCount"], []], ids=len)
def test_item_16_both_filters_of_system_attributes(sqs, member, names):
    url = sqs.queue()
    sqs.send(url)
    answer = sqs.client.receive_message(QueueUrl=url, **{member: names})
    assert set(answer["Messages"][0].get("Attributes", {})) == set(names)


def test_item_17_the_url_of_a_missing_queue(sqs):
    answer = wire.call(sqs.url, "GetQueueUrl", {"QueueName": f"missing-{uuid.uuid4().hex}"})
    assert answer.status == 400
    assert answer.json["__type"] == "com.amazonaws.sqs#QueueDoesNotExist"
    assert "does not exist" in answer.json["message"]


BACKLOG = int(os.environ.get("BACKLOG", "50000"))
FILLERS = 16
FEW = 160 * FILLERS


def fill(url: str, queue: str, batches: int) -> None:
    """Sends so many batches of ten over one connection, each message in a group of its own."""
    line, fifo = wire.Line(url), queue.endswith(".fifo")
    for _ in range(batches):
        entries = [{"Id": str(n), "MessageBody": "backlog"} for n in range(10)]
        for entry in entries if fifo else []:
            entry["MessageGroupId"] = entry["MessageDeduplicationId"] = uuid.uuid4().hex
        line.call("SendMessageBatch", {"QueueUrl": queue, "Entries": entries})
    line.close()


def fill_from_all_sides(url: str, queue: str, messages: int) -> None:
    share = messages // 10 // FILLERS
    threads = [threading.Thread(target=fill, args=(url, queue, share)) for _ in range(FILLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def receive_milliseconds(url: str, queue: str) -> float:
    """The median over a hundred receives of one message each."""
    line, spans = wire.Line(url), []
    for _ in range(100):
        started = time.perf_counter()
        assert line.call("ReceiveMessage", {"QueueUrl": queue})["Messages"]
        spans.append((time.perf_counter() - started) * 1000)
    line.close()
    return statistics.median(spans)


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_item_20_receiving_from_a_backlog_is_as_fast_as_from_none(sqs, fifo):
    short, long = sqs.queue(fifo=fifo), sqs.queue(fifo=fifo)
    fill_from_all_sides(sqs.url, short, FEW)
    fill_from_all_sides(sqs.url, long, BACKLOG)
    assert sqs.counts(short)[0] == FEW
    assert sqs.counts(long)[0] > BACKLOG - 10 * FILLERS
    few, many = receive_milliseconds(sqs.url, short), receive_milliseconds(sqs.url, long)
    print(f"median receive: {few:.2f} ms with {FEW} messages, {many:.2f} ms with {BACKLOG}")
    assert many < 3 * few + 2
    for url in (short, long):
        sqs.client.delete_queue(QueueUrl=url)
