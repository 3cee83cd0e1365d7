"""What no SDK would send. Each is answered with an error of the cloud or dropped; the server lives on.

The server is shared and on real time; after every test it must be the same process, ready, without
a panic in its log (the fixture `wire_server`).
"""

import json
import random
import socket
import threading
import time

import pytest
from harness import wire
from harness.face import Face
from harness.server import serve

MIB = 1024 * 1024
SIZE = 64 * MIB  # far more than any valid request needs


@pytest.fixture(scope="module")
def bad_server(tmp_path_factory):
    yield from serve(tmp_path_factory.mktemp("bad"))


@pytest.fixture
def wire_server(bad_server):
    yield bad_server
    bad_server.assert_alive()


@pytest.fixture
def queue(wire_server):
    return Face(wire_server.url).queue()


def refuses(answer, *shapes: str) -> None:
    """A 4xx with a shape name in the body; any name when none is given."""
    assert answer is not None, "hung up without an answer"
    assert 400 <= answer.status < 500, answer
    if shapes:
        assert answer.error.removesuffix("Exception") in shapes, answer


def refuses_or_hangs_up(answer) -> None:
    assert answer is None or 400 <= answer.status < 600, answer


# --- HTTP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # the start of TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nName with space: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: \x00\r\n\r\n",
        bytes(range(256)) * 8,
    ],
    ids=lambda data: ascii(data[:24]),
)
def test_what_is_not_http(wire_server, data):
    with wire.dial(wire_server.url) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        refuses_or_hangs_up(wire.read(connection))


@pytest.mark.parametrize("size", [100 * 1024, 2 * MIB])
def test_headers_without_end(wire_server, size):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * size + b"\r\n\r\n"
    refuses_or_hangs_up(wire.exchange(wire_server.url, head))


def test_ten_thousand_headers(wire_server):
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n"
    refuses_or_hangs_up(wire.exchange(wire_server.url, head))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/", "/nowhere", "/_lineside/nowhere", "/%00%ff", "/" + "a" * 5000])
def test_other_methods_and_paths(wire_server, method, path):
    data = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
    with wire.dial(wire_server.url) as connection:
        connection.sendall(data)
        answer = connection.recv(100)  # the head alone: a HEAD has no body
    status = int(answer.split()[1]) if answer else 400
    assert 400 <= status < 500, answer


# --- size and pace --------------------------------------------------------------------------------


def pour(url: str, head: bytes, chunk: bytes, times: int) -> wire.Answer | None:
    """Sends the head and chunk after chunk, until the server has had enough."""
    with wire.dial(url, timeout=30) as connection:
        try:
            connection.sendall(head)
            for _ in range(times):
                connection.sendall(chunk)
        except OSError:
            pass  # it closed its side: what it said, if anything, is read below
        try:
            return wire.read(connection)
        except OSError:
            return None


def oversized(chunked: bool) -> tuple[bytes, bytes, int]:
    head = wire.request(b"", "AmazonSQS.SendMessage", Content_Length=str(SIZE))
    piece = b"x" * MIB
    if not chunked:
        return head, piece, SIZE // MIB
    head = wire.request(b"", "AmazonSQS.SendMessage", Content_Length=None, Transfer_Encoding="chunked")
    return head, b"%x\r\n%s\r\n" % (MIB, piece), SIZE // MIB


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_larger_than_any_request(wire_server, chunked):
    answer = pour(wire_server.url, *oversized(chunked))
    assert answer is None or answer.status in (400, 413), answer


def test_many_of_them_at_once_take_little_memory(wire_server):
    before = wire_server.resident_bytes()
    threads = [
        threading.Thread(target=pour, args=(wire_server.url, *oversized(n % 2 == 0))) for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wire_server.resident_bytes() - before < 128 * MIB


@pytest.mark.parametrize("keep", [0, 1, 10, 60])
def test_a_body_that_ends_too_soon(wire_server, queue, keep):
    body = json.dumps({"QueueUrl": queue, "MessageBody": "truncated"}).encode()
    with wire.dial(wire_server.url) as connection:
        connection.sendall(wire.request(body, "AmazonSQS.SendMessage")[: keep - len(body)])
        connection.shutdown(socket.SHUT_WR)
        refuses_or_hangs_up(wire.read(connection))
    assert Face(wire_server.url).counts(queue) == (0, 0, 0)


def test_a_thousand_connections_that_say_nothing(wire_server):
    idle = [wire.dial(wire_server.url) for _ in range(1000)]
    try:
        wire_server.assert_alive()
    finally:
        for connection in idle:
            connection.close()


def drip(url: str, data: bytes, within: float) -> float:
    """Sends one byte a second; the seconds until the server hung up."""
    started = time.monotonic()
    with wire.dial(url, timeout=1.0) as connection:
        for byte in data:
            try:
                connection.sendall(bytes([byte]))
                if connection.recv(1000) == b"":
                    break
            except TimeoutError:
                pass  # nothing to read for this second: that is the pace
            except OSError:
                break
            if time.monotonic() - started > within:
                break
    return time.monotonic() - started


@pytest.mark.slow
def test_a_client_that_sends_a_byte_a_second_is_dropped(wire_server):
    assert drip(wire_server.url, wire.request(b"{}"), within=20) < 16


@pytest.mark.slow
def test_others_are_served_meanwhile(wire_server):
    slow = [
        threading.Thread(target=drip, args=(wire_server.url, wire.request(b"{}"), 3), daemon=True)
        for _ in range(50)
    ]
    for thread in slow:
        thread.start()
    for _ in range(20):
        started = time.monotonic()
        assert wire.call(wire_server.url, "ListQueues", {}).status == 200
        assert time.monotonic() - started < 1
    for thread in slow:
        thread.join()


# --- the envelope -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["AmazonSQS.Nonsense", "AmazonSQS.sendmessage", "AmazonSQS.", "AmazonSQS", ".", "AmazonSQS.SendMessage.x"],
)
def test_an_operation_that_is_none(wire_server, target):
    refuses(wire.exchange(wire_server.url, wire.request(b"{}", target)), "UnknownOperation", "InvalidAction")


@pytest.mark.parametrize("target", ["Nonsense.SendMessage", "DynamoDB_20120810.ListTables", "x" * 4000])
def test_a_service_that_is_not_here(wire_server, target):
    refuses(wire.exchange(wire_server.url, wire.request(b"{}", target)))


def test_a_target_that_is_not_text(wire_server):
    refuses_or_hangs_up(wire.exchange(wire_server.url, wire.request(b"{}", "AmazonSQS.\xff\xfe")))


def test_no_target_at_all(wire_server):
    refuses(wire.exchange(wire_server.url, wire.request(b"{}", X_Amz_Target=None)))


@pytest.mark.parametrize("scope", ["", "nonsense", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 " + "/" * 9999])
def test_an_authorization_that_is_none(wire_server, scope):
    """No signature is asked for, so an unreadable one is refused or ignored, never a crash."""
    answer = wire.exchange(wire_server.url, wire.request(b"{}", Authorization=scope))
    assert answer is None or answer.status == 200 or 400 <= answer.status < 500


# --- JSON -------------------------------------------------------------------------------------------

UNREADABLE = [
    b"{",
    b'{"QueueName":',
    b'{"QueueName": "a"} trailing',
    b"nonsense",
    b"[]",
    b'"text"',
    b"12",
    b"null",
    b"{'QueueName': 'a'}",
    b'{"QueueName": "a",}',
    b'{"QueueName": "\xff\xfe"}',
    b'{"QueueName": "\xed\xa0\x80"}',  # a surrogate in UTF-8
    b'{"QueueName": "\xc0\x80"}',  # an overlong zero
    b'{"QueueName": "\\ud800"}',
    b'{"QueueName": "\\x41"}',
    b'{"QueueName": "a\nb"}',
    b"\xef\xbb\xbf{}",  # a byte order mark
    b"\x00" * 100,
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: ascii(body[:24]))
def test_what_is_not_json(wire_server, body):
    refuses(wire.call(wire_server.url, "CreateQueue", body), "Serialization", "InvalidParameterValue")


def test_an_empty_body(wire_server):
    refuses(wire.call(wire_server.url, "CreateQueue", b""), "Serialization", "MissingRequiredParameter")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"QueueName":' * 100_000,
        b'{"Attributes":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    ],
    ids=["arrays", "objects", "member"],
)
def test_json_nested_deep(wire_server, body):
    refuses(wire.call(wire_server.url, "CreateQueue", body), "Serialization")


def test_an_unknown_member_is_skipped_however_deep(wire_server):
    """Newer SDKs send members that are not known here; skipping one must not need a stack."""
    body = b'{"Unknown":' + b"[" * 100_000 + b"]" * 100_000 + b', "QueueName": "deep-unknown"}'
    assert wire.call(wire_server.url, "CreateQueue", body).status == 200


WRONG = [
    ("CreateQueue", {"QueueName": 5}),
    ("CreateQueue", {"QueueName": ["a"]}),
    ("CreateQueue", {"QueueName": "a", "Attributes": "x"}),
    ("CreateQueue", {"QueueName": "a", "Attributes": ["x"]}),
    ("CreateQueue", {"QueueName": "a", "Attributes": {"DelaySeconds": {}}}),
    ("ListQueues", {"MaxResults": "ten"}),
    ("ListQueues", {"MaxResults": 1.5}),
    ("ListQueues", {"MaxResults": 2**40}),
    ("ListQueues", {"MaxResults": 1e400}),
    ("GetQueueAttributes", {"QueueUrl": "Q", "AttributeNames": "All"}),
    ("SendMessage", {"QueueUrl": {}, "MessageBody": "x"}),
    ("SendMessage", {"QueueUrl": "Q", "MessageBody": {"a": 1}}),
    ("SendMessage", {"QueueUrl": "Q", "MessageBody": "x", "DelaySeconds": "soon"}),
    ("SendMessage", {"QueueUrl": "Q", "MessageBody": "x", "DelaySeconds": True}),
    ("SendMessage", {"QueueUrl": "Q", "MessageBody": "x", "MessageAttributes": {"a": "b"}}),
    (
        "SendMessage",
        {"QueueUrl": "Q", "MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "*"}}},
    ),
    ("SendMessageBatch", {"QueueUrl": "Q", "Entries": {}}),
    ("SendMessageBatch", {"QueueUrl": "Q", "Entries": ["a"]}),
    ("SendMessageBatch", {"QueueUrl": "Q", "Entries": [None]}),
    ("ReceiveMessage", {"QueueUrl": "Q", "MaxNumberOfMessages": 99999999999}),
    ("ReceiveMessage", {"QueueUrl": "Q", "VisibilityTimeout": [1]}),
    ("DeleteMessage", {"QueueUrl": "Q", "ReceiptHandle": 7}),
    ("SetQueueAttributes", {"QueueUrl": "Q", "Attributes": {"Policy": {}}}),
    ("SetQueueAttributes", {"QueueUrl": "Q", "Attributes": {"DelaySeconds": 5}}),
    ("TagQueue", {"QueueUrl": "Q", "Tags": ["a"]}),
    ("TagQueue", {"QueueUrl": "Q", "Tags": {"a": 1}}),
    ("UntagQueue", {"QueueUrl": "Q", "TagKeys": "a"}),
    ("UntagQueue", {"QueueUrl": "Q", "TagKeys": [1]}),
    ("AddPermission", {"QueueUrl": "Q", "Label": 1, "AWSAccountIds": ["123456789012"], "Actions": ["*"]}),
    ("AddPermission", {"QueueUrl": "Q", "Label": "a", "AWSAccountIds": [123456789012], "Actions": ["*"]}),
    ("AddPermission", {"QueueUrl": "Q", "Label": "a", "AWSAccountIds": ["123456789012"], "Actions": "*"}),
    ("RemovePermission", {"QueueUrl": "Q", "Label": {}}),
    ("ListDeadLetterSourceQueues", {"QueueUrl": "Q", "MaxResults": "ten"}),
    ("StartMessageMoveTask", {"SourceArn": 5}),
    ("StartMessageMoveTask", {"SourceArn": "A", "MaxNumberOfMessagesPerSecond": "fast"}),
    ("ListMessageMoveTasks", {"SourceArn": "A", "MaxResults": 1.5}),
    ("CancelMessageMoveTask", {"TaskHandle": []}),
]


@pytest.mark.parametrize("operation, body", WRONG, ids=lambda value: json.dumps(value)[:50])
def test_members_of_the_wrong_type(wire_server, queue, operation, body):
    data = json.dumps(body).replace('"Q"', json.dumps(queue)).replace("Infinity", "1e400")
    answer = wire.call(wire_server.url, operation, data.encode())
    refuses(answer, "Serialization", "InvalidParameterValue", "MissingRequiredParameter", "InvalidBatchEntryId")


SETTABLE = [
    "DelaySeconds",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
]


@pytest.mark.parametrize("name", SETTABLE)
def test_attribute_values_of_the_wrong_type(wire_server, name):
    """JSON of another type than text, and text that is none of the attribute's values: nothing changes."""
    sqs = Face(wire_server.url)
    url = sqs.queue(fifo=name == "FifoThroughputLimit")
    before = sqs.attributes(url)
    for value in (5, 5.5, True, None, [], ["5"], {}, {"a": "5"}):
        body = {"QueueUrl": url, "Attributes": {name: value}}
        refuses(wire.call(wire_server.url, "SetQueueAttributes", body), "Serialization")
    for text in ("x", " ", "5 s", "0x10", "1e2", "60.0", "-1", "99999999999999999999", "TRUE", "[]", "null", "6\u0660", "\0"):
        body = {"QueueUrl": url, "Attributes": {name: text}}
        refuses(wire.call(wire_server.url, "SetQueueAttributes", body), "InvalidAttributeValue", "InvalidParameterValue")
    assert sqs.attributes(url) == before


def test_a_member_given_twice(wire_server):
    answer = wire.call(wire_server.url, "CreateQueue", b'{"QueueName": "twice-a", "QueueName": "twice-b"}')
    assert answer.status == 200 or answer.error.startswith("Serialization")


def test_a_queue_attribute_of_a_mebibyte(wire_server, queue):
    body = {"QueueUrl": queue, "Attributes": {"Policy": "x" * MIB, "RedrivePolicy": "[" * MIB}}
    refuses(wire.call(wire_server.url, "SetQueueAttributes", body))


def test_a_redrive_policy_nested_deep(wire_server, queue):
    body = {"QueueUrl": queue, "Attributes": {"RedrivePolicy": '{"a":' * 50_000 + "1" + "}" * 50_000}}
    refuses(wire.call(wire_server.url, "SetQueueAttributes", body), "InvalidAttributeValue", "InvalidParameterValue")


# --- SQS --------------------------------------------------------------------------------------------


def test_a_queue_that_is_not_there(wire_server):
    body = {"QueueUrl": f"{wire_server.url}/000000000000/nowhere", "MessageBody": "x"}
    refuses(wire.call(wire_server.url, "SendMessage", body), "QueueDoesNotExist")


def test_a_receipt_of_a_message_long_deleted(wire_server, queue):
    sqs = Face(wire_server.url)
    sqs.send(queue)
    message = sqs.receive_one(queue)
    sqs.delete(queue, message)
    body = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
    assert wire.call(wire_server.url, "DeleteMessage", body).status == 200
    refuses(wire.call(wire_server.url, "ChangeMessageVisibility", {**body, "VisibilityTimeout": 5}))


def test_a_receipt_of_a_queue_that_was_deleted(wire_server):
    sqs = Face(wire_server.url)
    gone = sqs.queue()
    sqs.send(gone)
    handle = sqs.receive_one(gone)["ReceiptHandle"]
    sqs.client.delete_queue(QueueUrl=gone)
    body = {"QueueUrl": gone, "ReceiptHandle": handle}
    refuses(wire.call(wire_server.url, "DeleteMessage", body), "QueueDoesNotExist")
    body = {"QueueUrl": sqs.queue(), "ReceiptHandle": handle}
    refuses(wire.call(wire_server.url, "DeleteMessage", body), "ReceiptHandleIsInvalid", "InvalidParameterValue")


# --- chance -----------------------------------------------------------------------------------------


def mangled(chance: random.Random, data: bytes) -> bytes:
    """The request with a few bytes changed, taken out or put in."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data))
        act = chance.randrange(3)
        if act == 0:
            data[at] = chance.randrange(256)
        elif act == 1:
            del data[at : at + chance.randint(1, 20)]
        else:
            data[at:at] = chance.randbytes(chance.randint(1, 20))
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_mangled_requests(wire_server, queue, seed):
    """A hundred requests by chance; the seed is the test's name, so a failure can be repeated."""
    chance = random.Random(seed)
    attributes = {"a": {"DataType": "Binary", "BinaryValue": "AAAA"}}
    bodies = [
        ("SendMessage", {"QueueUrl": queue, "MessageBody": "x", "MessageAttributes": attributes}),
        ("ReceiveMessage", {"QueueUrl": queue, "VisibilityTimeout": 0}),
        ("SendMessageBatch", {"QueueUrl": queue, "Entries": [{"Id": "a", "MessageBody": "x"}]}),
        ("SetQueueAttributes", {"QueueUrl": queue, "Attributes": {"VisibilityTimeout": "30"}}),
    ]
    for _ in range(100):
        operation, body = chance.choice(bodies)
        data = mangled(chance, wire.request(json.dumps(body).encode(), f"AmazonSQS.{operation}"))
        with wire.dial(wire_server.url) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                continue
            answer = wire.read(connection)
        # An answer to a half-understood request may be a success; a fault of the server it is never.
        assert answer is None or answer.status < 500, (data, answer)
