"""GetQueueAttributes, SetQueueAttributes, and the attributes of CreateQueue."""

import json
import time

import pytest
from harness.face import ACCOUNT, REGION, refused

DEFAULTS = {
    "VisibilityTimeout": "30",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "MessageRetentionPeriod": "345600",
    "MaximumMessageSize": "1048576",
    "ApproximateNumberOfMessages": "0",
    "ApproximateNumberOfMessagesNotVisible": "0",
    "ApproximateNumberOfMessagesDelayed": "0",
}

# Name, smallest, largest: the API reference, CreateQueue.
RANGES = [
    ("VisibilityTimeout", 0, 43200),
    ("DelaySeconds", 0, 900),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("MessageRetentionPeriod", 60, 1209600),
    ("MaximumMessageSize", 1024, 1048576),
]


def test_defaults(sqs):
    found = sqs.attributes(sqs.queue())
    assert {name: found[name] for name in DEFAULTS} == DEFAULTS
    assert "FifoQueue" not in found and "RedrivePolicy" not in found


def test_arn_carries_region_account_and_name(sqs):
    url = sqs.queue()
    account, name = url.split("/")[-2:]
    assert sqs.arn(url) == f"arn:aws:sqs:{REGION}:{account}:{name}"


def test_defaults_of_a_fifo_queue(sqs):
    found = sqs.attributes(sqs.fifo())
    assert found["FifoQueue"] == "true"
    assert found["ContentBasedDeduplication"] == "false"


def test_only_the_attributes_asked_for(sqs):
    assert set(sqs.attributes(sqs.queue(), "QueueArn", "DelaySeconds")) == {"QueueArn", "DelaySeconds"}


def test_none_asked_for_none_given(sqs):
    answer = sqs.client.get_queue_attributes(QueueUrl=sqs.queue())
    assert not answer.get("Attributes")


def test_an_attribute_that_the_queue_does_not_have_is_left_out(sqs):
    assert sqs.attributes(sqs.queue(), "RedrivePolicy") == {}


def test_asking_for_an_unknown_attribute(sqs):
    with refused("InvalidAttributeName", says="Nonsense"):
        sqs.attributes(sqs.queue(), "Nonsense")


@pytest.mark.parametrize("name, low, high", RANGES)
def test_ends_of_each_range_are_allowed(sqs, name, low, high):
    url = sqs.queue(**{name: str(low)})
    assert sqs.attributes(url, name) == {name: str(low)}
    sqs.set(url, **{name: str(high)})
    assert sqs.attributes(url, name) == {name: str(high)}


@pytest.mark.parametrize("name, low, high", RANGES)
def test_beyond_each_range_is_refused(sqs, name, low, high):
    url = sqs.queue()
    before = sqs.attributes(url, name)
    for value in (low - 1, high + 1, "", "x", "1.5", 2**31, 2**63, f" {low}"):
        with refused("InvalidAttributeValue", says=name):
            sqs.set(url, **{name: str(value)})
        with refused("InvalidAttributeValue", says=name):
            sqs.queue(**{name: str(value)})
    assert sqs.attributes(url, name) == before


@pytest.mark.parametrize("name", ["Nonsense", "visibilitytimeout", "All", "QueueArn", "ApproximateNumberOfMessages"])
def test_setting_what_cannot_be_set(sqs, name):
    url = sqs.queue()
    with refused("InvalidAttributeName", says=name):
        sqs.set(url, **{name: "1"})


def test_one_bad_attribute_leaves_all_as_they_were(sqs):
    url = sqs.queue()
    with refused("InvalidAttributeValue"):
        sqs.set(url, DelaySeconds="5", VisibilityTimeout="-1")
    assert sqs.attributes(url, "DelaySeconds") == {"DelaySeconds": "0"}


def test_setting_nothing(sqs):
    with refused("MissingParameter"):
        sqs.unchecked.set_queue_attributes(QueueUrl=sqs.queue())


def test_fifo_cannot_be_changed_later(sqs):
    with refused("InvalidAttributeName", "InvalidAttributeValue"):
        sqs.set(sqs.queue(), FifoQueue="true")


def test_fifo_false_is_not_a_thing(sqs):
    with refused("InvalidAttributeName", "InvalidAttributeValue"):
        sqs.queue(FifoQueue="false")


@pytest.mark.parametrize("name", ["ContentBasedDeduplication"])
def test_fifo_attributes_on_a_standard_queue(sqs, name):
    with refused("InvalidAttributeName", "InvalidAttributeValue", says=name):
        sqs.queue(**{name: "true"})


def test_content_based_deduplication_can_be_switched(sqs):
    url = sqs.fifo()
    sqs.set(url, ContentBasedDeduplication="true")
    assert sqs.attributes(url)["ContentBasedDeduplication"] == "true"
    with refused("InvalidAttributeValue"):
        sqs.set(url, ContentBasedDeduplication="maybe")


def test_timestamps_are_whole_seconds(sqs):
    found = sqs.attributes(sqs.queue())
    assert abs(int(found["CreatedTimestamp"]) - time.time()) < 60
    assert found["LastModifiedTimestamp"] == found["CreatedTimestamp"]


def test_a_change_moves_the_modification_time_only(timed):
    url = timed.queue()
    before = timed.attributes(url)
    timed.advance("100s")
    timed.set(url, DelaySeconds="1")
    after = timed.attributes(url)
    assert after["CreatedTimestamp"] == before["CreatedTimestamp"]
    assert int(after["LastModifiedTimestamp"]) - int(before["LastModifiedTimestamp"]) in (100, 101)


def test_counts(timed):
    url = timed.queue()
    timed.send(url)
    timed.send(url)
    timed.send(url, DelaySeconds=60)
    assert timed.counts(url) == (2, 0, 1)
    timed.receive_one(url)
    assert timed.counts(url) == (1, 1, 1)
    timed.advance("61s")
    assert timed.counts(url) == (3, 0, 0)


def test_redrive_policy_comes_back(sqs):
    dead = sqs.queue()
    url = sqs.queue(RedrivePolicy=sqs.redrive(dead, 3))
    policy = json.loads(sqs.attributes(url)["RedrivePolicy"])
    assert policy["deadLetterTargetArn"] == sqs.arn(dead)
    assert int(policy["maxReceiveCount"]) == 3


def test_redrive_policy_can_be_taken_away(sqs):
    url = sqs.queue(RedrivePolicy=sqs.redrive(sqs.queue(), 3))
    sqs.set(url, RedrivePolicy="")
    assert "RedrivePolicy" not in sqs.attributes(url)


def test_redrive_count_may_be_text(sqs):
    """Infrastructure tools write the number as a string; AWS takes both."""
    policy = {"deadLetterTargetArn": sqs.arn(sqs.queue()), "maxReceiveCount": "4"}
    url = sqs.queue(RedrivePolicy=policy)
    assert int(json.loads(sqs.attributes(url)["RedrivePolicy"])["maxReceiveCount"]) == 4


@pytest.mark.parametrize(
    "policy",
    [
        "not json",
        "[]",
        "{}",
        '{"maxReceiveCount": 3}',
        '{"deadLetterTargetArn": "TARGET"}',
        '{"deadLetterTargetArn": "TARGET", "maxReceiveCount": 0}',
        '{"deadLetterTargetArn": "TARGET", "maxReceiveCount": 1001}',
        '{"deadLetterTargetArn": "TARGET", "maxReceiveCount": "x"}',
        '{"deadLetterTargetArn": "nonsense", "maxReceiveCount": 3}',
    ],
)
def test_redrive_policies_that_are_refused(sqs, policy):
    policy = policy.replace("TARGET", sqs.arn(sqs.queue()))
    with refused("InvalidAttributeValue", "InvalidParameterValue"):
        sqs.queue(RedrivePolicy=policy)


def test_dead_letter_queue_must_exist(sqs):
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{sqs.name()}"
    with refused("InvalidAttributeValue", "InvalidParameterValue", "QueueDoesNotExist"):
        sqs.queue(RedrivePolicy={"deadLetterTargetArn": target, "maxReceiveCount": 3})


def test_dead_letter_queue_must_be_of_the_same_type(sqs):
    with refused("InvalidAttributeValue", "InvalidParameterValue"):
        sqs.queue(RedrivePolicy=sqs.redrive(sqs.fifo(), 3))
    with refused("InvalidAttributeValue", "InvalidParameterValue"):
        sqs.fifo(RedrivePolicy=sqs.redrive(sqs.queue(), 3))
