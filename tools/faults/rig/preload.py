"""The small library that is preloaded into a server under test, compiled when it is needed."""

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
# Which transfers are cut short: the first of each kind, and some later ones by chance.
TRANSFERS = {"pwrite64": 50, "write": 3, "read": 1, "pread64": 1}


def build(folder: Path) -> Path:
    library = folder / "preload.so"
    words = ["cc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(words, check=True)
    return library


def held(library: Path) -> dict[str, str]:
    """For a process that waits, stopped, before its `main`."""
    return {"LD_PRELOAD": str(library), "HOLD": "1"}


def cut(library: Path, call: str, ordinal: int, log: Path) -> dict[str, str]:
    """For a process whose `ordinal`-th transfer of this kind is cut short; `log` is made when it was."""
    return {"LD_PRELOAD": str(library), "SHORT_CALL": call, "SHORT_NTH": str(ordinal), "SHORT_LOG": str(log)}


class WallClock:
    """How far the wall clock of a server is away, for as long as it runs."""

    def __init__(self, library: Path, file: Path):
        self.library, self.file = library, file
        file.write_bytes(bytes(4096))

    def set(self, seconds: int) -> None:
        # In place and at once: the server has the file in its memory.
        with self.file.open("r+b", buffering=0) as file:
            file.write(struct.pack("=q", seconds))

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "CLOCK_FILE": str(self.file)}


def moments(chance) -> list[tuple[str, int]]:
    """Transfers to cut: name and ordinal."""
    later = [(call, n) for call, most in TRANSFERS.items() for n in chance.sample(range(2, most + 1), min(8, most - 1))]
    return [(call, 1) for call in TRANSFERS] + later
