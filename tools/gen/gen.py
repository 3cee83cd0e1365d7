"""Writes the committed wire types of the AWS face from pinned service models.

    python3 tools/gen/gen.py            write them
    python3 tools/gen/gen.py --check    write nothing; exit 1 when they differ

Reading order: fetch.py (where a model comes from), rust.py (types), table.py (shapes as data).
"""

import difflib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import fetch
import rust
import table

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "target" / "gen"


class Service(NamedTuple):
    name: str
    version: str
    operations: list[str]  # those that are here; the others are a list of names
    query: str = fetch.BOTOCORE  # the wheel whose model speaks the Query protocol

    def output(self, suffix: str = "") -> Path:
        return ROOT / f"crates/aws/src/generated/{self.name}{suffix}.rs"


SERVICES = [
    Service(
        "sqs",
        "2012-11-05",
        """AddPermission CancelMessageMoveTask ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue
        DeleteMessage DeleteMessageBatch DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues
        ListMessageMoveTasks ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage
        SendMessageBatch SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue""".split(),
        fetch.BOTOCORE_WITH_QUERY,
    ),
    Service("sts", "2011-06-15", ["GetCallerIdentity"]),
    Service(
        "iam",
        "2010-05-08",
        """AttachRolePolicy CreatePolicy CreateRole DeletePolicy DeleteRole DeleteRolePolicy DetachRolePolicy GetPolicy
        GetPolicyVersion GetRole GetRolePolicy ListAttachedRolePolicies ListPolicies ListRolePolicies ListRoles
        PutRolePolicy""".split(),
    ),
]


def formatted(source: str) -> str:
    """As rustfmt writes it; the options are given here, so no config file matters."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.rs"
        path.write_text(source)
        options = ["--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max", "--config-path", "/dev/null"]
        subprocess.run(["rustfmt", *options, str(path)], check=True)
        return path.read_text()


def check(path: Path, wanted: str) -> bool:
    """Prints how the committed file differs; true when it does not."""
    committed = path.read_text() if path.exists() else ""
    name, sides = path.relative_to(ROOT), (committed.splitlines(), wanted.splitlines())
    print("\n".join(difflib.unified_diff(*sides, str(name), "generated", lineterm="")) or f"{name}: up to date")
    return committed == wanted


def write(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"{path.relative_to(ROOT)}: {len(text.splitlines())} lines")
    return True


def main() -> int:
    act = check if "--check" in sys.argv[1:] else write
    results = []
    for service in SERVICES:
        now = fetch.model(CACHE, fetch.BOTOCORE, service.name, service.version)
        is_present = service.query == fetch.BOTOCORE
        query = now if is_present else fetch.model(CACHE, service.query, service.name, service.version)
        results.append(act(service.output(), formatted(rust.render(now, service.operations))))
        results.append(act(service.output("_table"), formatted(table.render(now, query, service.operations))))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
