"""Pages of services that are here in part, for those who set up others: each operation, answered or not supported.

An operation is *here* when the face runs it, and then a test of the service's file has to use it; every other one is
refused as not supported, which one test asks of each.
"""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

import fetch
import used
from rust import snake

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "target/gen"
ALL_OTHERS = "test_every_other_operation_is_not_supported"


class Helper(NamedTuple):
    name: str  # as in the model's path, and the face's folder
    version: str
    title: str
    tests: str

    @property
    def page(self) -> Path:
        return ROOT / f"docs/fidelity/{self.name}.md"


HELPERS = [
    Helper("iam", "2010-05-08", "IAM", "test_iam.py"),
    Helper("sts", "2011-06-15", "STS", "test_iam.py"),
]


def answered(helper: Helper) -> set[str]:
    text = (ROOT / f"crates/aws/src/{helper.name}/mod.rs").read_text()
    text = text[text.index("match operation") :]
    return set(re.findall(r"Operation::(\w+) =>", text))


def tests_of(helper: Helper, operation: str) -> list[str]:
    tree = ast.parse((ROOT / "tests/sdk" / helper.tests).read_text())
    meanings, name = used.constants(tree), snake(operation)
    wanted = {name, f"list_{name.removeprefix('list_')}"} if name.startswith("list_") else {name}
    return [
        test
        for test, node in used.functions(tree)
        if test.startswith("test_") and wanted & used.spread(used.mentions(node) | used.decorations(node), meanings)
    ]


def page(helper: Helper) -> str:
    model = fetch.model(CACHE, fetch.BOTOCORE, helper.name, helper.version).data
    here, all_of_it = answered(helper), sorted(model["operations"])
    lines = [
        f"# {helper.title}, operation by operation",
        "",
        "Made by `make fidelity` from the code, the service's model and the tests; edit those. Here for those who set up",
        "other services: what is written down is kept, durably, and returned. No line was checked against AWS itself.",
        f"{len(here)} of {len(all_of_it)} operations are here; every other one answers `NotImplemented` with status 501,",
        f"which `{ALL_OTHERS}` asks of each.",
        "",
        "| operation | state | tests |",
        "|---|---|---|",
    ]
    for operation in all_of_it:
        if operation not in here:
            lines.append(f"| {operation} | not supported | |")
            continue
        tests = tests_of(helper, operation)
        if not tests:
            sys.exit(f"{helper.title}: {operation} is here, and no test shows it")
        lines.append(f"| {operation} | here | {helper.tests} ({len(tests)}) |")
    return "\n".join(lines) + "\n"
