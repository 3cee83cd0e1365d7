"""What entered by another face is readable here while it lives."""

import json
from urllib.parse import quote

import pytest
from harness.native import fresh, problem
from harness.subscription import Subscription, put, sqs_of, works

FULL = "aws/000000000000/us-east-1/queue/"


@pytest.fixture(scope="module")
def sqs(server):
    return sqs_of(server.url)


def read(api, queue: str, **parameters) -> dict:
    return api.read(f"/v1/queues/{quote(queue, safe='')}/events", **parameters)


def test_messages_of_sqs_are_events_until_they_are_deleted(api, sqs):
    name = fresh()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = {"colour": {"DataType": "String", "StringValue": "red"}}
    sent = sqs.send_message(QueueUrl=url, MessageBody='{"n":1}', MessageAttributes=attributes)
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
    (received,) = sqs.receive_message(QueueUrl=url)["Messages"]
    page = read(api, name)
    assert page == read(api, FULL + name), "by its full name too"
    one, two, three = page["messages"]
    assert (one["number"], two["number"], three["number"], page["next"]) == (1, 2, 3, None)
    assert one["event"]["id"] == sent["MessageId"] and one["event"]["data"] == {"n": 1}
    assert one["event"]["type"] == "lineside.queue.message.v1"
    assert (one["event"]["stream"], one["event"]["streamversion"]) == (FULL + name, "1")
    assert one["attributes"] == {"colour": {"type": "String", "value": "red"}}
    assert two["event"]["data"] == "hello" and two["event"]["datacontenttype"] == "text/plain"
    states = {one["event"]["id"]: one["state"] for one in page["messages"]}
    assert states[received["MessageId"]] == "in-flight"
    assert sorted(states.values()) == ["delayed", "in-flight", "waiting"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    left = read(api, name)["messages"]
    assert received["MessageId"] not in {one["event"]["id"] for one in left} and len(left) == 2


def test_a_queue_that_is_fed_holds_the_events_themselves(api, sqs):
    tag, name = fresh(), fresh()
    sqs.create_queue(QueueName=name)
    number = put(api, tag, ("a", {"x": 1}))["last"]
    fed = Subscription(api, query=works(tag), queue=name)
    while fed.get()["behind"] and not fed.get()["fed"]:
        pass
    (message,) = read(api, name)["messages"]
    assert message["event"] == json.loads(api.call("GET", f"/v1/events/{number}").body)


def test_pages_and_what_is_not_there(api, sqs):
    name = fresh() + ".fifo"
    url = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    for n in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=str(n), MessageGroupId=f"g{n % 2}", MessageDeduplicationId=str(n))
    first = read(api, name, limit=2)
    assert [one["group"] for one in first["messages"]] == ["g0", "g1"]
    rest = read(api, name, **{"from": first["next"]})
    assert [one["event"]["data"] for one in rest["messages"]] == [2, 3, 4] and rest["next"] is None
    problem(api.call("GET", f"/v1/queues/{fresh()}/events"), 404, "no-such-queue")
    problem(api.call("GET", "/v1/queues/native%2Fdefault/events"), 404, "no-such-queue")
    problem(api.call("GET", f"/v1/queues/{name}/events?limit=65"), 400, "invalid-parameter")
    problem(api.call("GET", f"/v1/queues/{name}/events?form=1"), 400, "unknown-parameter")
    problem(api.call("GET", f"/v1/queues/{name}"), 404, "no-such-path")
    problem(api.call("POST", f"/v1/queues/{name}/events", {}), 405, "method-not-allowed")
