"""CreateQueue, GetQueueUrl, ListQueues, DeleteQueue."""

import uuid

import pytest
from harness.face import ACCOUNT, REGION, Face, refused


def test_create_answers_a_url_on_the_callers_own_host(sqs):
    name = sqs.name()
    url = sqs.client.create_queue(QueueName=name)["QueueUrl"]
    assert url == f"{sqs.url}/{url.split('/')[-2]}/{name}"
    assert len(url.split("/")[-2]) == 12


def test_create_again_with_the_same_attributes_is_the_same_queue(sqs):
    name = sqs.name()
    first = sqs.client.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"})
    again = sqs.client.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"})
    without = sqs.client.create_queue(QueueName=name)
    assert first["QueueUrl"] == again["QueueUrl"] == without["QueueUrl"]


def test_create_again_with_another_attribute_is_refused(sqs):
    name = sqs.name()
    sqs.client.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"})
    with refused("QueueNameExists"):
        sqs.client.create_queue(QueueName=name, Attributes={"DelaySeconds": "6"})


def test_a_modelled_error_is_the_sdks_own_exception(sqs):
    with pytest.raises(sqs.client.exceptions.QueueDoesNotExist):
        sqs.client.get_queue_url(QueueName=sqs.name())


@pytest.mark.parametrize("name", ["a", "A-z_0-9", "x" * 80])
def test_names_that_are_allowed(sqs, name):
    sqs.client.create_queue(QueueName=name)
    assert sqs.client.get_queue_url(QueueName=name)["QueueUrl"].endswith("/" + name)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../../etc/passwd", "ä", "a.b", "x" * 81, "a\0b"])
def test_names_that_are_not_allowed(sqs, name):
    with refused("InvalidParameterValue", "MissingParameter"):
        sqs.client.create_queue(QueueName=name)


def test_a_fifo_queue_needs_the_suffix(sqs):
    with refused("InvalidParameterValue"):
        sqs.client.create_queue(QueueName=f"q-{uuid.uuid4().hex}", Attributes={"FifoQueue": "true"})


def test_the_suffix_needs_a_fifo_queue(sqs):
    with refused("InvalidParameterValue"):
        sqs.client.create_queue(QueueName=sqs.name(fifo=True))


def test_create_without_a_name(sqs):
    with refused("MissingParameter"):
        sqs.unchecked.create_queue()


def test_get_url_of_a_queue(sqs):
    url = sqs.queue()
    assert sqs.client.get_queue_url(QueueName=url.rsplit("/", 1)[1])["QueueUrl"] == url


def test_get_url_naming_the_owner(sqs):
    url = sqs.queue()
    account, name = url.split("/")[-2:]
    assert sqs.client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"] == url


def test_get_url_of_no_queue(sqs):
    with refused("QueueDoesNotExist", says="does not exist"):
        sqs.client.get_queue_url(QueueName=sqs.name())


def test_list_by_prefix(sqs):
    prefix = f"list-{uuid.uuid4().hex[:8]}-"
    urls = [sqs.client.create_queue(QueueName=f"{prefix}{n}")["QueueUrl"] for n in range(3)]
    sqs.queue()
    assert sorted(sqs.client.list_queues(QueueNamePrefix=prefix)["QueueUrls"]) == urls


def test_list_of_nothing_has_no_member(sqs):
    answer = sqs.client.list_queues(QueueNamePrefix=sqs.name())
    assert "QueueUrls" not in answer and "NextToken" not in answer


def test_list_by_pages_sees_each_queue_once(sqs):
    prefix = f"page-{uuid.uuid4().hex[:8]}-"
    urls = [sqs.client.create_queue(QueueName=f"{prefix}{n}")["QueueUrl"] for n in range(7)]
    pages = sqs.client.get_paginator("list_queues").paginate(
        QueueNamePrefix=prefix, PaginationConfig={"PageSize": 3}
    )
    sizes, seen = [], []
    for page in pages:
        sizes.append(len(page.get("QueueUrls", [])))
        seen += page.get("QueueUrls", [])
    assert sorted(seen) == urls
    assert max(sizes) == 3


@pytest.mark.parametrize("count", [0, 1001, -1])
def test_list_page_size_out_of_range(sqs, count):
    with refused("InvalidParameterValue"):
        sqs.client.list_queues(MaxResults=count)


def test_list_with_a_token_that_nobody_gave(sqs):
    with refused("InvalidParameterValue"):
        sqs.client.list_queues(MaxResults=1, NextToken="not-a-token")


def test_delete_takes_the_queue_and_its_messages_away(sqs):
    url = sqs.queue()
    sqs.send(url)
    sqs.client.delete_queue(QueueUrl=url)
    with refused("QueueDoesNotExist"):
        sqs.receive(url)
    with refused("QueueDoesNotExist"):
        sqs.client.get_queue_url(QueueName=url.rsplit("/", 1)[1])


def test_create_within_a_minute_of_the_deletion_is_refused(timed):
    url = timed.queue()
    timed.send(url, "of the first life")
    name = url.rsplit("/", 1)[1]
    timed.client.delete_queue(QueueUrl=url)
    with refused("QueueDeletedRecently", says="60 seconds"):
        timed.client.create_queue(QueueName=name)
    timed.advance("61s")
    again = timed.client.create_queue(QueueName=name)["QueueUrl"]
    assert timed.receive(again) == []


OPERATIONS = {
    "delete_queue": {},
    "purge_queue": {},
    "get_queue_attributes": {"AttributeNames": ["All"]},
    "set_queue_attributes": {"Attributes": {"DelaySeconds": "1"}},
    "send_message": {"MessageBody": "x"},
    "send_message_batch": {"Entries": [{"Id": "a", "MessageBody": "x"}]},
    "receive_message": {},
    "delete_message": {"ReceiptHandle": "x"},
    "delete_message_batch": {"Entries": [{"Id": "a", "ReceiptHandle": "x"}]},
    "change_message_visibility": {"ReceiptHandle": "x", "VisibilityTimeout": 1},
    "change_message_visibility_batch": {
        "Entries": [{"Id": "a", "ReceiptHandle": "x", "VisibilityTimeout": 1}]
    },
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_on_a_missing_queue(sqs, operation):
    missing = f"{sqs.url}/{ACCOUNT}/{sqs.name()}"
    with refused("QueueDoesNotExist", says="does not exist"):
        getattr(sqs.client, operation)(QueueUrl=missing, **OPERATIONS[operation])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_without_a_queue(sqs, operation):
    with refused("MissingParameter"):
        getattr(sqs.unchecked, operation)(**OPERATIONS[operation])


@pytest.mark.parametrize("url", ["x", "http://", "/", "::", "http://127.0.0.1/a/b/c/d", "\0"])
def test_a_queue_url_that_is_none(sqs, url):
    with refused("QueueDoesNotExist", "InvalidAddress", "InvalidParameterValue"):
        sqs.unchecked.send_message(QueueUrl=url, MessageBody="x")


def test_the_queue_is_told_by_the_path_whatever_the_host(sqs):
    """A URL kept from another host name or port of the same server still works."""
    url = sqs.queue()
    account, name = url.split("/")[-2:]
    sqs.send(f"http://sqs.{REGION}.amazonaws.com/{account}/{name}", "by another name")
    assert sqs.receive_one(url)["Body"] == "by another name"


def test_localhost_gets_urls_on_localhost(sqs):
    if not sqs.url.startswith("http://127.0.0.1:"):
        pytest.skip("the endpoint is not on 127.0.0.1")
    other = Face(sqs.url.replace("127.0.0.1", "localhost"))
    assert other.queue().startswith(other.url + "/")
