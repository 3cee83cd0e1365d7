"""Schemathesis against a server of ours: every check, on requests made out of the document that it serves.

    python tests/native/conformance.py [--seed N] [--max-examples N] [more of `st run`]

It counts cases, not seconds: a fast machine makes the same requests as a slow one. The exit status is that of
`st run`, or 1 when the server did not stay as it was, or when not every operation was met.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sdk"))

from conformance_model import KNOWN  # noqa: E402
from harness.native import Native  # noqa: E402
from harness.server import Server, require_binary  # noqa: E402

CASES = "50"  # for each operation and phase; about a minute
PHASES = "coverage,fuzzing,stateful"  # the document has no examples, and to look for them takes long


def check(server: Server, folder: Path, more: list[str]) -> int:
    """Runs it; it keeps nothing of a run for the next one, so that each stands for itself."""
    tool = Path(sys.executable).with_name("st")
    command = [tool, "run", f"{server.url}/v1/openapi.json", "--checks", "all", "--max-examples", CASES]
    # Two workers meet a fault of CPython 3.11: parsing in two threads loses count of its depth.
    command += ["--workers", "1", "--continue-on-failure", "--request-timeout", "10"]
    command += ["--phases", PHASES, "--generation-database", "none", "--no-color", *more]
    paths = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "conformance_hooks", "PYTHONPATH": paths}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as running:
        told = "".join(map(heard, running.stdout))
    return running.returncode or met_all(told)


def heard(line: str) -> str:
    print(line, end="", flush=True)
    return line


def met_all(told: str) -> int:
    """Whether each operation that was selected was tested."""
    counts = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", told)
    if counts and len(set(counts.groups())) == 1:
        return 0
    print("not every operation was tested")
    return 1


def main() -> int:
    require_binary()
    with tempfile.TemporaryDirectory(prefix="lineside-api-") as folder:
        server = Server(Path(folder)).start()
        try:
            # No operation that chance finds makes a model and then asks for a state of the same.
            defined = Native(server.url).call("PUT", f"/v1/models/{KNOWN}", {"category": KNOWN, "merge": True})
            assert defined.status == 200, defined
            status = check(server, Path(folder), sys.argv[1:])
            server.assert_alive()
            return status or server.stop()
        finally:
            if server.running():
                server.kill()


if __name__ == "__main__":
    sys.exit(main())
