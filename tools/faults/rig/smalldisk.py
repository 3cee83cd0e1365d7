"""A disk in memory whose free space is set at will. Its mount is of this process's namespace alone."""

import os
import subprocess
from pathlib import Path

PAGE = 4096


class SmallDisk:
    """A tmpfs; it grows and shrinks around what is in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,mode=700", "faults", folder], check=True)

    def free(self) -> int:
        state = os.statvfs(self.folder)
        return state.f_bavail * state.f_frsize

    def set_free(self, wanted: int) -> None:
        """Somebody else takes space, or gives it back."""
        state = os.statvfs(self.folder)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        size = max(used + wanted, PAGE) // PAGE * PAGE
        # With type and source: an unprivileged mount cannot be found by its place alone.
        words = ["mount", "-t", "tmpfs", "-o", f"remount,size={size}", "faults", self.folder]
        subprocess.run(words, check=True)

    def remove(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=False, stderr=subprocess.DEVNULL)
