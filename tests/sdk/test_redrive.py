"""Dead-letter queues on receive. Rule 15 is in test_items.py."""

from harness.face import bodies


def pair(sqs, after: int, fifo: bool = False):
    dead = sqs.queue(fifo=fifo)
    return sqs.queue(fifo=fifo, RedrivePolicy=sqs.redrive(dead, after)), dead


def give_back(sqs, url: str, times: int) -> None:
    """Receives one message and puts it back, so many times."""
    for _ in range(times):
        assert sqs.receive_one(url, VisibilityTimeout=0)


def test_a_poison_message_moves_and_the_others_stay(sqs):
    url, dead = pair(sqs, 3)
    sqs.send(url, "poison")
    give_back(sqs, url, 3)
    sqs.send(url, "good")
    assert bodies(sqs.receive(url)) == ["good"]
    assert bodies(sqs.receive(dead)) == ["poison"]


def test_a_moved_message_says_where_it_came_from(sqs):
    url, dead = pair(sqs, 1)
    sent = sqs.send(url, "poison", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}})
    give_back(sqs, url, 1)
    assert sqs.receive(url) == []
    message = sqs.receive_one(dead)
    assert message["MessageId"] == sent["MessageId"]
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == sqs.arn(url)
    assert message["MessageAttributes"]["a"]["StringValue"] == "x"


def test_deleting_in_time_keeps_it_out(sqs):
    url, dead = pair(sqs, 2)
    sqs.send(url)
    give_back(sqs, url, 1)
    sqs.delete(url, sqs.receive_one(url))
    assert sqs.receive(url) == []
    assert sqs.counts(dead) == (0, 0, 0)


def test_a_policy_set_later_counts_the_receives_so_far(sqs):
    dead, url = sqs.queue(), sqs.queue()
    sqs.send(url)
    give_back(sqs, url, 3)
    sqs.set(url, RedrivePolicy=sqs.redrive(dead, 2))
    assert sqs.receive(url) == []
    assert len(sqs.receive(dead)) == 1


def test_a_fifo_group_goes_on_behind_a_poison_message(sqs):
    url, dead = pair(sqs, 1, fifo=True)
    sqs.send_to_group(url, "g", "poison", "2", "3")
    give_back(sqs, url, 1)
    assert bodies(sqs.receive(url)) == ["2", "3"]
    assert bodies(sqs.receive(dead)) == ["poison"]


def test_the_retention_of_a_moved_message_runs_from_its_first_send(timed):
    """The developer guide: the original enqueue timestamp stays, on standard queues."""
    dead = timed.queue(MessageRetentionPeriod="1000")
    url = timed.queue(RedrivePolicy=timed.redrive(dead, 1))
    timed.send(url)
    timed.advance("900s")
    give_back(timed, url, 1)
    assert timed.receive(url) == []
    assert timed.counts(dead) == (1, 0, 0)
    timed.advance("101s")
    assert timed.receive(dead) == []
