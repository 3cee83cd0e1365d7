"""`/_aws/sqs/messages`: a look at a queue that leaves it as it is, as LocalStack's users know it."""

import json
from urllib.parse import quote, urlencode

import pytest
from harness import digest, wire
from harness.face import ACCOUNT, REGION, Face, client
from harness.server import serve

PATH = "/_aws/sqs/messages"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793"


def look(sqs, url: str, path: str = PATH, **more: str) -> wire.Answer:
    return wire.get(sqs.url, f"{path}?{urlencode({'QueueUrl': url, **more})}")


def bodies(answer: wire.Answer) -> list[str]:
    assert answer.status == 200, answer
    return answer.texts("Body")


def in_json(sqs, path: str) -> list[dict]:
    answer = wire.get(sqs.url, path, Accept="application/json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), answer
    whole = answer.json["ReceiveMessageResponse"]
    assert whole["ResponseMetadata"]["RequestId"] == answer.headers["x-amzn-requestid"]
    found = (whole["ReceiveMessageResult"] or {"Message": []})["Message"]
    return found if isinstance(found, list) else [found]


def attributes(message: dict) -> dict:
    return {one["Name"]: one["Value"] for one in message["Attribute"]}


def test_all_that_waits(sqs):
    url = sqs.queue()
    for n in range(25):
        sqs.send(url, f"m{n}")
    assert bodies(look(sqs, url)) == [f"m{n}" for n in range(25)]


def test_more_than_a_page(sqs):
    url = sqs.queue()
    for first in range(0, 250, 10):
        sqs.send_batch(url, [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(first, first + 10)])
    answer = look(sqs, url)
    assert bodies(answer) == [f"m{n}" for n in range(250)]
    assert "x-lineside-truncated" not in answer.headers


def test_an_empty_queue(sqs):
    url = sqs.queue()
    assert bodies(look(sqs, url)) == []
    assert in_json(sqs, f"{PATH}?QueueUrl={quote(url)}") == []


def test_it_touches_nothing(timed):
    url = timed.queue()
    timed.send(url, "waits")
    timed.send(url, "late", DelaySeconds=60)
    timed.send(url, "held")
    held = next(m for m in timed.receive(url, 2) if m["Body"] == "held")
    timed.client.change_message_visibility(QueueUrl=url, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=100)
    before = timed.attributes(url)
    for _ in range(5):
        look(timed, url, ShowInvisible="true", ShowDelayed="true")
    assert timed.attributes(url) == before
    timed.advance("61s")
    counts = {m["Body"]: m["Attributes"]["ApproximateReceiveCount"] for m in timed.receive(url)}
    assert counts == {"waits": "2", "late": "1"}
    timed.delete(url, held)


@pytest.mark.parametrize(
    "flags, seen",
    [
        ({}, {"waits"}),
        ({"ShowInvisible": "false", "ShowDelayed": "0"}, {"waits"}),
        ({"ShowInvisible": "true"}, {"waits", "held"}),
        ({"ShowDelayed": "true"}, {"waits", "late"}),
        ({"ShowInvisible": "True", "ShowDelayed": "1"}, {"waits", "held", "late"}),
    ],
)
def test_what_is_in_flight_or_delayed_is_shown_to_who_asks(timed, flags, seen):
    url = timed.queue()
    timed.send(url, "held")
    timed.receive_one(url)
    timed.send(url, "waits")
    timed.send(url, "late", DelaySeconds=60)
    assert set(bodies(look(timed, url, **flags))) == seen


def test_each_says_whether_it_is_visible_or_delayed(timed):
    url = timed.queue()
    timed.send(url, "held")
    timed.receive_one(url)
    timed.send(url, "waits")
    timed.send(url, "late", DelaySeconds=60)
    flags = "ShowInvisible=true&ShowDelayed=true"
    found = in_json(timed, f"{PATH}?QueueUrl={quote(url)}&{flags}")
    states = {m["Body"]: (attributes(m)["IsVisible"], attributes(m)["IsDelayed"]) for m in found}
    assert states == {"held": ("false", "false"), "waits": ("true", "false"), "late": ("false", "true")}


def test_everything_of_a_message(timed):
    url = timed.fifo()
    sent = timed.send(
        url,
        "hello",
        MessageGroupId="g",
        MessageDeduplicationId="d",
        MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}},
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
    )
    timed.receive_one(url, VisibilityTimeout=0)
    (message,) = in_json(timed, f"{PATH}?QueueUrl={quote(url)}")
    found = attributes(message)
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "hello"
    assert message["MD5OfBody"] == digest.of_body("hello")
    assert message["MessageAttribute"] == {"Name": "colour", "Value": {"DataType": "String", "StringValue": "red"}}
    assert found["SequenceNumber"] == sent["SequenceNumber"]
    assert (found["MessageGroupId"], found["MessageDeduplicationId"]) == ("g", "d")
    assert (found["SenderId"], found["AWSTraceHeader"]) == (ACCOUNT, TRACE)
    assert found["ApproximateReceiveCount"] == "1"
    assert int(found["ApproximateFirstReceiveTimestamp"]) >= int(found["SentTimestamp"])


def test_a_message_never_received_was_first_received_in_1970(sqs):
    """As LocalStack has it; a receive would say nothing of it."""
    url = sqs.queue()
    sqs.send(url)
    (message,) = in_json(sqs, f"{PATH}?QueueUrl={quote(url)}")
    assert attributes(message)["ApproximateFirstReceiveTimestamp"] == "0"
    assert attributes(message)["ApproximateReceiveCount"] == "0"


def test_the_queue_in_the_path(sqs):
    far = Face(sqs.url, key="123456789012", region="eu-west-1")
    url = far.queue()
    far.send(url, "far away")
    path = f"{PATH}/eu-west-1/123456789012/{url.rsplit('/', 1)[1]}"
    assert bodies(wire.get(sqs.url, path)) == ["far away"]
    assert [m["Body"] for m in in_json(sqs, path)] == ["far away"]
    answer = wire.get(sqs.url, path.replace("eu-west-1", REGION))
    assert (answer.status, answer.code) == (400, "AWS.SimpleQueueService.NonExistentQueue")


def test_an_sdk_with_it_as_its_endpoint(sqs):
    """boto3 posts JSON or a form, by its version; the answer is that of ReceiveMessage."""
    url = sqs.queue()
    for n in range(12):
        sqs.send(url, f"m{n}")
    peeker = client(sqs.url + PATH)
    for _ in range(2):
        found = peeker.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
        assert [m["Body"] for m in found] == [f"m{n}" for n in range(12)]
    assert {m["Attributes"]["ApproximateReceiveCount"] for m in found} == {"0"}


def test_a_form_and_a_json_post(sqs):
    url = sqs.queue()
    sqs.send(url, "x")
    form = wire.query(sqs.url, {"QueueUrl": url}, PATH, Authorization=None)
    assert bodies(form) == ["x"]
    data = json.dumps({"QueueUrl": url}).encode()
    request = wire.request(data, "AmazonSQS.ReceiveMessage").replace(b"POST / ", f"POST {PATH} ".encode())
    answer = wire.exchange(sqs.url, request)
    assert [m["Body"] for m in answer.json["Messages"]] == ["x"]


def test_its_receipts_are_good_for_nothing(sqs):
    url = sqs.queue()
    sqs.send(url)
    sqs.receive_one(url)
    answer = look(sqs, url, ShowInvisible="true")
    (handle,) = answer.texts("ReceiptHandle")
    refused = wire.call(sqs.url, "DeleteMessage", {"QueueUrl": url, "ReceiptHandle": handle})
    assert refused.error == "ReceiptHandleIsInvalid"


def test_what_is_refused(sqs):
    url = sqs.queue()
    missing = wire.get(sqs.url, PATH)
    assert (missing.status, missing.code) == (400, "MissingParameter")
    gone = look(sqs, f"{sqs.url}/{ACCOUNT}/{sqs.name()}")
    assert (gone.status, gone.code) == (400, "AWS.SimpleQueueService.NonExistentQueue")
    flag = look(sqs, url, ShowInvisible="perhaps")
    assert (flag.status, flag.code) == (400, "InvalidParameterValue")
    address = look(sqs, "http://x/a b")
    assert (address.status, address.code) == (404, "InvalidAddress")
    for path in (f"{PATH}/", f"{PATH}/x/y/z/", f"{PATH}/%00"):
        assert 400 <= wire.get(sqs.url, path).status < 500
    assert wire.get(sqs.url, PATH + "x").status == 404


def test_an_error_for_who_accepts_json(sqs):
    answer = wire.get(sqs.url, PATH, Accept="application/json")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    error = answer.json["ErrorResponse"]["Error"]
    assert (error["Code"], error["Type"]) == ("MissingParameter", "Sender")
    assert error["Message"] == "The request must contain the parameter QueueUrl."


def test_in_json_one_alone_is_no_list_and_nothing_is_null(sqs):
    """As LocalStack writes it, which knows no shapes here."""
    url = sqs.queue()
    path = f"{PATH}?QueueUrl={quote(url)}"

    def result() -> dict:
        answer = wire.get(sqs.url, path, Accept="application/json").json
        return answer["ReceiveMessageResponse"]["ReceiveMessageResult"]

    assert result() is None
    sqs.send(url, "one")
    assert result()["Message"]["Body"] == "one"
    sqs.send(url, "two")
    assert [message["Body"] for message in result()["Message"]] == ["one", "two"]


def test_a_dead_letter_says_where_it_came_from(sqs):
    dead = sqs.queue()
    url = sqs.queue(RedrivePolicy=sqs.redrive(dead, 1))
    sqs.send(url)
    sqs.receive_one(url, VisibilityTimeout=0)
    assert sqs.receive(url) == []
    (message,) = in_json(sqs, f"{PATH}?QueueUrl={quote(dead)}")
    assert attributes(message)["DeadLetterQueueSourceArn"] == sqs.arn(url)


def test_an_expired_message_is_not_shown(timed):
    url = timed.queue(MessageRetentionPeriod="60")
    timed.send(url)
    timed.advance("61s")
    assert bodies(look(timed, url, ShowInvisible="true", ShowDelayed="true")) == []


def test_at_most_ten_thousand_messages_and_a_word_that_there_are_more(own_server):
    sqs = Face(own_server.url)
    url, line = sqs.queue(), wire.Line(own_server.url)
    for first in range(0, 10_200, 10):
        entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(first, first + 10)]
        line.call("SendMessageBatch", {"QueueUrl": url, "Entries": entries})
    line.close()
    answer = look(sqs, url)
    assert answer.headers["x-lineside-truncated"] == "true"
    assert bodies(answer) == [f"m{n}" for n in range(10_000)]


KEYS = ("--auth", "sigv4", "--access-key", "AKIDOWNER:owner-secret")


def test_behind_a_gate_nobody_looks_who_may_not_receive(tmp_path):
    for server in serve(tmp_path, *KEYS):
        answer = wire.get(server.url, f"{PATH}/{REGION}/{ACCOUNT}/q")
        assert (answer.status, answer.code) == (403, "MissingAuthenticationToken"), answer
        wrong = wire.get(server.url, f"{PATH}/{REGION}/{ACCOUNT}/q", Authorization=wire.AUTHORIZATION)
        assert wrong.status in (400, 403), wrong
