"""Breaks things under a Lineside server and says what it did about it: one line for each fault.

    make faults                       everything, long form; make faults-short is for CI
    make faults ONLY=kill SEED=7      one line once more, with the seed that a failure printed
    make faults ONLY=kill CYCLES=10000

The exit status is 0 when every line passed or was skipped for a reason that is printed, else 1. With
`--json FILE` the same goes to a file. `LINESIDE_BIN` names another binary than target/release/lineside.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/sdk"), str(ROOT / "tools/faults")]

from rig import child, runner  # noqa: E402  (they stand on the path above)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="the short form, for CI")
    parser.add_argument("--only", default="", help="names of lines, with commas between")
    parser.add_argument("--seed", type=int, help="repeats a run; by default it is chosen and printed")
    parser.add_argument("--cycles", type=int, help="how many cycles, points or cases, instead of the line's own")
    parser.add_argument("--jobs", type=int, default=1, help="lines at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the results there too")
    parser.add_argument("--keep", action="store_true", help="keeps what the lines wrote, also when they pass")
    parser.add_argument("--child", metavar="FILE", help=argparse.SUPPRESS)  # one line's process; its result goes there
    return parser.parse_args()


def main() -> int:
    options = arguments()
    return child.main(options) if options.child else runner.main(options)


if __name__ == "__main__":
    sys.exit(main())
