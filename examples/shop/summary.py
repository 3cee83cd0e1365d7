"""What a person sees: one live line while it runs, a summary at the end."""

import sys
from typing import NamedTuple

WIDTH = 28


class Kill(NamedTuple):
    """One kill -9."""

    at_order: int  # orders acknowledged by then
    milliseconds: float  # from the start of the next server until it was ready


class Numbers(NamedTuple):
    """What the run came to."""

    ordered: int
    packed: int
    charged: int
    paid: int
    customers: int
    redelivered: int
    retries: int
    dead: int
    seconds: float
    kills: list[Kill]
    problems: list[str]


class Progress:
    """A line that is written over on a terminal; elsewhere a line for each tenth."""

    def __init__(self, total: int, quiet: bool):
        self.total, self.quiet = total, quiet
        self.tty = sys.stdout.isatty()
        self.tenth = -1

    def show(self, ordered: int, packed: int, paid: int, kills: int) -> None:
        text = f"ordered {ordered:>5,}   packed {packed:>5,}   paid {paid:>5,}   kill -9 × {kills}"
        if self.quiet:
            return
        if self.tty:
            filled = WIDTH * min(packed, self.total) // self.total
            print(f"\r  {'█' * filled}{'░' * (WIDTH - filled)}  {text}", end="", flush=True)
        elif (tenth := 10 * packed // self.total) != self.tenth:
            self.tenth = tenth
            print(f"  {text}", flush=True)

    def end(self) -> None:
        if self.tty and not self.quiet:
            print()


def row(count: int, words: str) -> str:
    return f"  {count:>7,}  {words}"


def text(numbers: Numbers) -> str:
    """The summary."""
    held = not numbers.problems
    lines = [
        "",
        f"  The shop closed after {numbers.seconds:.1f} seconds.",
        "",
        row(numbers.ordered, "orders placed, each acknowledged"),
        row(numbers.packed, "of them packed"),
        row(numbers.paid, f"payments taken of {numbers.charged:,}, from {numbers.customers} customers, each in turn"),
        row(numbers.dead, "poison message, in the dead-letter queue"),
        row(numbers.redelivered, "deliveries that came again (a crash cost an answer, not a message)"),
        row(numbers.retries, "calls that met no server and were tried again"),
        "",
        "  kill -9   after order   ready again in",
        "  -------   -----------   --------------",
    ]
    lines += [
        f"  {n:>7}   {kill.at_order:>11,}   {kill.milliseconds:>11.0f} ms" for n, kill in enumerate(numbers.kills, 1)
    ]
    lines += ["", "  Nothing that was acknowledged is lost, and every customer's payments kept their order."]
    if not held:
        shown = numbers.problems[:20]
        lines[-1:] = ["  THE STORY DID NOT HOLD:", *(f"    - {problem}" for problem in shown)]
        if more := len(numbers.problems) - len(shown):
            lines.append(f"    and {more:,} more")
    return "\n".join(lines) + "\n"


def as_json(numbers: Numbers) -> dict:
    """The same for a program."""
    return {**numbers._asdict(), "kills": [kill._asdict() for kill in numbers.kills], "held": not numbers.problems}
