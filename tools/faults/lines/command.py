"""Lines that another program runs: its exit status is the verdict, its words hold the count.

A program that passes and says no count, or a smaller one than was asked for, has not run what the line
promises: a test that was renamed, say. That is a failure.
"""

import re
import subprocess
import sys

from harness.server import ROOT
from rig.outcome import Job, Outcome

WORDS = 400  # characters of its last words that a failure shows


def run(job: Job, command: list[str], unit: str, pattern: str, each: int = 0) -> Outcome:
    """`{python}`, `{count}` and `{seed}` in the command are filled in."""
    values = {"python": sys.executable, "count": job.count, "seed": job.seed}
    words = [word.format(**values) for word in command]
    print("$ " + " ".join(words), flush=True)
    # Its words are read as they come, so that a line that runs out of time has left them behind.
    process = subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = []
    for line in process.stdout:
        sys.stdout.write(line)
        said.append(line)
    return judged(job, "".join(said), process.wait(), unit, pattern, each)


def judged(job: Job, said: str, status: int, unit: str, pattern: str, each: int = 0) -> Outcome:
    """The numbers that `pattern` finds are added up; or it counts for `each` as often as it is found."""
    counts = [each or int(re.sub(r"[,_]", "", found)) for found in re.findall(pattern, said.strip())]
    outcome = Outcome(sum(counts), unit)
    if status:
        outcome.failures.append(f"exit status {status}: …{said[-WORDS:].strip()}")
    elif not counts:
        outcome.failures.append(f"it passed and did not say how many {unit}: {said[-WORDS:].strip()}")
    elif outcome.count < job.count:
        outcome.failures.append(f"only {outcome.count} {unit} of {job.count}")
    return outcome
