"""The story of what clients saw: what is held against the server, and what is not."""

from killloop.journal import Deleted, Received, Sent
from rig.story import Story


def story(*entries, firm=True) -> list[str]:
    told = Story(0)
    told.entries = list(entries)
    told.firm = [e for e in entries if firm or not isinstance(e, Deleted)]
    return told.failures()


SENT = Sent(1.0, "standard", "p/s/0", "id")
RECEIVED = Received(2.0, 1.9, "standard", ["p/s/0"], ["id"])
DELETED = Deleted(3.0, "standard", ["p/s/0"])
BACK = Received(5.0, 4.9, "standard", ["p/s/0"], ["id"])


def test_sent_received_deleted():
    assert story(SENT, RECEIVED, DELETED) == []


def test_lost():
    assert story(SENT) == ["lost: standard p/s/0"]


def test_deleted_for_good_means_gone():
    assert story(SENT, RECEIVED, DELETED, BACK) == ["back again: standard p/s/0"]


def test_a_standard_message_may_come_again_when_its_lease_went_with_a_process():
    assert story(SENT, RECEIVED, DELETED, BACK, firm=False) == []


def test_fifo_is_never_given_back():
    entries = [e._replace(queue="fifo") for e in (SENT, RECEIVED, DELETED, BACK)]
    assert "back again: fifo p/s/0" in story(*entries, firm=False)
