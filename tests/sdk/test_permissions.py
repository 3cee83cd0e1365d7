"""AddPermission and RemovePermission, and the attribute Policy that they edit.

What a policy allows and denies is in test_auth.py; nobody's signature is checked here.
"""

import json
import threading

import pytest
from harness.face import ACCOUNT, refused

OTHER = "123456789012"


def add(sqs, url: str, label: str = "a", accounts=(OTHER,), actions=("SendMessage",)) -> None:
    sqs.client.add_permission(QueueUrl=url, Label=label, AWSAccountIds=list(accounts), Actions=list(actions))


def policy(sqs, url: str) -> dict | None:
    text = sqs.attributes(url, "Policy").get("Policy")
    return json.loads(text) if text else None


def labels(sqs, url: str) -> list[str]:
    return [statement["Sid"] for statement in policy(sqs, url)["Statement"]]


def allow_all(sqs, url: str, sid: str = "mine") -> dict:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": sqs.arn(url)}
    return {"Version": "2012-10-17", "Id": "x", "Statement": [statement]}


def test_a_queue_has_no_policy_at_first(sqs):
    assert policy(sqs, sqs.queue()) is None


def test_the_first_permission_makes_a_policy(sqs):
    url = sqs.queue()
    add(sqs, url, "alice", [OTHER], ["SendMessage"])
    arn = sqs.arn(url)
    assert policy(sqs, url) == {
        "Version": "2008-10-17",
        "Id": f"{arn}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "alice",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
                "Action": "SQS:SendMessage",
                "Resource": arn,
            }
        ],
    }


def test_several_accounts_and_actions(sqs):
    url = sqs.queue()
    add(sqs, url, "b", [OTHER, ACCOUNT], ["SendMessage", "ReceiveMessage", "*"])
    (statement,) = policy(sqs, url)["Statement"]
    assert statement["Principal"]["AWS"] == [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{ACCOUNT}:root"]
    assert statement["Action"] == ["SQS:SendMessage", "SQS:ReceiveMessage", "SQS:*"]


def test_add_and_remove(sqs):
    url = sqs.queue()
    for label in "abc":
        add(sqs, url, label)
    sqs.client.remove_permission(QueueUrl=url, Label="b")
    assert labels(sqs, url) == ["a", "c"]
    sqs.client.remove_permission(QueueUrl=url, Label="a")
    sqs.client.remove_permission(QueueUrl=url, Label="c")
    assert policy(sqs, url) is None


def test_a_label_that_is_there_already(sqs):
    url = sqs.queue()
    add(sqs, url, "a")
    with refused("InvalidParameterValue", says="Value a for parameter Label is invalid. Reason: Already exists."):
        add(sqs, url, "a", actions=["ReceiveMessage"])


def test_a_label_that_is_not_there(sqs):
    url = sqs.queue()
    with refused("InvalidParameterValue", says="Label"):
        sqs.client.remove_permission(QueueUrl=url, Label="a")
    add(sqs, url, "a")
    with refused("InvalidParameterValue", says="Label"):
        sqs.client.remove_permission(QueueUrl=url, Label="A")
    assert labels(sqs, url) == ["a"]


def test_a_policy_that_was_set_by_hand_is_added_to(sqs):
    url = sqs.queue()
    by_hand = allow_all(sqs, url)
    by_hand["Statement"] = by_hand["Statement"][0]  # one alone may stand without a list
    sqs.set(url, Policy=json.dumps(by_hand))
    add(sqs, url, "a")
    assert labels(sqs, url) == ["mine", "a"]
    assert policy(sqs, url)["Version"] == "2012-10-17"
    sqs.client.remove_permission(QueueUrl=url, Label="mine")
    assert labels(sqs, url) == ["a"]


@pytest.mark.parametrize("label", ["", "a b", "ä", "x" * 81, "a.b", "a\0"])
def test_labels_that_are_none(sqs, label):
    url = sqs.queue()
    with refused("InvalidParameterValue", "MissingParameter", says="Label"):
        add(sqs, url, label)
    with refused("InvalidParameterValue", "MissingParameter", says="Label"):
        sqs.client.remove_permission(QueueUrl=url, Label=label)


@pytest.mark.parametrize("account", ["", "1", "12345678901x", "1234567890123", "*", f"arn:aws:iam::{OTHER}:root"])
def test_accounts_that_are_none(sqs, account):
    with refused("InvalidParameterValue", says="PrincipalId"):
        add(sqs, sqs.queue(), accounts=[OTHER, account])


@pytest.mark.parametrize("action", ["", "Nonsense", "sqs:SendMessage", "sendmessage", "Send*"])
def test_actions_that_are_none(sqs, action):
    with refused("InvalidParameterValue", says="ActionName"):
        add(sqs, sqs.queue(), actions=["SendMessage", action])


@pytest.mark.parametrize("action", ["AddPermission", "RemovePermission", "CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue"])
def test_actions_that_only_the_owner_may(sqs, action):
    with refused("InvalidParameterValue", says="Only the queue owner is allowed to invoke this action"):
        add(sqs, sqs.queue(), actions=[action])


SHARED = ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl", "PurgeQueue"]


def test_seven_actions_and_no_more(sqs):
    url = sqs.queue()
    add(sqs, url, "seven", actions=SHARED)
    with refused("OverLimit", says="8"):
        add(sqs, url, "eight", actions=[*SHARED, "ListDeadLetterSourceQueues"])


def test_twenty_permissions_and_no_more(sqs):
    url = sqs.queue()
    for n in range(20):
        add(sqs, url, f"l{n}")
    with refused("OverLimit", says="20"):
        add(sqs, url, "one-more")
    assert len(labels(sqs, url)) == 20


def test_permissions_that_do_not_fit_into_a_policy(sqs):
    url = sqs.queue()
    accounts = [f"{n:012}" for n in range(50)]
    with refused("OverLimit"):
        for n in range(20):
            add(sqs, url, f"l{n}", accounts)
    before = labels(sqs, url)
    assert 1 <= len(before) < 20
    sqs.client.remove_permission(QueueUrl=url, Label="l0")
    assert labels(sqs, url) == before[1:]


def test_what_is_missing(sqs):
    url = sqs.queue()
    whole = {"QueueUrl": url, "Label": "a", "AWSAccountIds": [OTHER], "Actions": ["SendMessage"]}
    for name in whole:
        with refused("MissingParameter", says=name):
            sqs.unchecked.add_permission(**{key: value for key, value in whole.items() if key != name})
    for name in ("AWSAccountIds", "Actions"):
        with refused("MissingParameter", says=name):
            sqs.client.add_permission(**{**whole, name: []})
    for name in ("QueueUrl", "Label"):
        with refused("MissingParameter", says=name):
            given = {"QueueUrl": url, "Label": "a"}
            sqs.unchecked.remove_permission(**{key: value for key, value in given.items() if key != name})


def test_a_queue_that_is_not_there(sqs):
    missing = f"{sqs.url}/{ACCOUNT}/{sqs.name()}"
    with refused("QueueDoesNotExist"):
        add(sqs, missing)
    with refused("QueueDoesNotExist"):
        sqs.client.remove_permission(QueueUrl=missing, Label="a")


def test_edits_at_once_lose_none(sqs):
    """Each reads the policy, changes it and sets it; who comes second must begin again."""
    url = sqs.queue()
    threads = [threading.Thread(target=add, args=(sqs, url, f"l{n}")) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(labels(sqs, url)) == sorted(f"l{n}" for n in range(16))


# --- the attribute ----------------------------------------------------------------------------------


def test_a_policy_comes_back_as_it_was_set(sqs):
    url = sqs.queue()
    text = json.dumps(allow_all(sqs, url), indent=3)
    sqs.set(url, Policy=text)
    assert sqs.attributes(url, "Policy") == {"Policy": text}
    assert sqs.attributes(url)["Policy"] == text


def test_an_empty_policy_takes_it_away(sqs):
    url = sqs.queue()
    sqs.set(url, Policy=json.dumps(allow_all(sqs, url)))
    sqs.set(url, Policy="")
    assert sqs.attributes(url, "Policy") == {}


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "{}",
        '{"Statement": []}',
        '{"Statement": [{"Effect": "Allow"}]}',
        '{"Statement": [{"Effect": "Perhaps", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}',
        '{"Version": "2020-01-01", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}',
        '{"Statement":' + "[" * 5000,
        '{"Id":"' + "x" * 9000 + '"}',
    ],
    ids=lambda text: text[:30],
)
def test_policies_that_are_refused(sqs, text):
    url = sqs.queue()
    with refused("InvalidAttributeValue", says="Policy"):
        sqs.set(url, Policy=text)
    with refused("InvalidAttributeValue", says="Policy"):
        sqs.queue(Policy=text)
    assert sqs.attributes(url, "Policy") == {}


def test_creating_again_with_another_policy(sqs):
    name, url = sqs.name(), sqs.queue()
    text = json.dumps(allow_all(sqs, url))
    sqs.client.create_queue(QueueName=name, Attributes={"Policy": text})
    sqs.client.create_queue(QueueName=name, Attributes={"Policy": text})
    with refused("QueueNameExists", says="Policy"):
        sqs.client.create_queue(QueueName=name, Attributes={"Policy": text.replace("mine", "yours")})
