"""StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask, and ListDeadLetterSourceQueues.

Time is steered, so a task of minutes takes none and stands still while nobody moves the clock.
"""

import base64
import json
import uuid

import pytest
from harness.face import ACCOUNT, REGION, Face, bodies, refused

GONE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"


def pair(sqs, after: int = 1, fifo: bool = False) -> tuple[str, str]:
    """A queue, and its dead-letter queue."""
    dead = sqs.queue(fifo=fifo)
    return sqs.queue(fifo=fifo, RedrivePolicy=sqs.redrive(dead, after)), dead


def kill(sqs, url: str, *texts: str) -> None:
    """Sends messages and receives them until they are dead letters."""
    for text in texts:
        sqs.send(url, text)
    for _ in texts:
        sqs.receive_one(url, VisibilityTimeout=0)
    assert sqs.receive(url) == []


def start(sqs, dead: str, to: str | None = None, rate: int | None = None) -> str:
    more = {"DestinationArn": sqs.arn(to)} if to else {}
    more |= {"MaxNumberOfMessagesPerSecond": rate} if rate else {}
    return sqs.client.start_message_move_task(SourceArn=sqs.arn(dead), **more)["TaskHandle"]


def tasks(sqs, dead: str, count: int = 10) -> list[dict]:
    answer = sqs.client.list_message_move_tasks(SourceArn=sqs.arn(dead), MaxResults=count)
    return answer.get("Results", [])


def task(sqs, dead: str) -> dict:
    return tasks(sqs, dead, 1)[0]


def test_dead_letters_go_back_to_where_they_came_from(timed):
    url, dead = pair(timed)
    kill(timed, url, "one", "two")
    before = timed.receive(dead, VisibilityTimeout=0)
    start(timed, dead)
    timed.advance("1s")
    assert timed.counts(dead) == (0, 0, 0)
    back = timed.receive(url)
    assert sorted(bodies(back)) == ["one", "two"]
    assert {m["Attributes"]["ApproximateReceiveCount"] for m in back} == {"1"}
    assert not {m["MessageId"] for m in back} & {m["MessageId"] for m in before}
    assert all("DeadLetterQueueSourceArn" not in m["Attributes"] for m in back)


def test_each_goes_to_its_own_origin(timed):
    dead = timed.queue()
    urls = [timed.queue(RedrivePolicy=timed.redrive(dead, 1)) for _ in range(3)]
    for n, url in enumerate(urls):
        kill(timed, url, f"of {n}")
    start(timed, dead)
    timed.advance("1s")
    assert [bodies(timed.receive(url)) for url in urls] == [["of 0"], ["of 1"], ["of 2"]]


def test_to_another_queue(timed):
    url, dead = pair(timed)
    kill(timed, url, "one")
    timed.send(dead, "sent to the dead letter queue by hand")
    other = timed.queue()
    start(timed, dead, other)
    timed.advance("1s")
    assert sorted(bodies(timed.receive(other))) == ["one", "sent to the dead letter queue by hand"]
    assert timed.counts(url) == timed.counts(dead) == (0, 0, 0)


def test_a_finished_task_as_it_is_listed(timed):
    url, dead = pair(timed)
    kill(timed, url, "one", "two")
    start(timed, dead)
    timed.advance("1s")
    found = task(timed, dead)
    assert abs(found.pop("StartedTimestamp") / 1000 - int(timed.attributes(dead)["CreatedTimestamp"])) < 600
    assert found == {
        "Status": "COMPLETED",
        "SourceArn": timed.arn(dead),
        "ApproximateNumberOfMessagesMoved": 2,
        "ApproximateNumberOfMessagesToMove": 2,
    }


def test_a_running_task_as_it_is_listed(timed):
    url, dead = pair(timed)
    kill(timed, url, "one", "two", "three")
    other = timed.queue()
    handle = start(timed, dead, other, rate=1)
    found = task(timed, dead)
    assert found["Status"] == "RUNNING"
    assert found["TaskHandle"] == handle
    assert found["DestinationArn"] == timed.arn(other)
    assert found["MaxNumberOfMessagesPerSecond"] == 1
    assert found["ApproximateNumberOfMessagesToMove"] == 3
    timed.advance("10s")
    found = task(timed, dead)
    assert (found["Status"], found["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    assert "TaskHandle" not in found


def test_the_handle_names_task_and_source(timed):
    url, dead = pair(timed)
    kill(timed, url, "one")
    handle = json.loads(base64.b64decode(start(timed, dead, rate=1)))
    assert handle.keys() == {"taskId", "sourceArn"}
    assert str(uuid.UUID(handle["taskId"])) == handle["taskId"]
    assert handle["sourceArn"] == timed.arn(dead)
    timed.advance("10s")


@pytest.mark.parametrize("rate", [1, 7, 500])
def test_item_18_a_rate_is_kept(timed, rate):
    """In any five seconds of the server's time five times the rate, give or take the first."""
    dead = timed.queue()
    url = timed.queue(RedrivePolicy=timed.redrive(dead, 1))
    many = 10 * rate
    for first in range(0, many, 10):
        size = min(10, many - first)
        timed.send_batch(dead, [{"Id": str(n), "MessageBody": "x"} for n in range(size)])
    start(timed, dead, url, rate)
    timed.advance("5s")
    moved = task(timed, dead)["ApproximateNumberOfMessagesMoved"]
    assert 4 * rate <= moved <= 6 * rate
    timed.advance("6s")
    assert task(timed, dead)["Status"] == "COMPLETED"
    assert timed.counts(url) == (many, 0, 0)


def test_item_18_a_cancelled_task_stops_and_keeps_what_it_moved(timed):
    dead = timed.queue()
    url = timed.queue(RedrivePolicy=timed.redrive(dead, 1))
    timed.send_batch(dead, [{"Id": str(n), "MessageBody": "x"} for n in range(10)])
    handle = start(timed, dead, url, rate=1)
    timed.advance("3s")
    answer = timed.client.cancel_message_move_task(TaskHandle=handle)
    moved = answer["ApproximateNumberOfMessagesMoved"]
    assert 2 <= moved <= 4
    timed.advance("60s")
    found = task(timed, dead)
    assert (found["Status"], found["ApproximateNumberOfMessagesMoved"]) == ("CANCELLED", moved)
    assert "TaskHandle" not in found
    assert timed.counts(url) == (moved, 0, 0)
    assert timed.counts(dead) == (10 - moved, 0, 0)


def test_item_18_one_task_at_a_time(timed):
    url, dead = pair(timed)
    kill(timed, url, "one", "two", "three")
    handle = start(timed, dead, rate=1)
    with refused("InvalidParameterValue", says="There is already a task running. Only one active task is allowed"):
        start(timed, dead)
    timed.client.cancel_message_move_task(TaskHandle=handle)
    timed.advance("1s")
    start(timed, dead)
    timed.advance("1s")
    assert [one["Status"] for one in tasks(timed, dead)] == ["COMPLETED", "CANCELLED"]


def test_tasks_of_other_queues_run_beside(timed):
    pairs = [pair(timed) for _ in range(2)]
    for url, dead in pairs:
        kill(timed, url, "one", "two")
        start(timed, dead, rate=1)
    assert [task(timed, dead)["Status"] for _, dead in pairs] == ["RUNNING"] * 2
    timed.advance("5s")
    assert [task(timed, dead)["Status"] for _, dead in pairs] == ["COMPLETED"] * 2


def test_a_task_that_has_ended_cannot_be_cancelled(timed):
    url, dead = pair(timed)
    kill(timed, url, "one")
    handle = start(timed, dead)
    timed.advance("1s")
    with refused("UnsupportedOperation", says="Only active tasks can be cancelled"):
        timed.client.cancel_message_move_task(TaskHandle=handle)


def test_the_last_ten_are_listed_newest_first(timed):
    _, dead = pair(timed)
    for _ in range(12):
        start(timed, dead)
        timed.advance("1s")
    found = tasks(timed, dead)
    assert len(found) == 10
    started = [one["StartedTimestamp"] for one in found]
    assert started == sorted(started, reverse=True)
    assert len(tasks(timed, dead, 3)) == 3
    default = timed.client.list_message_move_tasks(SourceArn=timed.arn(dead))["Results"]
    assert default == found[:1]


def test_a_queue_without_tasks_lists_none(timed):
    assert tasks(timed, timed.queue()) == []


def test_messages_in_flight_stay(timed):
    url, dead = pair(timed)
    kill(timed, url, "free", "held")
    held = timed.receive_one(dead, VisibilityTimeout=600)
    start(timed, dead)
    timed.advance("1s")
    assert task(timed, dead)["Status"] == "COMPLETED"
    assert timed.counts(dead) == (0, 1, 0)
    assert {held["Body"], *bodies(timed.receive(url))} == {"free", "held"}


def test_fifo_messages_keep_group_and_order(timed):
    url, dead = pair(timed, fifo=True)
    for group in ("a", "b"):
        timed.send_to_group(url, group, f"{group}1", f"{group}2")
    while messages := timed.receive(url, VisibilityTimeout=0):
        assert messages
    other = timed.fifo()
    start(timed, dead, other)
    timed.advance("1s")
    found = timed.receive(other)
    for group in ("a", "b"):
        assert [m["Body"] for m in found if m["Attributes"]["MessageGroupId"] == group] == [f"{group}1", f"{group}2"]


def test_a_message_without_an_origin_fails_the_task(timed):
    url, dead = pair(timed)
    timed.send(dead, "by hand")
    start(timed, dead)
    timed.advance("1s")
    found = task(timed, dead)
    assert (found["Status"], found["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert timed.counts(dead) == (1, 0, 0)


def test_a_destination_that_goes_away_fails_the_task(timed):
    url, dead = pair(timed)
    kill(timed, url, "one", "two", "three")
    other = timed.queue()
    start(timed, dead, other, rate=1)
    timed.client.delete_queue(QueueUrl=other)
    timed.advance("5s")
    found = task(timed, dead)
    assert (found["Status"], found["FailureReason"]) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert timed.counts(dead)[0] >= 2


def test_a_task_goes_on_after_a_crash(own_server):
    sqs = Face(own_server.url)
    dead = sqs.queue()
    url = sqs.queue(RedrivePolicy=sqs.redrive(dead, 1))
    texts = [f"m{n}" for n in range(200)]
    for first in range(0, 200, 10):
        sqs.send_batch(dead, [{"Id": text, "MessageBody": text} for text in texts[first : first + 10]])
    start(sqs, dead, url, rate=200)
    own_server.kill()
    own_server.start()
    sqs = Face(own_server.url)
    url, dead = (f"{sqs.url}/{ACCOUNT}/{one.rsplit('/', 1)[1]}" for one in (url, dead))
    found = []
    while len(found) < 200:
        messages = sqs.receive(url, WaitTimeSeconds=5)
        assert messages, "no more came"
        found += bodies(messages)
    assert sorted(found) == sorted(texts)
    assert sqs.receive(dead) == []


# --- refusals ---------------------------------------------------------------------------------------


def test_a_source_that_is_no_dead_letter_queue(timed):
    with refused("InvalidParameterValue", says="Source queue must be configured as a Dead Letter Queue"):
        start(timed, timed.queue(), timed.queue())


def test_a_source_that_no_queue_names_any_more(timed):
    url, dead = pair(timed)
    timed.set(url, RedrivePolicy="")
    with refused("InvalidParameterValue", says="Dead Letter Queue"):
        start(timed, dead)


def test_a_source_that_is_not_there(timed):
    with refused("ResourceNotFoundException", "ResourceNotFound", says="SourceArn"):
        timed.client.start_message_move_task(SourceArn=GONE)
    with refused("ResourceNotFoundException", "ResourceNotFound", says="SourceArn"):
        timed.client.list_message_move_tasks(SourceArn=GONE)


def test_a_destination_that_is_not_there(timed):
    _, dead = pair(timed)
    with refused("ResourceNotFoundException", "ResourceNotFound", says="DestinationArn"):
        timed.client.start_message_move_task(SourceArn=timed.arn(dead), DestinationArn=GONE)


def test_a_destination_of_another_type(timed):
    _, dead = pair(timed)
    with refused("InvalidParameterValue", says="type"):
        start(timed, dead, timed.fifo())


def test_a_destination_that_is_the_source(timed):
    _, dead = pair(timed)
    with refused("InvalidParameterValue", says="different"):
        start(timed, dead, dead)


@pytest.mark.parametrize("arn", ["", "x", "arn:aws:sqs", "arn:aws:sns:us-east-1:000000000000:a", "arn:aws:sqs:us-east-1:1:a", GONE + ":b", GONE + "/x", GONE.replace(REGION, "a/b")])
def test_arns_that_are_none(timed, arn):
    with refused("InvalidParameterValue", says="SourceArn"):
        timed.client.start_message_move_task(SourceArn=arn)
    with refused("InvalidParameterValue", says="SourceArn"):
        timed.client.list_message_move_tasks(SourceArn=arn)


@pytest.mark.parametrize("rate", [-1, 501, 2**31 - 1])
def test_rates_that_are_none(timed, rate):
    _, dead = pair(timed)
    with refused("InvalidParameterValue", says="MaxNumberOfMessagesPerSecond"):
        start(timed, dead, rate=rate)


def test_a_rate_of_nothing(timed):
    _, dead = pair(timed)
    with refused("InvalidParameterValue", says="MaxNumberOfMessagesPerSecond"):
        timed.client.start_message_move_task(SourceArn=timed.arn(dead), MaxNumberOfMessagesPerSecond=0)


@pytest.mark.parametrize("count", [-1, 0, 11])
def test_counts_of_tasks_that_are_none(timed, count):
    with refused("InvalidParameterValue", says="MaxResults"):
        tasks(timed, timed.queue(), count)


def sealed(**handle: str) -> str:
    return base64.b64encode(json.dumps(handle).encode()).decode()


TASK = "00000000-0000-8000-8000-000000000000"


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "x",
        "AAAA",
        sealed(),
        sealed(taskId=TASK),
        sealed(sourceArn=GONE),
        sealed(taskId="x", sourceArn=GONE),
        sealed(taskId=TASK.upper() + "0", sourceArn=GONE),
        sealed(taskId=TASK, sourceArn="x"),
        "x" * 100_000,
    ],
    ids=lambda handle: handle[:20],
)
def test_handles_that_are_none(timed, handle):
    with refused("InvalidParameterValue", says="TaskHandle"):
        timed.client.cancel_message_move_task(TaskHandle=handle)


def test_a_handle_of_no_task(timed):
    _, dead = pair(timed)
    with refused("ResourceNotFoundException", "ResourceNotFound", says="Task does not exist"):
        timed.client.cancel_message_move_task(TaskHandle=sealed(taskId=TASK, sourceArn=timed.arn(dead)))
    with refused("ResourceNotFoundException", "ResourceNotFound"):
        timed.client.cancel_message_move_task(TaskHandle=sealed(taskId=TASK, sourceArn=GONE))


def test_what_is_missing(timed):
    for operation, name in [
        ("start_message_move_task", "SourceArn"),
        ("list_message_move_tasks", "SourceArn"),
        ("cancel_message_move_task", "TaskHandle"),
    ]:
        with refused("MissingParameter", says=name):
            getattr(timed.unchecked, operation)()


def test_two_faults_in_one_request(timed):
    """A malformed ARN before a rate out of range before a queue that is not there."""
    both = {"MaxNumberOfMessagesPerSecond": 501}
    with refused("InvalidParameterValue", says="SourceArn"):
        timed.client.start_message_move_task(SourceArn="x", **both)
    with refused("InvalidParameterValue", says="DestinationArn"):
        timed.client.start_message_move_task(SourceArn=GONE, DestinationArn="x", **both)
    with refused("ResourceNotFoundException", "ResourceNotFound", says="SourceArn"):
        timed.client.start_message_move_task(SourceArn=GONE, **both)
    with refused("InvalidParameterValue", says="MaxNumberOfMessagesPerSecond"):
        timed.client.start_message_move_task(SourceArn=timed.arn(timed.queue()), DestinationArn=GONE, **both)


# --- ListDeadLetterSourceQueues ---------------------------------------------------------------------


def sources(sqs, dead: str, **more) -> dict:
    return sqs.client.list_dead_letter_source_queues(QueueUrl=dead, **more)


def test_the_sources_of_a_dead_letter_queue(sqs):
    dead = sqs.queue()
    urls = sorted(sqs.queue(RedrivePolicy=sqs.redrive(dead, 3)) for _ in range(3))
    sqs.queue(RedrivePolicy=sqs.redrive(sqs.queue(), 3))
    answer = sources(sqs, dead)
    assert answer["queueUrls"] == urls
    assert "NextToken" not in answer


def test_no_sources_is_an_empty_list(sqs):
    assert sources(sqs, sqs.queue()).get("queueUrls", []) == []


def test_sources_come_and_go(sqs):
    dead, url = sqs.queue(), sqs.queue()
    sqs.set(url, RedrivePolicy=sqs.redrive(dead, 3))
    assert sources(sqs, dead)["queueUrls"] == [url]
    sqs.set(url, RedrivePolicy=sqs.redrive(sqs.queue(), 3))
    assert sources(sqs, dead).get("queueUrls", []) == []
    sqs.set(url, RedrivePolicy=sqs.redrive(dead, 3))
    sqs.client.delete_queue(QueueUrl=url)
    assert sources(sqs, dead).get("queueUrls", []) == []


def test_sources_by_pages(sqs):
    dead = sqs.queue()
    urls = sorted(sqs.queue(RedrivePolicy=sqs.redrive(dead, 3)) for _ in range(5))
    pages = sqs.client.get_paginator("list_dead_letter_source_queues").paginate(
        QueueUrl=dead, PaginationConfig={"PageSize": 2}
    )
    found = [page["queueUrls"] for page in pages]
    assert [len(page) for page in found] == [2, 2, 1]
    assert [url for page in found for url in page] == urls


def test_refusals_of_listing_sources(sqs):
    with refused("QueueDoesNotExist"):
        sources(sqs, f"{sqs.url}/{ACCOUNT}/{sqs.name()}")
    with refused("MissingParameter", says="QueueUrl"):
        sqs.unchecked.list_dead_letter_source_queues()
    for count in (-1, 0, 1001):
        with refused("InvalidParameterValue", says="MaxResults"):
            sources(sqs, sqs.queue(), MaxResults=count)
    with refused("InvalidParameterValue", says="token"):
        sources(sqs, sqs.queue(), MaxResults=1, NextToken="not-a-token")
