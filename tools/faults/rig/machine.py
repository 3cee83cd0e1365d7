"""What this machine has and lets us do; what is missing is installed when that is possible."""

import os
import shutil
import subprocess
from functools import cache

from lines.table import PACKAGES, Line

INSTALL = ["apt-get", "install", "-y", "--no-install-recommends"]
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
# A mount namespace of one's own: nothing that is mounted in it outlives the last process in it.
OF_ROOT = ["unshare", "--mount", "--propagation", "private"]
OF_ANYBODY = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"]


# That a tool is there does not say that this machine lets it work: a sandbox may forbid tracing, or have no
# such device.
PROBES = {
    "strace": ("cannot trace here", ["strace", "-o", "/dev/null", "true"]),
    "losetup": ("has no loop device to give", ["losetup", "--find"]),
    "fusermount3": ("has no /dev/fuse", ["test", "-c", "/dev/fuse"]),
}


def is_root() -> bool:
    return os.geteuid() == 0


def missing(line: Line) -> str:
    """Why the line cannot run here; empty when it can."""
    if line.root and not is_root():
        return "needs root"
    absent = [tool for tool in line.tools if not there(tool)]
    packages = " ".join(PACKAGES[tool] for tool in absent).split()
    if packages:
        install(tuple(packages))
    absent = [tool for tool in absent if not there(tool)]
    if absent:
        hint = f"; on Debian and Ubuntu: sudo apt-get install {' '.join(packages)}" if packages else ""
        return f"needs {', '.join(absent)}{hint}"
    if line.mounts and not wrapping(line):
        return "needs root, or a system that lets users make namespaces"
    return next((why for tool in line.tools if (why := forbidden(tool))), "")


@cache
def forbidden(tool: str) -> str:
    """Why a tool that is there does not work here; empty when it does."""
    why, command = PROBES.get(tool, ("", ["true"]))
    worked = subprocess.run(command, check=False, **QUIET).returncode == 0
    return "" if worked else f"this machine {why}: {' '.join(command)}"


def there(tool: str) -> bool:
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None


@cache
def install(packages: tuple[str, ...]) -> None:
    """Tries to; what is not there afterwards is told by the line that wants it."""
    if is_root() and there("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, **QUIET)
        subprocess.run([*INSTALL, *packages], check=False, env=environment, **QUIET)


@cache
def namespace() -> tuple[str, ...]:
    for words in (OF_ROOT, OF_ANYBODY):
        if there("unshare") and subprocess.run([*words, "true"], check=False, **QUIET).returncode == 0:
            return tuple(words)
    return ()


def wrapping(line: Line) -> tuple[str, ...]:
    return namespace() if line.mounts else ()
