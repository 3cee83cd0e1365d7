"""The Query protocol on the wire: what an SDK hides, and what no SDK would send.

That its SDK gets the right answers from every operation is what the other tests show when they run
under requirements-query.txt (`make test-query`); the requests here are by hand.
"""

import base64
import uuid
from urllib.parse import quote, urlencode

import pytest
from harness import digest, wire

VERSION = "2012-11-05"


def action(name: str, **params) -> dict:
    """The parameters of an action; `__` in a name stands for a dot."""
    return {"Action": name, "Version": VERSION, **{k.replace("__", "."): v for k, v in params.items()}}


def path_of(url: str) -> str:
    return "/" + "/".join(url.split("/")[-2:])


def ask(sqs, name: str, path: str = "/", **params) -> wire.Answer:
    return wire.query(sqs.url, action(name, **params), path)


def refuses(answer: wire.Answer, code: str, status: int = 400, says: str = "") -> None:
    assert (answer.status, answer.code) == (status, code), answer
    assert says in answer.texts("Message")[0], answer


# --- envelopes ------------------------------------------------------------------------------------


def test_an_answer_is_xml_with_result_and_request_id(sqs):
    answer = ask(sqs, "GetQueueUrl", QueueName=sqs.queue().rsplit("/", 1)[1])
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml"
    assert answer.body.startswith(b'<?xml version="1.0"?><GetQueueUrlResponse xmlns="')
    assert [element.tag.rsplit("}", 1)[1] for element in answer.xml] == ["GetQueueUrlResult", "ResponseMetadata"]
    assert answer.texts("RequestId") == [answer.headers["x-amzn-requestid"]]


def test_an_operation_that_says_nothing_has_no_result(sqs):
    answer = ask(sqs, "SetQueueAttributes", QueueUrl=sqs.queue(), Attribute__1__Name="DelaySeconds", Attribute__1__Value=0)
    assert answer.status == 200
    assert [element.tag.rsplit("}", 1)[1] for element in answer.xml] == ["ResponseMetadata"]


def test_an_error_is_xml_with_type_code_message_and_request_id(sqs):
    answer = ask(sqs, "GetQueueUrl", QueueName=sqs.name())
    assert answer.status == 400
    assert answer.headers["content-type"] == "text/xml"
    assert answer.xml.tag == f"{{{wire.NAMESPACE}}}ErrorResponse"
    assert answer.texts("Type") == ["Sender"]
    assert answer.texts("Code") == ["AWS.SimpleQueueService.NonExistentQueue"]
    assert answer.texts("Message") == ["The specified queue does not exist."]
    assert answer.texts("RequestId") == [answer.headers["x-amzn-requestid"]]
    assert [element.tag.rsplit("}", 1)[1] for element in answer.xml] == ["Error", "RequestId"]


def test_an_error_of_json_names_the_code_of_query_too(sqs):
    missing = wire.call(sqs.url, "GetQueueUrl", {"QueueName": sqs.name()})
    assert missing.error == "QueueDoesNotExist"
    assert missing.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    invalid = wire.call(sqs.url, "CreateQueue", {"QueueName": "a b"})
    assert invalid.headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"
    assert "x-amzn-query-error" not in wire.call(sqs.url, "ListQueues", {}).headers


def test_an_error_has_the_status_of_its_protocol(sqs):
    """PurgeQueueInProgress is 403 in the Query model, and 400 in JSON."""
    url = sqs.queue()
    assert ask(sqs, "PurgeQueue", QueueUrl=url).status == 200
    refuses(ask(sqs, "PurgeQueue", QueueUrl=url), "AWS.SimpleQueueService.PurgeQueueInProgress", 403)
    assert wire.call(sqs.url, "PurgeQueue", {"QueueUrl": url}).status == 400


TEXTS = {
    "markup": "<a b=\"c\">&amp;</a> ]]> '",
    "white": " \t\n\r\n\r x \n",
    "unicode": "ä€𝄞\u0085\ud7ff\ue000\ufffd",
    "form": "a=b&c=d+e%20f;g",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_comes_back_as_it_went_in(sqs, text):
    url = sqs.queue()
    sent = ask(sqs, "SendMessage", QueueUrl=url, MessageBody=text)
    assert sent.texts("MD5OfMessageBody") == [digest.of_body(text)], sent
    received = ask(sqs, "ReceiveMessage", QueueUrl=url, VisibilityTimeout=0)
    assert received.texts("Body") == [text]
    through_json = wire.call(sqs.url, "ReceiveMessage", {"QueueUrl": url})
    assert through_json.json["Messages"][0]["Body"] == text


def test_what_xml_cannot_say_is_replaced_in_an_error(sqs):
    answer = wire.query(sqs.url, {"Action": "a\0b<\x1b", "Version": VERSION})
    assert "a\ufffdb<\ufffd" in answer.texts("Message")[0]


def test_a_message_with_everything(sqs):
    url = sqs.fifo()
    binary = base64.b64encode(bytes(range(256))).decode()
    params = {
        "MessageAttribute.1.Name": "colour",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "red",
        "MessageAttribute.2.Name": "raw",
        "MessageAttribute.2.Value.DataType": "Binary",
        "MessageAttribute.2.Value.BinaryValue": binary,
        "MessageSystemAttribute.1.Name": "AWSTraceHeader",
        "MessageSystemAttribute.1.Value.DataType": "String",
        "MessageSystemAttribute.1.Value.StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793",
        "MessageGroupId": "g",
        "MessageDeduplicationId": "d",
    }
    sent = wire.query(sqs.url, {**action("SendMessage", QueueUrl=url, MessageBody="x"), **params})
    assert sent.status == 200, sent
    assert len(sent.texts("SequenceNumber")[0]) == 20
    wanted = {"AttributeName.1": "All", "MessageAttributeName.1": "colour", "MessageAttributeName.2": "raw"}
    received = wire.query(sqs.url, {**action("ReceiveMessage", QueueUrl=url), **wanted})
    (message,) = received.xml.iter(f"{{{wire.NAMESPACE}}}Message")
    read = lambda name: {  # noqa: E731
        entry[0].text: [child.text for child in entry[1]] or entry[1].text
        for entry in message.findall(f"{{{wire.NAMESPACE}}}{name}")
    }
    assert read("Attribute")["MessageGroupId"] == "g"
    assert read("Attribute")["AWSTraceHeader"].startswith("Root=")
    assert read("MessageAttribute") == {"colour": ["red", "String"], "raw": [binary, "Binary"]}
    assert received.texts("MD5OfMessageAttributes") == sent.texts("MD5OfMessageAttributes")


@pytest.mark.parametrize("name", ["AttributeName", "MessageSystemAttributeName"])
def test_both_names_of_the_filter_of_system_attributes(sqs, name):
    url = sqs.queue()
    sqs.send(url)
    answer = wire.query(sqs.url, {**action("ReceiveMessage", QueueUrl=url), f"{name}.1": "SentTimestamp"})
    assert answer.texts("Name") == ["SentTimestamp"]


# --- where the action and the queue are named ---------------------------------------------------------


def test_an_action_upon_the_queue_whose_url_it_is_sent_to(sqs):
    url = sqs.queue()
    assert ask(sqs, "SendMessage", path_of(url), MessageBody="by path").status == 200
    assert sqs.receive_one(url)["Body"] == "by path"


def test_the_queue_url_wins_over_the_path(sqs):
    named, other = sqs.queue(), sqs.queue()
    assert ask(sqs, "SendMessage", path_of(other), QueueUrl=named, MessageBody="x").status == 200
    assert sqs.receive_one(named)["Body"] == "x"
    assert sqs.receive(other) == []


def test_get_with_everything_in_the_url(sqs):
    url = sqs.queue()
    answer = wire.get(sqs.url, f"{path_of(url)}?{urlencode(action('SendMessage', MessageBody='by get'))}")
    assert answer.status == 200, answer
    assert sqs.receive_one(url)["Body"] == "by get"


def test_a_form_nobody_signed(sqs):
    url = sqs.queue()
    answer = wire.query(sqs.url, action("SendMessage", QueueUrl=url, MessageBody="x"), Authorization=None)
    assert answer.status == 200, answer


def test_the_action_in_the_url_and_the_rest_in_the_body(sqs):
    url = sqs.queue()
    answer = wire.query(sqs.url, {"QueueUrl": url, "MessageBody": "x"}, f"/?Action=SendMessage&Version={VERSION}")
    assert answer.status == 200, answer


def test_no_version_is_the_present_one(sqs):
    assert wire.query(sqs.url, {"Action": "ListQueues"}).status == 200


def test_an_item_alone_needs_no_number(sqs):
    """SQS's first SDKs leave it out."""
    url = sqs.queue()
    set_ = ask(sqs, "SetQueueAttributes", QueueUrl=url, Attribute__Name="DelaySeconds", Attribute__Value=7)
    assert set_.status == 200, set_
    assert ask(sqs, "GetQueueAttributes", QueueUrl=url, AttributeName="DelaySeconds").texts("Value") == ["7"]


def test_items_may_have_gaps_and_keep_the_order_of_their_numbers(sqs):
    url = sqs.queue()
    entries = {
        f"SendMessageBatchRequestEntry.{n}.{name}": value
        for n, ident in [(100, "c"), (3, "a"), (20, "b")]
        for name, value in [("Id", ident), ("MessageBody", ident)]
    }
    answer = wire.query(sqs.url, {**action("SendMessageBatch", QueueUrl=url), **entries})
    assert answer.texts("Id") == ["a", "b", "c"], answer


# --- refusals ---------------------------------------------------------------------------------------


def test_no_action(sqs):
    refuses(wire.query(sqs.url, {"Version": VERSION}), "MissingAction")
    refuses(wire.query(sqs.url, {"Action": "", "Version": VERSION}), "MissingAction")
    refuses(wire.query(sqs.url, ""), "MissingAction")


@pytest.mark.parametrize("name", ["Nonsense", "sendmessage", "SendMessage ", "AmazonSQS.SendMessage", "x" * 5000])
def test_an_action_that_is_none(sqs, name):
    refuses(wire.query(sqs.url, {"Action": name, "Version": VERSION}), "InvalidAction")


@pytest.mark.parametrize("version", ["2011-10-01", "", "2012-11-05 ", "x"])
def test_another_version(sqs, version):
    refuses(wire.query(sqs.url, {"Action": "ListQueues", "Version": version}), "NoSuchVersion", says=VERSION)


def test_an_unknown_action_of_another_version(sqs):
    """Two faults: without the version's operations nobody can say that the action is none."""
    refuses(wire.query(sqs.url, {"Action": "Nonsense", "Version": "2011-10-01"}), "NoSuchVersion")


NUMBERS = ["", "ten", "1.5", "0x10", " 1", "1e3", "99999999999", "--1"]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_that_is_none(sqs, text):
    answer = ask(sqs, "ReceiveMessage", QueueUrl=sqs.queue(), MaxNumberOfMessages=text)
    refuses(answer, "InvalidParameterValue", says="MaxNumberOfMessages")


@pytest.mark.parametrize("text", ["*", "AAA", "AA==="])
def test_a_binary_value_that_is_no_base64(sqs, text):
    params = {
        "MessageAttribute.1.Name": "a",
        "MessageAttribute.1.Value.DataType": "Binary",
        "MessageAttribute.1.Value.BinaryValue": text,
    }
    answer = wire.query(sqs.url, {**action("SendMessage", QueueUrl=sqs.queue(), MessageBody="x"), **params})
    refuses(answer, "InvalidParameterValue", says="BinaryValue")


@pytest.mark.parametrize(
    "params, code",
    [
        ("AttributeName.0=All", "InvalidQueryParameter"),
        ("AttributeName.01=All", "InvalidQueryParameter"),
        ("AttributeName.-1=All", "InvalidQueryParameter"),
        ("AttributeName.x=All", "InvalidQueryParameter"),
        ("AttributeName.=All", "InvalidQueryParameter"),
        ("AttributeName.99999999999=All", "InvalidQueryParameter"),
        ("AttributeName.1=All&AttributeName.1=All", "InvalidQueryParameter"),
        ("AttributeName=All&AttributeName.1=All", "ConflictingQueryParameter"),
        ("AttributeName.1=All&AttributeName.1.x=All", "ConflictingQueryParameter"),
        ("QueueUrl.x=1", "ConflictingQueryParameter"),
        ("QueueUrl=twice", "InvalidQueryParameter"),
    ],
)
def test_parameters_of_the_wrong_structure(sqs, params, code):
    body = urlencode(action("GetQueueAttributes", QueueUrl=sqs.queue())) + "&" + params
    refuses(wire.query(sqs.url, body), code)


@pytest.mark.parametrize(
    "params, code",
    [
        ("Attribute.1.Name=DelaySeconds", "MissingParameter"),
        ("Attribute.1.Value=1", "MissingParameter"),
        ("Attribute.1.Nonsense=1", "MissingParameter"),
        ("Attribute.1=DelaySeconds", "MissingParameter"),
        (
            "Attribute.1.Name=DelaySeconds&Attribute.1.Value=1&Attribute.2.Name=DelaySeconds&Attribute.2.Value=2",
            "InvalidQueryParameter",
        ),
        ("", "MissingParameter"),
    ],
)
def test_a_map_of_the_wrong_structure(sqs, params, code):
    body = urlencode(action("SetQueueAttributes", QueueUrl=sqs.queue())) + "&" + params
    refuses(wire.query(sqs.url, body), code)


@pytest.mark.parametrize("text", ["a=%", "a=%4", "a=%zz", "%ff=a", "a=%c0%80", "a=%ed%a0%80"])
def test_a_form_that_cannot_be_read(sqs, text):
    refuses(wire.query(sqs.url, f"Action=ListQueues&{text}"), "MalformedQueryString", 404)
    answer = wire.get(sqs.url, f"/?Action=ListQueues&{text}")
    refuses(answer, "MalformedQueryString", 404)


def test_too_many_parameters(sqs):
    many = "&".join(f"AttributeName.{n}=All" for n in range(1, 3000))
    refuses(wire.query(sqs.url, f"Action=GetQueueAttributes&{many}"), "MalformedQueryString", 404)


@pytest.mark.parametrize("name", ["x" * 300, "a." * 100])
def test_a_name_that_is_too_long_or_too_deep(sqs, name):
    refuses(wire.query(sqs.url, {"Action": "ListQueues", name: "x"}), "MalformedQueryString", 404)


def test_an_unknown_parameter_is_passed_over(sqs):
    assert ask(sqs, "ListQueues", Nonsense="x", Other__1__Deep="y").status == 200


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\x00", b"&&&&", b"====", b"a" * 100_000], ids=lambda b: ascii(b[:9]))
def test_a_body_that_is_no_form(sqs, body):
    head = wire.form("", Content_Length=str(len(body)))
    answer = wire.exchange(sqs.url, head + body)
    assert answer.status in (400, 404), answer


def test_a_form_with_a_json_content_type_is_read_as_json(sqs):
    answer = wire.query(sqs.url, action("ListQueues"), Content_Type="application/x-amz-json-1.0")
    assert answer.status == 400
    assert answer.error == "UnknownOperationException"


def test_a_queue_path_with_a_get_and_no_action_is_nothing(sqs):
    assert wire.get(sqs.url, path_of(sqs.queue())).status == 404


def test_a_path_that_names_no_queue(sqs):
    answer = ask(sqs, "SendMessage", "/" + quote("a b"), MessageBody="x")
    refuses(answer, "InvalidAddress", 404)


def test_each_operation_names_the_parameter_that_it_misses(sqs):
    for name in ("SendMessage", "ReceiveMessage", "DeleteMessage", "DeleteQueue", "PurgeQueue", "GetQueueAttributes"):
        refuses(ask(sqs, name), "MissingParameter", says="QueueUrl")
    refuses(ask(sqs, "CreateQueue"), "MissingParameter", says="QueueName")
    refuses(ask(sqs, "SendMessage", QueueUrl=sqs.queue()), "MissingParameter", says="MessageBody")


def test_one_bad_entry_among_ten_fails_alone(sqs):
    url = sqs.queue()
    entries = {f"SendMessageBatchRequestEntry.{n}.Id": f"e{n}" for n in range(1, 11)}
    entries |= {f"SendMessageBatchRequestEntry.{n}.MessageBody": "x" for n in range(1, 11)}
    entries["SendMessageBatchRequestEntry.4.DelaySeconds"] = 901
    answer = wire.query(sqs.url, {**action("SendMessageBatch", QueueUrl=url), **entries})
    failed = answer.xml.find(f".//{{{wire.NAMESPACE}}}BatchResultErrorEntry")
    assert {child.tag.rsplit("}", 1)[1]: child.text for child in failed}["Id"] == "e4"
    assert len(answer.texts("MessageId")) == 9
    assert answer.texts("SenderFault") == ["true"]


def test_names_in_a_batch_are_repeated(sqs):
    entries = {f"DeleteMessageBatchRequestEntry.{n}.{k}": "a" for n in (1, 2) for k in ("Id", "ReceiptHandle")}
    answer = wire.query(sqs.url, {**action("DeleteMessageBatch", QueueUrl=sqs.queue()), **entries})
    refuses(answer, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", says="a")


def test_a_queue_of_a_name_with_everything_that_a_name_may_have(sqs):
    name = f"A-z_0-{uuid.uuid4().hex}"
    created = ask(sqs, "CreateQueue", QueueName=name)
    assert created.texts("QueueUrl") == [f"http://127.0.0.1/000000000000/{name}"]
