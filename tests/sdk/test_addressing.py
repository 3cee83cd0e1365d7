"""Whose queue a request means: by path, by host, by access key, by region; and the URLs given back."""

import json
import urllib.request

import pytest
from harness import wire
from harness.face import ACCOUNT, QUERY, REGION, Face, refused

OTHER = "123456789012"
FAR = "eu-west-1"


def named(sqs, account: str = ACCOUNT, region: str = REGION) -> tuple[Face, str]:
    """A face of that account and region, and the name of a new queue of its."""
    face = Face(sqs.url, key=account, region=region)
    return face, face.queue().rsplit("/", 1)[1]


def scope(account: str, region: str) -> str:
    return wire.AUTHORIZATION.replace("test/20260101/us-east-1", f"{account}/20260101/{region}")


def send_to(sqs, queue_url: str, **headers: str) -> wire.Answer:
    body = json.dumps({"QueueUrl": queue_url, "MessageBody": queue_url}).encode()
    return wire.exchange(sqs.url, wire.request(body, "AmazonSQS.SendMessage", **headers))


def test_a_twelve_digit_key_is_its_account(sqs):
    face, name = named(sqs, OTHER)
    url = face.client.get_queue_url(QueueName=name)["QueueUrl"]
    assert url == f"{sqs.url}/{OTHER}/{name}"
    assert face.arn(url) == f"arn:aws:sqs:{REGION}:{OTHER}:{name}"
    assert face.receive(url) == []


@pytest.mark.parametrize("key", ["test", "AKIAIOSFODNN7EXAMPLE", "12345678901", "1234567890123", "12345678901x"])
def test_any_other_key_is_the_default_account(sqs, key):
    face, name = named(sqs, key)
    assert face.client.get_queue_url(QueueName=name)["QueueUrl"] == f"{sqs.url}/{ACCOUNT}/{name}"
    assert sqs.client.get_queue_url(QueueName=name)["QueueUrl"] == f"{sqs.url}/{ACCOUNT}/{name}"


@pytest.mark.parametrize("account, region", [(OTHER, REGION), (ACCOUNT, FAR), (OTHER, FAR)])
def test_each_account_and_region_is_its_own_world(sqs, account, region):
    name = sqs.name()
    here = sqs.client.create_queue(QueueName=name)["QueueUrl"]
    there_face = Face(sqs.url, key=account, region=region)
    with refused("QueueDoesNotExist"):
        there_face.client.get_queue_url(QueueName=name)
    there = there_face.client.create_queue(QueueName=name, Attributes={"DelaySeconds": "0"})["QueueUrl"]
    sqs.send(here, "here")
    there_face.send(there, "there")
    assert sqs.receive_one(here)["Body"] == "here"
    assert there_face.receive_one(there)["Body"] == "there"
    assert there_face.client.list_queues(QueueNamePrefix=name)["QueueUrls"] == [there]
    assert sqs.client.list_queues(QueueNamePrefix=name)["QueueUrls"] == [here]
    there_face.client.delete_queue(QueueUrl=there)
    assert sqs.client.get_queue_url(QueueName=name)["QueueUrl"] == here


def test_a_receipt_is_good_for_its_own_world_only(sqs):
    here = sqs.queue()
    there_face, name = named(sqs, OTHER)
    there = f"{sqs.url}/{OTHER}/{name}"
    sqs.send(here)
    handle = sqs.receive_one(here)["ReceiptHandle"]
    with refused("ReceiptHandleIsInvalid"):
        there_face.client.delete_message(QueueUrl=there, ReceiptHandle=handle)
    sqs.client.delete_message(QueueUrl=here, ReceiptHandle=handle)


def test_the_sender_is_the_account_that_sent(sqs):
    face, name = named(sqs, OTHER)
    url = f"{sqs.url}/{OTHER}/{name}"
    face.send(url)
    assert face.receive_one(url)["Attributes"]["SenderId"] == OTHER


def test_the_url_of_an_other_owners_queue(sqs):
    _, name = named(sqs, OTHER)
    url = sqs.client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=OTHER)["QueueUrl"]
    assert url == f"{sqs.url}/{OTHER}/{name}"
    with refused("QueueDoesNotExist"):
        sqs.client.get_queue_url(QueueName=name)
    with refused("QueueDoesNotExist"):
        sqs.client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId="999999999999")


@pytest.mark.parametrize("owner", ["", "1", "12345678901x", "1234567890123"])
def test_an_owner_that_is_no_account(sqs, owner):
    with refused("InvalidParameterValue", says="QueueOwnerAWSAccountId"):
        sqs.client.get_queue_url(QueueName=sqs.name(), QueueOwnerAWSAccountId=owner)


FORMS = [
    "http://127.0.0.1:1/{account}/{name}",
    "http://localhost:4566/{account}/{name}",
    "https://sqs.{region}.amazonaws.com/{account}/{name}",
    "http://sqs.{region}.localhost.localstack.cloud:4566/{account}/{name}",
    "http://{region}.queue.localhost.localstack.cloud:4566/{account}/{name}",
    "https://{region}.queue.amazonaws.com/{account}/{name}",
    "http://localhost:4566/queue/{region}/{account}/{name}",
    "/{account}/{name}",
    "/queue/{region}/{account}/{name}",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_queue_url_of_any_form(sqs, form):
    face, name = named(sqs, OTHER, FAR)
    url = form.format(account=OTHER, region=FAR, name=name)
    answer = send_to(sqs, url, Authorization=scope(OTHER, FAR))
    assert answer.status == 200, answer
    assert face.receive_one(f"{sqs.url}/{OTHER}/{name}")["Body"] == url


@pytest.mark.parametrize("form", [form for form in FORMS if "region" in form])
def test_the_region_of_the_queue_url_wins(sqs, form):
    face, name = named(sqs, ACCOUNT, FAR)
    answer = send_to(sqs, form.format(account=ACCOUNT, region=FAR, name=name))
    assert answer.status == 200, answer
    assert len(face.receive(f"{sqs.url}/{ACCOUNT}/{name}")) == 1


@pytest.mark.parametrize("form", [form for form in FORMS if "region" not in form])
def test_without_a_region_it_is_the_scopes(sqs, form):
    _, name = named(sqs, ACCOUNT, FAR)
    answer = send_to(sqs, form.format(account=ACCOUNT, name=name))
    assert answer.error == "QueueDoesNotExist"


@pytest.mark.parametrize(
    "host, region",
    [
        ("sqs.eu-west-1.localhost.localstack.cloud:4566", "eu-west-1"),
        ("eu-west-1.queue.localhost.localstack.cloud:4566", "eu-west-1"),
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("localhost.localstack.cloud:4566", REGION),
        ("sqs.localhost.localstack.cloud:4566", REGION),
        ("my-container:4566", REGION),
        ("[::1]:4566", REGION),
    ],
)
def test_urls_echo_the_host_which_may_name_the_region(sqs, host, region):
    """Nobody signed, so nothing but the host can say it."""
    name = sqs.name()
    params = {"Action": "CreateQueue", "QueueName": name}
    answer = wire.query(sqs.url, params, Authorization=None, Host=host)
    assert answer.texts("QueueUrl") == [f"http://{host}/{ACCOUNT}/{name}"]
    face = Face(sqs.url, region=region)
    assert face.arn(f"{sqs.url}/{ACCOUNT}/{name}") == f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"


def test_the_scope_wins_over_the_host(sqs):
    name = sqs.name()
    params = {"Action": "CreateQueue", "QueueName": name}
    answer = wire.query(sqs.url, params, Authorization=scope(OTHER, FAR), Host="sqs.us-west-2.amazonaws.com")
    assert answer.texts("QueueUrl") == [f"http://sqs.us-west-2.amazonaws.com/{OTHER}/{name}"]
    assert Face(sqs.url, key=OTHER, region=FAR).receive(f"{sqs.url}/{OTHER}/{name}") == []


@pytest.mark.parametrize("host", ["a b", 'a"b', "a/b", "<x>", "x" * 300, ""])
def test_a_host_that_is_none_is_not_echoed(sqs, host):
    answer = wire.exchange(sqs.url, wire.form({"Action": "CreateQueue", "QueueName": sqs.name()}, Host=host))
    assert answer.status == 400 or answer.texts("QueueUrl")[0].startswith(f"http://127.0.0.1/{ACCOUNT}/")


@pytest.mark.parametrize("form", ["/{account}/{name}", "/queue/{region}/{account}/{name}"])
def test_an_action_by_path(sqs, form):
    face, name = named(sqs, OTHER, FAR)
    path = form.format(account=OTHER, region=FAR, name=name)
    params = {"Action": "SendMessage", "MessageBody": path}
    answer = wire.query(sqs.url, params, path, Authorization=scope(OTHER, FAR))
    assert answer.status == 200, answer
    assert face.receive_one(f"{sqs.url}/{OTHER}/{name}")["Body"] == path


def test_a_region_path_needs_no_scope(sqs):
    face, name = named(sqs, OTHER, FAR)
    path = f"/queue/{FAR}/{OTHER}/{name}?Action=SendMessage&MessageBody=x"
    assert wire.get(sqs.url, path).status == 200
    assert len(face.receive(f"{sqs.url}/{OTHER}/{name}")) == 1


@pytest.mark.skipif(not QUERY, reason="only the Query protocol's SDK presigns for SQS")
def test_a_presigned_request(sqs):
    face, name = named(sqs, OTHER, FAR)
    url = f"{sqs.url}/{OTHER}/{name}"
    params = {"QueueUrl": url, "MessageBody": "by a presigned url"}
    with urllib.request.urlopen(face.client.generate_presigned_url("send_message", params, HttpMethod="GET")) as answer:
        assert b"<SendMessageResult>" in answer.read()
    assert face.receive_one(url)["Body"] == "by a presigned url"


@pytest.mark.parametrize("policy", [f"arn:aws:sqs:{FAR}:{ACCOUNT}:", f"arn:aws:sqs:{REGION}:{OTHER}:"])
def test_a_dead_letter_queue_of_another_world(sqs, policy):
    name = sqs.queue().rsplit("/", 1)[1]
    redrive = json.dumps({"deadLetterTargetArn": policy + name, "maxReceiveCount": 1})
    with refused("InvalidParameterValue", "InvalidAttributeValue"):
        sqs.queue(RedrivePolicy=redrive)
