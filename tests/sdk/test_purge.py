"""PurgeQueue."""

from harness.face import bodies, refused


def test_everything_goes(sqs):
    url = sqs.queue()
    for _ in range(3):
        sqs.send(url)
    sqs.receive_one(url)
    sqs.send(url, DelaySeconds=900)
    sqs.client.purge_queue(QueueUrl=url)
    assert sqs.receive(url) == []
    assert sqs.counts(url) == (0, 0, 0)


def test_what_comes_after_stays(sqs):
    url = sqs.queue()
    sqs.send(url, "before")
    sqs.client.purge_queue(QueueUrl=url)
    sqs.send(url, "after")
    assert bodies(sqs.receive(url)) == ["after"]


def test_nothing_comes_back_when_its_lease_ends(timed):
    url = timed.queue()
    timed.send(url)
    timed.receive_one(url, VisibilityTimeout=30)
    timed.client.purge_queue(QueueUrl=url)
    timed.advance("31s")
    assert timed.receive(url) == []


def test_a_receipt_from_before_is_harmless(sqs):
    url = sqs.queue()
    sqs.send(url, "before")
    message = sqs.receive_one(url)
    sqs.client.purge_queue(QueueUrl=url)
    sqs.send(url, "after")
    sqs.delete(url, message)
    assert bodies(sqs.receive(url)) == ["after"]


def test_twice_within_a_minute_is_refused(timed):
    url = timed.queue()
    timed.client.purge_queue(QueueUrl=url)
    with refused("PurgeQueueInProgress", says="60 seconds"):
        timed.client.purge_queue(QueueUrl=url)
    timed.advance("61s")
    timed.client.purge_queue(QueueUrl=url)


def test_a_purged_fifo_queue_unlocks_its_groups_and_remembers_its_duplicates(sqs):
    url = sqs.fifo()
    sqs.send(url, "1", MessageGroupId="g", MessageDeduplicationId="d")
    sqs.receive_one(url)
    sqs.client.purge_queue(QueueUrl=url)
    sqs.send(url, "duplicate", MessageGroupId="g", MessageDeduplicationId="d")
    sqs.send(url, "2", MessageGroupId="g", MessageDeduplicationId="e")
    assert bodies(sqs.receive(url)) == ["2"]
