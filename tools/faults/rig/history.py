"""What writers asked and heard, and what must be true of it beside the log that is left.

Each attempt is recorded with the moments of its question and its answer. The log is the one order that is
claimed: the checks say whether it explains every answer. An attempt without an answer may be there or not.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from math import inf
from operator import attrgetter

SHOWN = 3  # attempts of one kind of failure that are told; more are counted


@dataclass
class Attempt:
    """One append, asked once; a repeat is an attempt of its own."""

    id: str  # in the data of each of its events
    events: list[tuple[str, str]]  # stream and tag, in order
    expected: dict[str, int] = field(default_factory=dict)  # the version that a stream has to have
    boundary: tuple[str, int] | None = None  # no event with this tag behind this number
    key: str = ""  # under which it happens once
    begin: float = 0.0
    end: float = inf  # the moment of the answer, or that at which its server was gone
    answer: str = "unknown"  # done, again, moved
    first: int = 0
    last: int = 0
    versions: dict[str, int] = field(default_factory=dict)  # of the answer
    moved: dict = field(default_factory=dict)  # of the refusal: stream and actual, or newest

    @property
    def done(self) -> bool:
        return self.answer == "done"


@dataclass(frozen=True)
class Stored:
    """An event as it is read at the end."""

    number: int
    stream: str
    version: int
    attempt: str
    index: int  # which of its attempt's events
    tag: str


@dataclass
class Place:
    """Where an attempt is in the log."""

    first: int
    last: int


class History:
    """The attempts of one data directory, and the events that it has in the end."""

    def __init__(self, attempts: list[Attempt], events: list[Stored]):
        self.attempts, self.events = attempts, events
        self.by_id = {attempt.id: attempt for attempt in attempts}
        self.stored = defaultdict(list)
        self.numbers_of = defaultdict(list)  # stream -> the numbers of its versions
        self.tagged = defaultdict(list)  # tag -> numbers
        for event in events:
            self.stored[event.attempt].append(event)
            self.numbers_of[event.stream].append(event.number)
            self.tagged[event.tag].append(event.number)
        self.places = {id: Place(found[0].number, found[-1].number) for id, found in self.stored.items()}

    def failures(self) -> list[str]:
        checks = (
            self.numbers, self.versions, self.wholeness, self.acknowledged, self.refused, self.expectations,
            self.shared_versions, self.boundaries, self.keys, self.moments, self.stale_refusals,
        )  # fmt: skip
        return [line for check in checks for line in few(list(check()))]

    def numbers(self):
        """Event numbers have no gap, from 1."""
        for wanted, event in enumerate(self.events, 1):
            if event.number != wanted:
                yield f"a gap: event {event.number} is where {wanted} should be"
                return

    def versions(self):
        """A stream's versions have no gap, from 1."""
        streams = defaultdict(list)
        for event in self.events:
            streams[event.stream].append(event.version)
        for stream, versions in streams.items():
            if versions != list(range(1, len(versions) + 1)):
                yield f"a gap: {stream} has versions {versions[:8]} …, {len(versions)} in all"

    def wholeness(self):
        """All of an append is there, together, in its order, once; or nothing of it."""
        for id, found in self.stored.items():
            attempt = self.by_id.get(id)
            if attempt is None:
                yield f"nobody appended {id}, event {found[0].number}"
                continue
            is_together = found[-1].number - found[0].number == len(found) - 1
            is_whole = [(event.stream, event.tag) for event in found] == attempt.events
            if not (is_together and is_whole and [event.index for event in found] == list(range(len(found)))):
                told = f"{len(found)} events of {len(attempt.events)} from {found[0].number}"
                yield f"not whole, or not once: {id}, {told}"

    def acknowledged(self):
        """What was acknowledged is where the answer says."""
        for attempt in self.attempts:
            if not attempt.done:
                continue
            place = self.places.get(attempt.id)
            if place is None:
                yield f"lost: {attempt.id} was acknowledged as {attempt.first} to {attempt.last}"
            elif (place.first, place.last) != (attempt.first, attempt.last):
                yield f"elsewhere: {attempt.id} is {place.first}, and the answer said {attempt.first}"
            elif {event.stream: event.version for event in self.stored[attempt.id]} != attempt.versions:
                yield f"other versions: {attempt.id} was answered with {attempt.versions}"

    def refused(self):
        """Nothing of what was refused, or answered as a repeat, is there."""
        for attempt in self.attempts:
            if attempt.answer in ("moved", "again") and attempt.id in self.places:
                yield f"refused and there: {attempt.id} ({attempt.answer}) is {self.places[attempt.id].first}"

    def expectations(self):
        """A stream had the expected version when its append was taken, answered or not."""
        for attempt, place in self.taken():
            for stream, version in attempt.expected.items():
                actual = sum(number < place.first for number in self.numbers_of[stream])
                if actual != version:
                    yield f"taken at {actual} of {stream}: {attempt.id} expected {version}"

    def shared_versions(self):
        """By the answers alone: no two rest on the same version of a stream that both wrote."""
        rests = defaultdict(list)
        for attempt in self.attempts:
            if attempt.done:
                for stream in attempt.expected.keys() & attempt.versions.keys():
                    rests[stream, attempt.expected[stream]].append(attempt.id)
        for (stream, version), ids in rests.items():
            if len(ids) > 1:
                yield f"acknowledged on the same version {version} of {stream}: {', '.join(ids)}"

    def boundaries(self):
        """Nothing that a boundary means came between what its writer knew and its append."""
        for attempt, place in self.taken():
            if attempt.boundary:
                tag, after = attempt.boundary
                between = [number for number in self.tagged[tag] if after < number < place.first]
                if between:
                    yield f"taken over {between[0]}: {attempt.id} at {place.first} knew {tag} up to {after}"

    def keys(self):
        """One append for a key, and one answer."""
        for key, attempts in grouped(self.attempts, "key"):
            there = [attempt.id for attempt in attempts if attempt.id in self.places]
            if len(there) > 1:
                yield f"appended twice under {key}: {', '.join(there)}"
            answered = [attempt for attempt in attempts if attempt.answer in ("done", "again")]
            if len({(a.first, a.last, tuple(sorted(a.versions.items()))) for a in answered}) > 1:
                yield f"answered in two ways under {key}: {', '.join(attempt.id for attempt in answered)}"
            if sum(attempt.done for attempt in attempts) > 1:
                yield f"taken as new twice under {key}"
            first = min((attempt.end for attempt in answered), default=inf)
            late = [a.id for a in attempts if a.begin > first and a.answer in ("done", "moved")]
            if late:
                yield f"{key} had its answer, and {late[0]} was not answered with it"
            for attempt in attempts:
                if attempt.answer == "again" and not any(self.is_answer(attempt, id) for id in there):
                    yield f"answered with nothing: {attempt.id} under {key} got {attempt.first}"

    def is_answer(self, attempt: Attempt, id: str) -> bool:
        """Whether a repeat was answered with that append, which began before the answer."""
        place = self.places[id]
        return (place.first, place.last) == (attempt.first, attempt.last) and self.by_id[id].begin < attempt.end

    def moments(self):
        """What was answered before another was asked is before it in the log."""
        asked = sorted(self.taken(), key=lambda pair: pair[0].begin)
        ended = sorted(asked, key=lambda pair: pair[0].end)
        position, newest, of = 0, 0, ""
        for attempt, place in asked:
            while position < len(ended) and ended[position][0].end < attempt.begin:
                if ended[position][1].last > newest:
                    newest, of = ended[position][1].last, ended[position][0].id
                position += 1
            if place.first < newest:
                yield f"out of order: {attempt.id} is {place.first}, asked after {of} had ended at {newest}"

    def stale_refusals(self):
        """A refusal tells a state that there was between question and answer, and that contradicts."""
        for attempt in self.attempts:
            if attempt.answer == "moved":
                wrong = self.of_version(attempt) if "actual" in attempt.moved else self.of_boundary(attempt)
                if wrong:
                    yield f"{attempt.id} was refused {wrong}"

    def of_version(self, attempt: Attempt) -> str:
        stream, actual = attempt.moved["stream"], attempt.moved["actual"]
        numbers = self.numbers_of[stream]
        if attempt.expected.get(stream) == actual:
            return f"although {stream} was at {actual}, as expected"
        if actual > len(numbers):
            return f"for version {actual} of {stream}, which is not there"
        if actual and self.attempt_of(numbers[actual - 1]).begin > attempt.end:
            return f"for version {actual} of {stream}, which nobody had asked for yet"
        if actual < len(numbers) and self.attempt_of(numbers[actual]).end < attempt.begin:
            return f"for version {actual} of {stream}, which was older"
        return ""

    def of_boundary(self, attempt: Attempt) -> str:
        tag, after = attempt.boundary or ("", inf)
        newest, numbers = attempt.moved["newest"], self.tagged[tag]
        if newest <= after or newest not in numbers:
            return f"for event {newest}, which is not of {tag} behind {after}"
        if self.attempt_of(newest).begin > attempt.end:
            return f"for event {newest}, which nobody had asked for yet"
        return ""

    def attempt_of(self, number: int) -> Attempt:
        event = self.events[number - 1] if number <= len(self.events) else None
        return self.by_id.get(event.attempt if event else "", Attempt("nobody's", []))

    def taken(self) -> list[tuple[Attempt, Place]]:
        return [(self.by_id[id], place) for id, place in self.places.items() if id in self.by_id]


def grouped(attempts: list[Attempt], name: str):
    """Those that have the attribute, by its values."""
    value = attrgetter(name)
    return [(key, list(of)) for key, of in groupby(sorted(filter(value, attempts), key=value), value)]


def few(found: list[str]) -> list[str]:
    more = len(found) - SHOWN
    return found if more <= 0 else [*found[:SHOWN], f"{found[0].split(':')[0]}: and {more} more like that"]
