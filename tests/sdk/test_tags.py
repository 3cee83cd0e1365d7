"""TagQueue, UntagQueue, ListQueueTags, and tags at creation."""

import pytest
from harness.face import ACCOUNT, refused


def tags(sqs, url: str) -> dict:
    return sqs.client.list_queue_tags(QueueUrl=url).get("Tags", {})


def tag(sqs, url: str, **given: str) -> None:
    sqs.client.tag_queue(QueueUrl=url, Tags=given)


def test_a_queue_without_tags_has_no_member(sqs):
    assert "Tags" not in sqs.client.list_queue_tags(QueueUrl=sqs.queue())


def test_set_change_and_take_away(sqs):
    url = sqs.queue()
    tag(sqs, url, team="orders", stage="test")
    tag(sqs, url, stage="live", cost="1")
    assert tags(sqs, url) == {"team": "orders", "stage": "live", "cost": "1"}
    sqs.client.untag_queue(QueueUrl=url, TagKeys=["team", "cost", "never-there"])
    assert tags(sqs, url) == {"stage": "live"}


def test_keys_are_case_sensitive_and_values_may_be_empty(sqs):
    url = sqs.queue()
    tag(sqs, url, Team="", team="x")
    assert tags(sqs, url) == {"Team": "", "team": "x"}


def test_tags_at_creation(sqs):
    url = sqs.client.create_queue(QueueName=sqs.name(), tags={"a": "1", "b": "2"})["QueueUrl"]
    assert tags(sqs, url) == {"a": "1", "b": "2"}


def test_creating_again_with_other_tags_finds_the_queue_and_changes_nothing(sqs):
    name = sqs.name()
    first = sqs.client.create_queue(QueueName=name, tags={"a": "1"})["QueueUrl"]
    assert sqs.client.create_queue(QueueName=name, tags={"b": "2"})["QueueUrl"] == first
    assert tags(sqs, first) == {"a": "1"}


@pytest.mark.parametrize("key", ["a", "x" * 128, "a b", "äß語", "_.:/=+-@"])
@pytest.mark.parametrize("value", ["", "x" * 256, "äß語 _.:/=+-@"], ids=["empty", "longest", "mixed"])
def test_what_is_allowed(sqs, key, value):
    url = sqs.queue()
    tag(sqs, url, **{key: value})
    assert tags(sqs, url) == {key: value}


@pytest.mark.parametrize("key", ["", "x" * 129, "aws:a", "AWS:a", "a\0", "a<b", "a#b"])
def test_keys_that_are_refused(sqs, key):
    url = sqs.queue()
    with refused("InvalidParameterValue", says="key"):
        tag(sqs, url, **{"good": "1", key: "x"})
    assert tags(sqs, url) == {}
    with refused("InvalidParameterValue", says="key"):
        sqs.client.untag_queue(QueueUrl=url, TagKeys=["good", key])
    with refused("InvalidParameterValue", says="key"):
        sqs.client.create_queue(QueueName=sqs.name(), tags={key: "x"})


@pytest.mark.parametrize("value", ["x" * 257, "a\0", "<>", "a,b"])
def test_values_that_are_refused(sqs, value):
    with refused("InvalidParameterValue", says="value"):
        tag(sqs, sqs.queue(), a=value)


def test_fifty_tags_and_no_more(sqs):
    url = sqs.queue()
    tag(sqs, url, **{f"k{n}": "x" for n in range(50)})
    tag(sqs, url, k7="another value of one that is there")
    with refused("InvalidParameterValue", says=f"Too many tags added for queue {url.rsplit('/', 1)[1]}."):
        tag(sqs, url, one_more="x")
    assert len(tags(sqs, url)) == 50
    with refused("InvalidParameterValue", says="Too many tags added for queue"):
        sqs.client.create_queue(QueueName=sqs.name(), tags={f"k{n}": "x" for n in range(51)})


def test_what_is_missing(sqs):
    url = sqs.queue()
    with refused("MissingParameter", says="Tags"):
        sqs.unchecked.tag_queue(QueueUrl=url)
    with refused("MissingParameter", says="Tags"):
        sqs.client.tag_queue(QueueUrl=url, Tags={})
    with refused("MissingParameter", says="TagKeys"):
        sqs.unchecked.untag_queue(QueueUrl=url)
    with refused("MissingParameter", says="TagKeys"):
        sqs.client.untag_queue(QueueUrl=url, TagKeys=[])
    for operation, more in [("tag_queue", {"Tags": {"a": "1"}}), ("untag_queue", {"TagKeys": ["a"]}), ("list_queue_tags", {})]:
        with refused("MissingParameter", says="QueueUrl"):
            getattr(sqs.unchecked, operation)(**more)


@pytest.mark.parametrize(
    "operation, more", [("tag_queue", {"Tags": {"a": "1"}}), ("untag_queue", {"TagKeys": ["a"]}), ("list_queue_tags", {})]
)
def test_a_queue_that_is_not_there(sqs, operation, more):
    with refused("QueueDoesNotExist"):
        getattr(sqs.client, operation)(QueueUrl=f"{sqs.url}/{ACCOUNT}/{sqs.name()}", **more)


def test_tags_are_no_attributes(sqs):
    url = sqs.queue()
    before = sqs.attributes(url)
    tag(sqs, url, a="1")
    assert sqs.attributes(url) == before


def test_a_deleted_queue_takes_its_tags_along(timed):
    name = timed.name()
    url = timed.client.create_queue(QueueName=name, tags={"a": "1"})["QueueUrl"]
    timed.client.delete_queue(QueueUrl=url)
    timed.advance("61s")
    again = timed.client.create_queue(QueueName=name)["QueueUrl"]
    assert tags(timed, again) == {}
