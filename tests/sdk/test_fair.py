"""Item 19: fair queues. Tenants are groups on a standard queue; a noisy one delays nobody else."""

from harness.face import bodies


def send_of(timed, url: str, tenant: str, count: int) -> None:
    for start in range(0, count, 10):
        sent = range(start, min(start + 10, count))
        entries = [{"Id": str(n), "MessageBody": f"{tenant} {n}", "MessageGroupId": tenant} for n in sent]
        assert "Failed" not in timed.send_batch(url, entries)


def worked_for(timed, url: str, span: str) -> str:
    """One message is received and, so much later, deleted."""
    message = timed.receive_one(url, VisibilityTimeout=600)
    timed.advance(span)
    timed.delete(url, message)
    return message["Body"]


def test_item_19_a_noisy_tenant_delays_nobody_else(timed):
    url = timed.queue()
    send_of(timed, url, "noisy", 1000)
    held = [message for _ in range(3) for message in timed.receive(url, VisibilityTimeout=600)]
    assert len(held) == 30
    for tenant in ("one", "two", "three"):
        send_of(timed, url, tenant, 2)
    timed.send(url, "nobody's")
    first = bodies(timed.receive(url, 7))
    assert first == ["one 0", "one 1", "two 0", "two 1", "three 0", "three 1", "nobody's"]
    # Now nobody else has work: none of the rest is held back.
    rest = timed.receive(url)
    assert [message["Attributes"]["MessageGroupId"] for message in rest] == ["noisy"] * 10


def test_item_19_under_thirty_in_flight_nobody_waits(timed):
    url = timed.queue()
    send_of(timed, url, "busy", 40)
    for count in (10, 10, 9):
        assert len(timed.receive(url, count, VisibilityTimeout=600)) == count
    send_of(timed, url, "other", 1)
    assert bodies(timed.receive(url, 1)) == ["busy 29"]
    assert bodies(timed.receive(url, 1)) == ["other 0"], "with thirty, it does"


def test_item_19_up_to_a_tenth_of_all_in_flight_nobody_waits(timed):
    url = timed.queue()
    for n in range(27):
        timed.send_batch(url, [{"Id": str(i), "MessageBody": f"{n} {i}"} for i in range(10)])
        assert len(timed.receive(url, VisibilityTimeout=600)) == 10
    send_of(timed, url, "busy", 31)
    for _ in range(3):
        assert len(timed.receive(url, VisibilityTimeout=600)) == 10
    send_of(timed, url, "other", 1)
    assert bodies(timed.receive(url, 1)) == ["busy 30"], "30 of 300"


def test_item_19_a_slow_tenant_is_noisy_with_few_in_flight(timed):
    url = timed.queue()
    send_of(timed, url, "slow", 3)
    assert worked_for(timed, url, "10s") == "slow 0"
    send_of(timed, url, "quick", 2)
    assert bodies(timed.receive(url)) == ["quick 0", "quick 1", "slow 1", "slow 2"]


def test_item_19_after_five_minutes_a_slow_tenant_is_quiet_again(timed):
    url = timed.queue()
    send_of(timed, url, "slow", 2)
    worked_for(timed, url, "10s")
    timed.advance("5m")
    send_of(timed, url, "quick", 1)
    assert bodies(timed.receive(url)) == ["slow 1", "quick 0"]


def test_item_19_of_noisy_tenants_who_has_least_in_flight_comes_first(timed):
    url = timed.queue()
    for tenant, held in (("much", 40), ("less", 30)):
        send_of(timed, url, tenant, held + 2)
        for _ in range(held // 10):
            assert len(timed.receive(url, VisibilityTimeout=600)) == 10
    assert bodies(timed.receive(url, 4)) == ["less 30", "less 31", "much 40", "much 41"]
