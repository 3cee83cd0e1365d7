"""What must hold after any number of crashes, as functions of the journal alone.

A key is `worker/group/number`; numbers of a group rise by one in the order of their sends.
"""

from collections import defaultdict

from killloop.journal import Asked, Deleted, Received, Sent


def group_of(key: str) -> str:
    return key.rsplit("/", 1)[0]


def number_of(key: str) -> int:
    return int(key.rsplit("/", 1)[1])


def lost(entries: list) -> list[str]:
    """Acknowledged sends that nobody received and nobody deleted."""
    sent = {(e.queue, e.key) for e in entries if isinstance(e, Sent)}
    seen = {(e.queue, key) for e in entries if isinstance(e, (Received, Deleted)) for key in e.keys}
    return [f"lost: {queue} {key}" for queue, key in sorted(sent - seen)]


def returned(entries: list, fifo: set[str]) -> list[str]:
    """FIFO messages received although their deletion had been acknowledged before.

    Before the receive was *asked for*: a worker may write down an answer long after it was given.
    """
    gone, found = {}, []
    for entry in entries:
        if isinstance(entry, Deleted) and entry.queue in fifo:
            gone.update({(entry.queue, key): entry.at for key in entry.keys})
        if isinstance(entry, Received):
            back = [key for key in entry.keys if gone.get((entry.queue, key), entry.since) < entry.since]
            found += [f"back again: {entry.queue} {key}" for key in back]
    return found


def doubled(entries: list, fifo: set[str]) -> list[str]:
    """FIFO sends, repeated with one deduplication id, that became more than one message."""
    ids = defaultdict(set)
    for entry in entries:
        if entry.queue in fifo and isinstance(entry, Received):
            for key, message in zip(entry.keys, entry.messages, strict=True):
                ids[entry.queue, key].add(message)
        if entry.queue in fifo and isinstance(entry, Sent):
            ids[entry.queue, entry.key].add(entry.message)
    return [f"twice: {queue} {key} is {sorted(found)}" for (queue, key), found in ids.items() if len(found) > 1]


def overtaken(entries: list, fifo: set[str]) -> list[str]:
    """FIFO messages given out before the one ahead of them in the group was done with.

    The one ahead must stand before it in the same answer, or somebody must have asked for its
    deletion before.
    """
    done, found = set(), []
    for entry in entries:
        if entry.queue not in fifo:
            continue
        if isinstance(entry, Asked):
            done.update((entry.queue, key) for key in entry.keys)
        if isinstance(entry, Received):
            found += overtakers(entry, done)
    return found


def overtakers(answer: Received, done: set) -> list[str]:
    before, found = set(), []
    for key in answer.keys:
        number = number_of(key)
        ahead = f"{group_of(key)}/{number - 1}"
        if number > 0 and ahead not in before and (answer.queue, ahead) not in done:
            found.append(f"overtaken: {answer.queue} {key} came before {ahead} was done with")
        before.add(key)
    return found


def holes(entries: list, fifo: set[str]) -> list[str]:
    """Groups whose messages did not first appear in the order in which they were sent."""
    last, seen, found = defaultdict(lambda: -1), set(), []
    for entry in entries:
        if isinstance(entry, Received) and entry.queue in fifo:
            for key in entry.keys:
                place = (entry.queue, group_of(key))
                if (entry.queue, key) not in seen and number_of(key) != last[place] + 1:
                    found.append(f"out of order: {entry.queue} {key} after {last[place]}")
                if (entry.queue, key) not in seen:
                    last[place] = number_of(key)
                seen.add((entry.queue, key))
    return found


def failures(entries: list, fifo: set[str]) -> list[str]:
    """Everything that is wrong; empty when nothing is."""
    return (
        lost(entries)
        + returned(entries, fifo)
        + doubled(entries, fifo)
        + overtaken(entries, fifo)
        + holes(entries, fifo)
    )


def summary(entries: list) -> str:
    """Counts for the line that a run prints."""
    sent = sum(isinstance(e, Sent) for e in entries)
    received = [(e.queue, key) for e in entries if isinstance(e, Received) for key in e.keys]
    deleted = sum(len(e.keys) for e in entries if isinstance(e, Deleted))
    again = len(received) - len(set(received))
    return f"{sent} sends acknowledged, {len(received)} received ({again} again), {deleted} deletions acknowledged"
