"""Receipts that are not of this message, this queue, this life of it or this server; a batch's entries are each their own."""

import base64

import pytest
from harness.face import ACCOUNT, Face, refused


def held(sqs, url: str) -> str:
    """A receipt of a message in flight."""
    sqs.send(url)
    return sqs.receive_one(url)["ReceiptHandle"]


def each(sqs, url: str, handle: str) -> dict:
    """The four ways to use a receipt; each as a call, the batches with one good entry beside."""
    return {
        "delete": lambda: sqs.client.delete_message(QueueUrl=url, ReceiptHandle=handle),
        "hide": lambda: sqs.client.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=9),
    }


def batches(sqs, url: str, bad: str, good: str) -> list[dict]:
    entries = [{"Id": "bad", "ReceiptHandle": bad}, {"Id": "good", "ReceiptHandle": good}]
    hidden = sqs.client.change_message_visibility_batch(
        QueueUrl=url, Entries=[{**entry, "VisibilityTimeout": 9} for entry in entries]
    )
    return [hidden, sqs.client.delete_message_batch(QueueUrl=url, Entries=entries)]


@pytest.mark.parametrize("use", ["delete", "hide"])
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_of_another_queue(sqs, use, fifo):
    here, there = sqs.queue(), sqs.fifo() if fifo else sqs.queue()
    with refused("ReceiptHandleIsInvalid", says="receipt handle"):
        each(sqs, there, held(sqs, here))[use]()
    assert sqs.counts(here) == (0, 1, 0)


@pytest.mark.parametrize("use", ["delete", "hide"])
def test_of_another_account(sqs, use):
    other = Face(sqs.url, key="123456789012")
    name = sqs.queue().rsplit("/", 1)[1]
    there = other.client.create_queue(QueueName=name)["QueueUrl"]
    with refused("ReceiptHandleIsInvalid"):
        each(other, there, held(sqs, f"{sqs.url}/{ACCOUNT}/{name}"))[use]()


@pytest.mark.parametrize("use", ["delete", "hide"])
def test_of_an_earlier_life_of_the_queue(timed, use):
    url = timed.queue()
    handle = held(timed, url)
    timed.client.delete_queue(QueueUrl=url)
    timed.advance("61s")
    timed.client.create_queue(QueueName=url.rsplit("/", 1)[1])
    held(timed, url)
    with refused("ReceiptHandleIsInvalid"):
        each(timed, url, handle)[use]()
    assert timed.counts(url) == (0, 1, 0)


@pytest.mark.parametrize("use", ["delete", "hide"])
def test_of_another_server(sqs, own_server, use):
    """The first queue and the first message of each have the same numbers; the keys differ."""
    other = Face(own_server.url)
    with refused("ReceiptHandleIsInvalid"):
        each(sqs, sqs.queue(), held(other, other.queue()))[use]()


FORGED = {
    "empty": lambda handle: "",
    "text": lambda handle: "x",
    "shorter": lambda handle: handle[:-4],
    "longer": lambda handle: handle + "AAAA",
    "twice": lambda handle: handle * 2,
    "a bit": lambda handle: base64.b64encode(bytes([base64.b64decode(handle)[0] ^ 1]) + base64.b64decode(handle)[1:]).decode(),
    "the last bit": lambda handle: base64.b64encode(
        base64.b64decode(handle)[:-1] + bytes([base64.b64decode(handle)[-1] ^ 1])
    ).decode(),
    "huge": lambda handle: "A" * 100_000,
    "no base64": lambda handle: "ä" + handle[1:],
}


@pytest.mark.parametrize("forge", FORGED)
@pytest.mark.parametrize("use", ["delete", "hide"])
def test_forged(sqs, use, forge):
    url = sqs.queue()
    handle = held(sqs, url)
    with refused("ReceiptHandleIsInvalid", "MissingParameter"):
        each(sqs, url, FORGED[forge](handle))[use]()
    assert sqs.counts(url) == (0, 1, 0)


def test_one_bad_entry_of_a_batch_fails_alone(sqs):
    url = sqs.queue()
    sqs.send(url, "a")
    sqs.send(url, "b")
    good = sqs.receive_one(url)["ReceiptHandle"]
    for answer in batches(sqs, url, held(sqs, sqs.queue()), good):
        assert [one["Id"] for one in answer["Successful"]] == ["good"]
        (failed,) = answer["Failed"]
        assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "ReceiptHandleIsInvalid", True)
    assert sqs.counts(url) == (1, 0, 0)


def test_nine_bad_of_ten(sqs):
    url = sqs.queue()
    good = held(sqs, url)
    entries = [{"Id": f"e{n}", "ReceiptHandle": good if n == 4 else f"bad {n}"} for n in range(10)]
    answer = sqs.client.delete_message_batch(QueueUrl=url, Entries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["e4"]
    assert [one["Id"] for one in answer["Failed"]] == [f"e{n}" for n in range(10) if n != 4]


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_of_an_earlier_epoch(own_server, fifo, kill):
    """The same server after a restart: a FIFO lease is in the log, a standard queue asks for less."""
    sqs = Face(own_server.url)
    url = sqs.queue(fifo=fifo, **({"ContentBasedDeduplication": "true"} if fifo else {}))
    sqs.send(url, **({"MessageGroupId": "g"} if fifo else {}))
    handle = sqs.receive_one(url)["ReceiptHandle"]
    if kill:
        own_server.kill()
    else:
        assert own_server.stop() == 0
    own_server.start()
    sqs.client.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert sqs.attributes(url, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible") == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
    }
