"""What a line hands back, and what it is given."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random


@dataclass
class Outcome:
    """One line's result. No failures, and a count as large as was asked for, is a pass."""

    count: int
    unit: str
    note: str = ""
    failures: list[str] = field(default_factory=list)
    skipped: str = ""
    more: dict = field(default_factory=dict)  # figures for `--json`

    def to_json(self) -> dict:
        return asdict(self)


@dataclass
class Job:
    """What a line is asked to do: how much, by which chance, and where it may write."""

    name: str
    seed: int
    long: bool
    folder: Path
    count: int  # cycles, points, cases …; 0: all there are

    def chance(self, *parts) -> Random:
        """Random numbers of this seed; more parts give other numbers."""
        return Random("/".join(map(str, (self.name, self.seed, *parts))))

    def sub(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path


class Skip(Exception):
    """The line cannot run here; the text says why."""
