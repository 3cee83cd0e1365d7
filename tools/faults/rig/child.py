"""The process of one line: runs it and writes down what came out, whatever came out."""

import importlib
import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

from lines.table import LINES

from rig.outcome import Job, Outcome, Skip


def main(options) -> int:
    # Nothing of the user's own configuration may reach the SDK.
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))  # the lines' own `finally` clean up
    line = next(line for line in LINES if line.name == options.only)
    result = Path(options.child)
    folder = result.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    amount = options.cycles if options.cycles is not None else (line.short if options.short else line.long)
    job = Job(line.name, options.seed, not options.short, folder, amount)
    outcome = guarded(line, job)
    new = result.with_suffix(".new")
    new.write_text(json.dumps(outcome.to_json()))
    new.rename(result)
    return 0


def guarded(line, job: Job) -> Outcome:
    """A line that raises is a line that failed; its last words are the failure."""
    try:
        return importlib.import_module(f"lines.{line.module}").run(job, **line.options)
    except Skip as reason:
        return Outcome(0, "", skipped=str(reason))
    except SystemExit as reason:
        return Outcome(0, "", failures=[str(reason)])
    except BaseException as failure:
        traceback.print_exc()
        return Outcome(0, "", failures=[f"{type(failure).__name__}: {failure}"])
