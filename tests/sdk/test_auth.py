"""`--auth sigv4`: who calls is known by a signature, and what others may do is what the policy says.

The owner's key is of the account 000000000000, the friend's is an account's number itself. Time is the
real one, steered clock or not: credentials are of the world outside.
"""

import hashlib
import hmac
import json
import re
import subprocess
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

import boto3
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from harness import wire
from harness.face import ACCOUNT, QUERY, REGION, Face, refused
from harness.server import BINARY, Server, require_binary, serve

OWNER = ("AKIDOWNER", "wJalrXUtnFEMI/K7MDENG")
SECOND = ("AKIDSECOND", "of-the-owners-account-too")
FRIEND = ("111122223333", "another/secret+=")
KEYS = [OWNER, SECOND, FRIEND]
GUARDED = ["--auth", "sigv4", *[part for key in KEYS for part in ("--access-key", ":".join(key))]]

SERVICE_JSON = {"content-type": "application/x-amz-json-1.0"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that checks signatures; its clock is steered, which must not matter."""
    yield from serve(tmp_path_factory.mktemp("guarded"), *GUARDED, "--clock", "steerable")


def face(url: str, key: tuple[str, str], token: str | None = None) -> Face:
    """SQS as the holder of a key sees it."""
    found = Face(url)
    session = boto3.session.Session(*key, aws_session_token=token, region_name=REGION)
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    found.client = session.client("sqs", endpoint_url=url, config=config)
    return found


@pytest.fixture(scope="module")
def owner(guarded):
    return face(guarded.url, OWNER)


@pytest.fixture(scope="module")
def friend(guarded):
    return face(guarded.url, FRIEND)


def error_of(call, **parameters) -> tuple[int, str, str]:
    """Status, code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


# A signer of its own, after AWS's description: for what an SDK would not sign, and at other times.


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(key, at: datetime, canonical: str, region: str = REGION) -> tuple[str, str]:
    """The credential and the signature of a canonical request."""
    scope = f"{at:%Y%m%d}/{region}/sqs/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at:%Y%m%dT%H%M%SZ}\n{scope}\n{digest(canonical.encode())}"
    derived = f"AWS4{key[1]}".encode()
    for part in scope.split("/"):
        derived = mac(derived, part)
    return f"{key[0]}/{scope}", mac(derived, text).hex()


def signed(url: str, key, headers: dict, body: bytes, at: datetime | None = None) -> dict:
    """The headers of a POST to `/`, its signature among them."""
    at = at or datetime.now(UTC)
    headers = {**headers, "host": urlsplit(url).netloc, "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}"}
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    canonical = f"POST\n/\n\n{lines}\n{';'.join(names)}\n{digest(body)}"
    credential, proof = signature(key, at, canonical)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(names)}, Signature={proof}"
    )
    return headers


def post(url: str, headers: dict, body: bytes, path: str = "/") -> wire.Answer:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
    return wire.exchange(url, head.encode("latin-1") + body)


def target(operation: str) -> dict:
    return {**SERVICE_JSON, "x-amz-target": f"AmazonSQS.{operation}"}


def presigned(
    url: str, key, parameters: dict, seconds: int = 60, at: datetime | None = None, path: str = "/"
) -> str:
    """The path and query of a presigned GET."""
    at = at or datetime.now(UTC)
    scope = f"{at:%Y%m%d}/{REGION}/sqs/aws4_request"
    parameters = {
        **parameters,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{key[0]}/{scope}",
        "X-Amz-Date": f"{at:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    query = urlencode(sorted(parameters.items()), quote_via=quote, safe="")
    canonical = f"GET\n{path}\n{query}\nhost:{urlsplit(url).netloc}\n\nhost\n{digest(b'')}"
    return f"{path}?{query}&X-Amz-Signature={signature(key, at, canonical)[1]}"


def get(url: str, path: str) -> wire.Answer:
    return wire.get(url, path, Host=urlsplit(url).netloc)


# Signatures


def test_the_right_secret_does_everything(owner):
    url = owner.queue()
    assert url.endswith(f"/{ACCOUNT}/{url.rsplit('/', 1)[1]}")
    owner.send(url, "hello")
    message = owner.receive_one(url)
    owner.hide(url, message, 30)
    owner.delete(url, message)
    assert url in owner.client.list_queues()["QueueUrls"]
    owner.client.delete_queue(QueueUrl=url)


def test_a_key_that_is_an_accounts_number_is_of_that_account(friend):
    assert f"/{FRIEND[0]}/" in friend.queue()


def test_a_sessions_token_is_signed_and_passes(guarded):
    face(guarded.url, OWNER, token="IQoJb3JpZ2luX2Vj/+==").queue()


def test_the_wrong_secret_is_refused(guarded):
    status, code, message = error_of(face(guarded.url, (OWNER[0], "wrong")).client.list_queues)
    assert (status, code) == (403, "SignatureDoesNotMatch" if QUERY else code)
    assert code in ("SignatureDoesNotMatch", "InvalidSignatureException")
    assert message.startswith("The request signature we calculated does not match")
    assert "The Canonical String for this request should have been\n'POST\n/\n" in message
    assert OWNER[1] not in message


def test_an_unknown_key_is_refused(guarded):
    status, code, message = error_of(face(guarded.url, ("AKIDNOBODY", "x")).client.list_queues)
    assert status == 403
    assert code in ("InvalidClientTokenId", "UnrecognizedClientException")
    assert message == "The security token included in the request is invalid."


def test_each_protocol_has_its_names_for_it(guarded):
    json_answer = post(guarded.url, target("ListQueues") | {"host": "x"}, b"{}")
    assert (json_answer.status, json_answer.error) == (403, "MissingAuthenticationTokenException")
    assert json_answer.headers["x-amzn-query-error"] == "MissingAuthenticationToken;Sender"
    assert json_answer.json["message"] == "Request is missing Authentication Token"
    query_answer = wire.query(guarded.url, {"Action": "ListQueues"}, Authorization=None)
    assert (query_answer.status, query_answer.code) == (403, "MissingAuthenticationToken")
    headers = signed(guarded.url, (OWNER[0], "wrong"), target("ListQueues"), b"{}")
    answer = post(guarded.url, headers, b"{}")
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")
    assert answer.headers["x-amzn-query-error"] == "SignatureDoesNotMatch;Sender"


def test_what_lineside_takes_unguarded_is_refused(guarded):
    """The made-up signature of the other tests."""
    answer = wire.call(guarded.url, "ListQueues", {})
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")
    answer = wire.query(guarded.url, {"Action": "ListQueues"}, Authorization="Bearer x")
    assert (answer.status, answer.code) == (400, "IncompleteSignature")


@pytest.mark.parametrize("protocol", ["json", "query"])
def test_a_body_that_was_changed_on_the_way_is_refused(guarded, owner, protocol):
    url = owner.queue()
    if protocol == "json":
        headers = target("SendMessage")
        body = json.dumps({"QueueUrl": url, "MessageBody": "one dollar"}).encode()
    else:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        parameters = {"Action": "SendMessage", "QueueUrl": url, "MessageBody": "one dollar"}
        body = urlencode(parameters, quote_via=quote).encode()
    headers = signed(guarded.url, OWNER, headers, body)
    assert post(guarded.url, headers, body.replace(b"one", b"ten")).status == 403
    assert post(guarded.url, headers, body, path="/x").status == 403
    assert post(guarded.url, headers | {"x-amz-more": "1"}, body).status == 403
    assert owner.counts(url)[0] == 0
    assert post(guarded.url, headers, body).status == 200
    assert [message["Body"] for message in owner.receive(url)] == ["one dollar"]


@pytest.mark.parametrize(
    ("minutes", "says"),
    [(-14, None), (14, None), (-16, "Signature expired: "), (16, "Signature not yet current: ")],
)
def test_a_signature_is_good_for_15_minutes(guarded, minutes, says):
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    answer = post(guarded.url, signed(guarded.url, OWNER, target("ListQueues"), b"{}", at), b"{}")
    if says is None:
        assert answer.status == 200, answer.body
    else:
        assert (answer.status, answer.error) == (403, "InvalidSignatureException")
        assert answer.json["message"].startswith(says), answer.json


def test_the_steered_clock_does_not_count(guarded):
    answer = post(guarded.url, {"host": "x"}, b'{"advance":"1d"}', path="/_lineside/clock")
    assert answer.status == 200, answer.body
    assert post(guarded.url, signed(guarded.url, OWNER, target("ListQueues"), b"{}"), b"{}").status == 200


def test_a_presigned_get(guarded, owner):
    url = owner.queue()
    parameters = {"Action": "SendMessage", "QueueUrl": url, "MessageBody": "a b+c/ä"}
    path = presigned(guarded.url, OWNER, parameters)
    assert get(guarded.url, path.replace("SendMessage", "PurgeQueue")).code == "SignatureDoesNotMatch"
    answer = get(guarded.url, path)
    assert answer.status == 200, answer.body
    assert [message["Body"] for message in owner.receive(url)] == ["a b+c/ä"]


def test_a_presigned_get_of_the_sdks_own_signer(guarded):
    request = AWSRequest("GET", f"{guarded.url}/?Action=ListQueues&Version=2012-11-05")
    SigV4QueryAuth(Credentials(*OWNER), "sqs", REGION, expires=60).add_auth(request)
    answer = get(guarded.url, request.url.removeprefix(guarded.url))
    assert answer.status == 200, answer.body


def test_a_presigned_get_ends(guarded):
    ago = datetime.now(UTC) - timedelta(seconds=100)
    list_queues = {"Action": "ListQueues"}
    assert get(guarded.url, presigned(guarded.url, OWNER, list_queues, 200, ago)).status == 200
    answer = get(guarded.url, presigned(guarded.url, OWNER, list_queues, 60, ago))
    assert (answer.status, answer.code) == (400, "RequestExpired")
    for seconds in (0, 604_801):
        answer = get(guarded.url, presigned(guarded.url, OWNER, list_queues, seconds))
        assert (answer.status, answer.code) == (400, "IncompleteSignature")


# Policies


def policy(**statement) -> str:
    """A policy of one statement."""
    whole = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


def test_another_account_may_nothing_without_a_policy(owner, friend):
    url = owner.queue()
    status, code, message = error_of(friend.client.send_message, QueueUrl=url, MessageBody="x")
    assert (status, code) in ((403, "AccessDenied"), (403, "AccessDeniedException"))
    arn = owner.arn(url)
    assert message == (
        f"User: arn:aws:iam::{FRIEND[0]}:user/{FRIEND[0]} is not authorized to perform: sqs:sendmessage "
        f"on resource: {arn} because no resource-based policy allows the sqs:sendmessage action"
    )
    assert owner.counts(url)[0] == 0


def test_another_account_does_not_learn_which_queues_there_are(owner, friend):
    name = owner.queue().rsplit("/", 1)[1]
    there = {"QueueName": name, "QueueOwnerAWSAccountId": ACCOUNT}
    assert error_of(friend.client.get_queue_url, **there)[1].startswith("AccessDenied")
    with refused("QueueDoesNotExist"):
        friend.client.get_queue_url(QueueName="not-there", QueueOwnerAWSAccountId=ACCOUNT)
    assert friend.client.list_queues(QueueNamePrefix=name).get("QueueUrls", []) == []


def test_add_permission_lets_in_and_remove_permission_shuts_out(owner, friend):
    url = owner.queue()
    owner.client.add_permission(
        QueueUrl=url, Label="friends", AWSAccountIds=[FRIEND[0]], Actions=["SendMessage"]
    )
    friend.send(url, "from a friend")
    friend.send_batch(url, [{"Id": "a", "MessageBody": "and another"}])
    assert error_of(friend.client.receive_message, QueueUrl=url)[1].startswith("AccessDenied")
    owner.client.remove_permission(QueueUrl=url, Label="friends")
    assert error_of(friend.client.send_message, QueueUrl=url, MessageBody="x")[1].startswith("AccessDenied")
    assert owner.counts(url)[0] == 2


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Principal": {"AWS": FRIEND[0]}}, True),
        ({"Principal": {"AWS": f"arn:aws:iam::{FRIEND[0]}:root"}}, True),
        ({"Principal": {"AWS": f"arn:aws:iam::{FRIEND[0]}:user/{FRIEND[0]}"}}, True),
        ({"Principal": {"AWS": f"arn:aws:iam::{FRIEND[0]}:user/somebody"}}, False),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Action": "sqs:Send*"}, True),
        ({"Action": "sqs:ReceiveMessage"}, False),
        ({"Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q-*"}, True),
        ({"Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:other"}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalAccount": FRIEND[0]}}}, True),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::999999999999:*"}}}, False),
        ({"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}}, True),
        ({"Condition": {"DateLessThan": {"aws:EpochTime": "1000000000"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": FRIEND[0]}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}}, True),
    ],
)
def test_a_policy_says_who_may_send(owner, friend, statement, allowed):
    url = owner.queue(Policy=policy(**statement))
    if allowed:
        friend.send(url, "x")
    else:
        assert error_of(friend.client.send_message, QueueUrl=url, MessageBody="x")[1].startswith("AccessDenied")
    assert owner.counts(url)[0] == int(allowed)


def test_a_deny_is_for_the_owners_own_account_too(guarded, owner):
    second = face(guarded.url, SECOND)
    url = owner.queue()
    second.send(url, "x")
    name = f"arn:aws:iam::{ACCOUNT}:user/{SECOND[0]}"
    owner.set(url, Policy=policy(Effect="Deny", Principal={"AWS": name}, Action="sqs:SendMessage"))
    status, _, message = error_of(second.client.send_message, QueueUrl=url, MessageBody="x")
    assert status == 403
    assert message.endswith("with an explicit deny in a resource-based policy")
    owner.send(url, "y")
    assert len(second.receive(url)) == 2


# Each operation with what it needs; the batches name one entry each.
CALLS = {
    "AddPermission": lambda url: {"Label": "l", "AWSAccountIds": [FRIEND[0]], "Actions": ["SendMessage"]},
    "CancelMessageMoveTask": lambda url: {},
    "ChangeMessageVisibility": lambda url: {"ReceiptHandle": "x", "VisibilityTimeout": 0},
    "ChangeMessageVisibilityBatch": lambda url: {
        "Entries": [{"Id": "a", "ReceiptHandle": "x", "VisibilityTimeout": 0}]
    },
    "DeleteMessage": lambda url: {"ReceiptHandle": "x"},
    "DeleteMessageBatch": lambda url: {"Entries": [{"Id": "a", "ReceiptHandle": "x"}]},
    "DeleteQueue": lambda url: {},
    "GetQueueAttributes": lambda url: {"AttributeNames": ["All"]},
    "GetQueueUrl": lambda url: {"QueueName": url.rsplit("/", 1)[1], "QueueOwnerAWSAccountId": ACCOUNT},
    "ListDeadLetterSourceQueues": lambda url: {},
    "ListMessageMoveTasks": lambda url: {},
    "ListQueueTags": lambda url: {},
    "PurgeQueue": lambda url: {},
    "ReceiveMessage": lambda url: {},
    "RemovePermission": lambda url: {"Label": "l"},
    "SendMessage": lambda url: {"MessageBody": "x"},
    "SendMessageBatch": lambda url: {"Entries": [{"Id": "a", "MessageBody": "x"}]},
    "SetQueueAttributes": lambda url: {"Attributes": {"DelaySeconds": "1"}},
    "StartMessageMoveTask": lambda url: {},
    "TagQueue": lambda url: {"Tags": {"a": "b"}},
    "UntagQueue": lambda url: {"TagKeys": ["a"]},
}
# What a policy cannot share with another account (developer guide, "Limitations of Amazon SQS custom policies").
UNSHARED = {
    "AddPermission",
    "CancelMessageMoveTask",
    "DeleteQueue",
    "ListMessageMoveTasks",
    "ListQueueTags",
    "RemovePermission",
    "SetQueueAttributes",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
}
OF_A_SOURCE = {"ListMessageMoveTasks", "StartMessageMoveTask"}


def task_handle(arn: str) -> str:
    """The handle of a task that is not there, at a queue that is."""
    task = {"taskId": "00000000-0000-4000-8000-000000000000", "sourceArn": arn}
    return b64encode(json.dumps(task).encode()).decode()


def may(caller: Face, guarded, key, operation: str, url: str, arn: str) -> bool:
    """Whether a caller gets past the guard; what the operation itself says then is not the matter here."""
    body = CALLS[operation](url)
    if operation in OF_A_SOURCE:
        body["SourceArn"] = arn
    elif operation == "CancelMessageMoveTask":
        body["TaskHandle"] = task_handle(arn)
    elif operation != "GetQueueUrl":
        body["QueueUrl"] = url
    data = json.dumps(body).encode()
    answer = post(guarded.url, signed(guarded.url, key, target(operation), data), data)
    denied = answer.status == 403 and answer.error == "AccessDeniedException"
    assert denied or answer.status in (200, 400, 404), answer
    return not denied


@pytest.mark.parametrize("operation", CALLS)
def test_the_matrix(guarded, owner, friend, operation):
    """Each operation by the owner and by another account: without a policy, allowed, denied, another allowed."""
    allow = policy(Principal={"AWS": FRIEND[0]})
    action = f"sqs:{operation.removesuffix('Batch')}"
    one = policy(Principal={"AWS": FRIEND[0]}, Action=action)
    other = policy(Principal={"AWS": FRIEND[0]}, NotAction=action, Action=None)
    other = other.replace('"Action": null, ', "")
    deny = policy(Effect="Deny", Action=action)
    shared = operation not in UNSHARED
    for text, owner_may, friend_may in [
        ("", True, False),
        (allow, True, shared),
        (one, True, shared),
        (other, True, False),
        (deny, False, False),
    ]:
        url = owner.queue(**({"Policy": text} if text else {}))
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[1]}"
        assert may(friend, guarded, FRIEND, operation, url, arn) == friend_may, text
        assert may(owner, guarded, OWNER, operation, url, arn) == owner_may, text


def test_the_queue_is_the_one_that_the_operation_takes(guarded, owner, friend):
    """Whatever way a request names a queue, it is that queue's policy that counts."""
    url = owner.queue()
    name = url.rsplit("/", 1)[1]
    friend.client.create_queue(QueueName=name)  # its own, of the same name
    for form in (url, f"http://x/{ACCOUNT}/{name}", f"/queue/{REGION}/{ACCOUNT}/{name}", f"{ACCOUNT}/{name}"):
        assert error_of(friend.client.send_message, QueueUrl=form, MessageBody="x")[1].startswith("AccessDenied")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = b"Action=SendMessage&MessageBody=x"
    # A form posted to the URL of a queue, signed for that path.
    at = datetime.now(UTC)
    headers |= {"host": urlsplit(guarded.url).netloc, "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}"}
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    path = urlsplit(url).path
    canonical = f"POST\n{path}\n\n{lines}\n{';'.join(sorted(headers))}\n{digest(body)}"
    credential, proof = signature(FRIEND, at, canonical)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(sorted(headers))}, Signature={proof}"
    )
    assert post(guarded.url, headers, body, path=path).code == "AccessDenied"
    assert owner.counts(url)[0] == 0


def test_who_may_not_receive_may_not_look_either(guarded, owner, friend):
    url = owner.queue()
    owner.send(url, "a secret")
    looks = {"path": "/_aws/sqs/messages", "parameters": {"QueueUrl": url}}
    unsigned = get(guarded.url, f"/_aws/sqs/messages?QueueUrl={url}")
    assert (unsigned.status, unsigned.code) == (403, "MissingAuthenticationToken")
    stranger = get(guarded.url, presigned(guarded.url, FRIEND, **looks))
    assert (stranger.status, stranger.code) == (403, "AccessDenied")
    assert b"a secret" not in unsigned.body + stranger.body
    assert b"a secret" in get(guarded.url, presigned(guarded.url, OWNER, **looks)).body


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "{}",
        policy(Effect="allow"),
        policy(Principal=FRIEND[0]),
        policy(Condition={"StringSame": {"aws:SourceIp": "x"}}),
        policy(Resource="arn:" + "*a" * 500_000),
        policy() + " " * 8192,
    ],
)
def test_what_is_no_policy_is_refused_at_once(owner, text):
    started = time.monotonic()
    with refused("InvalidAttributeValue", says="Policy"):
        owner.queue(Policy=text)
    url = owner.queue()
    with refused("InvalidAttributeValue", says="Policy"):
        owner.set(url, Policy=text)
    assert time.monotonic() - started < 5
    assert "Policy" not in owner.attributes(url)


# The server


def test_guarded_it_may_listen_for_others(tmp_path):
    require_binary()
    command = [BINARY, "up", "--durability", "memory", "--listen", "0.0.0.0:0", *GUARDED]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = process.stderr.readline() + process.stderr.readline()
            assert "ready; durability memory" in said
            url = "http://127.0.0.1:" + re.search(r"http://0\.0\.0\.0:(\d+)", said)[1]
            assert face(url, OWNER).queue()
            assert error_of(face(url, (OWNER[0], "x")).client.list_queues)[0] == 403
        finally:
            process.kill()


def test_without_keys_it_does_not_start(tmp_path):
    require_binary()
    server = Server(tmp_path / "none", "--auth", "sigv4")
    server.spawn()
    assert server.wait(20) != 0
    assert "--access-key" in server.tail()
