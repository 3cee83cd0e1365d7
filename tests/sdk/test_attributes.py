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


# Of AWS: a redrive policy that is refused says what is wrong with it.
@pytest.mark.parametrize(
    "policy, reason",
    [
        ("{}", "does not contain mandatory attribute"),
        ("not json", "is not a valid JSON map"),
        ('{"deadLetterTargetArn": "TARGET"}', "does not contain mandatory attribute: maxReceiveCount."),
        ('{"deadLetterTargetArn": "TARGET", "maxReceiveCount": 0}', "from 1 to 1000 both inclusive"),
        ('{"deadLetterTargetArn": "TARGET", "maxReceiveCount": 1, "x": 1}', "Only following attributes are supported"),
    ],
)
def test_a_redrive_policy_that_is_refused_says_why(sqs, policy, reason):
    policy = policy.replace("TARGET", sqs.arn(sqs.queue()))
    with refused("InvalidParameterValue", says=reason) as caught:
        sqs.queue(RedrivePolicy=policy)
    message = caught.value.response["Error"]["Message"]
    assert message.startswith(f"Value {policy} for parameter RedrivePolicy is invalid. Reason: ")


def allow(permission: str, *arns: str) -> str:
    policy = {"redrivePermission": permission}
    return json.dumps(policy | ({"sourceQueueArns": list(arns)} if arns else {}))


def test_redrive_allow_policy_is_not_there_until_it_is_set(sqs):
    assert "RedriveAllowPolicy" not in sqs.attributes(sqs.queue())


@pytest.mark.parametrize("permission", ["allowAll", "denyAll"])
def test_redrive_allow_policy_comes_back(sqs, permission):
    url = sqs.queue(RedriveAllowPolicy=allow(permission))
    assert json.loads(sqs.attributes(url)["RedriveAllowPolicy"]) == {"redrivePermission": permission}
    sqs.set(url, RedriveAllowPolicy="")
    assert "RedriveAllowPolicy" not in sqs.attributes(url)


def test_redrive_allow_policy_by_queue(sqs):
    wanted, other = sqs.queue(), sqs.queue()
    dead = sqs.queue(RedriveAllowPolicy=allow("byQueue", sqs.arn(wanted)))
    found = json.loads(sqs.attributes(dead)["RedriveAllowPolicy"])
    assert found == {"redrivePermission": "byQueue", "sourceQueueArns": [sqs.arn(wanted)]}
    sqs.set(wanted, RedrivePolicy=sqs.redrive(dead, 3))
    with refused("InvalidParameterValue", says="RedriveAllowPolicy"):
        sqs.set(other, RedrivePolicy=sqs.redrive(dead, 3))
    with refused("InvalidParameterValue", says="RedriveAllowPolicy"):
        sqs.queue(RedrivePolicy=sqs.redrive(dead, 3))
    assert "RedrivePolicy" not in sqs.attributes(other)


def test_redrive_allow_policy_that_denies_all(sqs):
    dead = sqs.queue(RedriveAllowPolicy=allow("denyAll"))
    with refused("InvalidParameterValue", says="RedriveAllowPolicy"):
        sqs.queue(RedrivePolicy=sqs.redrive(dead, 3))
    sqs.set(dead, RedriveAllowPolicy=allow("allowAll"))
    sqs.queue(RedrivePolicy=sqs.redrive(dead, 3))


@pytest.mark.parametrize(
    "policy",
    [
        "x",
        "[]",
        "{}",
        '{"redrivePermission": "perhaps"}',
        '{"redrivePermission": 1}',
        '{"redrivePermission": "byQueue"}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": []}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": "ARN"}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": [1]}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": ["nonsense"]}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:123456789012:a"]}',
        '{"redrivePermission": "allowAll", "sourceQueueArns": ["ARN"]}',
        '{"redrivePermission": "denyAll", "sourceQueueArns": ["ARN"]}',
        '{"redrivePermission": "allowAll", "more": 1}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": [%s]}' % ", ".join(['"ARN"'] * 11),
    ],
)
def test_redrive_allow_policies_that_are_refused(sqs, policy):
    url = sqs.queue()
    with refused("InvalidParameterValue", says="RedriveAllowPolicy"):
        sqs.set(url, RedriveAllowPolicy=policy.replace("ARN", sqs.arn(url)))


def test_ten_sources_may_be_named(sqs):
    arns = [f"arn:aws:sqs:{REGION}:{ACCOUNT}:q{n}" for n in range(10)]
    url = sqs.queue(RedriveAllowPolicy=allow("byQueue", *arns))
    assert json.loads(sqs.attributes(url)["RedriveAllowPolicy"])["sourceQueueArns"] == arns


def sse(sqs, url: str) -> dict:
    names = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled")
    return sqs.attributes(url, *names)


def test_encryption_of_a_queue_that_says_nothing(sqs):
    assert sse(sqs, sqs.queue()) == {"SqsManagedSseEnabled": "true"}


def test_encryption_by_a_key(sqs):
    url = sqs.queue(KmsMasterKeyId="alias/aws/sqs")
    by_key = {"KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": "300", "SqsManagedSseEnabled": "false"}
    assert sse(sqs, url) == by_key
    sqs.set(url, KmsDataKeyReusePeriodSeconds="86400")
    assert sse(sqs, url) == {**by_key, "KmsDataKeyReusePeriodSeconds": "86400"}
    sqs.set(url, KmsMasterKeyId="")
    assert sse(sqs, url) == {"SqsManagedSseEnabled": "true"}


def test_one_encryption_takes_the_others_place(sqs):
    url = sqs.queue(SqsManagedSseEnabled="false")
    assert sse(sqs, url) == {"SqsManagedSseEnabled": "false"}
    sqs.set(url, KmsMasterKeyId="1234abcd-12ab-34cd-56ef-1234567890ab")
    assert sse(sqs, url)["KmsMasterKeyId"] == "1234abcd-12ab-34cd-56ef-1234567890ab"
    sqs.set(url, SqsManagedSseEnabled="true")
    assert sse(sqs, url) == {"SqsManagedSseEnabled": "true"}


def test_both_encryptions_at_once(sqs):
    with refused("InvalidAttributeValue", says="one type of server-side encryption"):
        sqs.queue(KmsMasterKeyId="alias/a", SqsManagedSseEnabled="true")
    sqs.queue(KmsMasterKeyId="alias/a", SqsManagedSseEnabled="false")


@pytest.mark.parametrize(
    "name, value",
    [
        ("KmsMasterKeyId", "a b"),
        ("KmsMasterKeyId", "x" * 2049),
        ("KmsDataKeyReusePeriodSeconds", "59"),
        ("KmsDataKeyReusePeriodSeconds", "86401"),
        ("KmsDataKeyReusePeriodSeconds", ""),
        ("KmsDataKeyReusePeriodSeconds", "x"),
        ("SqsManagedSseEnabled", "perhaps"),
        ("SqsManagedSseEnabled", ""),
        ("SqsManagedSseEnabled", "TRUE"),
    ],
)
def test_encryption_that_is_refused(sqs, name, value):
    with refused("InvalidAttributeValue", says=name):
        sqs.queue(**{name: value})


def test_high_throughput_of_a_fifo_queue(sqs):
    url = sqs.fifo()
    found = sqs.attributes(url, "DeduplicationScope", "FifoThroughputLimit")
    assert found == {"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
    sqs.set(url, DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    found = sqs.attributes(url, "DeduplicationScope", "FifoThroughputLimit")
    assert found == {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    with refused("InvalidAttributeValue", says="DeduplicationScope"):
        sqs.set(url, DeduplicationScope="queue")


def test_throughput_per_group_needs_the_scope(sqs):
    with refused("InvalidAttributeValue", says="messageGroup"):
        sqs.fifo(FifoThroughputLimit="perMessageGroupId")


@pytest.mark.parametrize("name", ["DeduplicationScope", "FifoThroughputLimit"])
@pytest.mark.parametrize("value", ["", "x", "messagegroup", "PERQUEUE"])
def test_scopes_that_are_none(sqs, name, value):
    with refused("InvalidAttributeValue", says=name):
        sqs.fifo(**{name: value})


@pytest.mark.parametrize("name, value", [("DeduplicationScope", "queue"), ("FifoThroughputLimit", "perQueue")])
def test_scopes_on_a_standard_queue(sqs, name, value):
    with refused("InvalidAttributeName", "InvalidAttributeValue", says=name):
        sqs.queue(**{name: value})


ATTRIBUTES = {
    "DelaySeconds": ("1", "2"),
    "KmsMasterKeyId": ("alias/a", "alias/b"),
    "KmsDataKeyReusePeriodSeconds": ("60", "61"),
    "SqsManagedSseEnabled": ("false", "true"),
    "RedriveAllowPolicy": (allow("denyAll"), allow("allowAll")),
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_creating_again_compares_each_attribute(sqs, name):
    queue, (first, other) = sqs.name(), ATTRIBUTES[name]
    sqs.client.create_queue(QueueName=queue, Attributes={name: first})
    sqs.client.create_queue(QueueName=queue, Attributes={name: first})
    sqs.client.create_queue(QueueName=queue)
    with refused("QueueNameExists", says=name):
        sqs.client.create_queue(QueueName=queue, Attributes={name: other})


def test_creating_again_with_the_defaults_said_aloud(sqs):
    queue = sqs.name()
    sqs.client.create_queue(QueueName=queue)
    defaults = {"SqsManagedSseEnabled": "true", "KmsDataKeyReusePeriodSeconds": "300", "KmsMasterKeyId": ""}
    sqs.client.create_queue(QueueName=queue, Attributes=defaults)
