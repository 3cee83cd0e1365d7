"""A file system on the device that forgets: switched on, cut, and gone without a trace."""

import shutil
import subprocess
import time
from pathlib import Path

PLUGIN = Path(__file__).with_name("crashdev.py")
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def tool(*words, within: float = 20.0) -> str:
    """What a tool printed; it fails loudly."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=within)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stderr.strip()}"
    return done.stdout.strip()


def wait_for(condition, what: str, within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what} after {within} s"
        time.sleep(0.002)


class PoweredDisk:
    """One image; `on` mounts it, `cut` takes the power away, `off` takes everything down."""

    def __init__(self, folder: Path, megabytes: int):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.image, self.socket = folder / "image", folder / "socket"
        self.nbd, self.mount = folder / "nbd", folder / "fs"
        self.cut_file = folder / "cut"
        self.megabytes = megabytes
        self.nbdkit = self.nbdfuse = None
        self.mounted = False

    def format(self) -> None:
        self.image.unlink(missing_ok=True)
        with self.image.open("wb") as file:
            file.truncate(self.megabytes << 20)
        tool("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-J", "size=8", self.image)

    def on(self, seed: str, survive: int) -> None:
        for leftover in (self.cut_file, self.socket):
            leftover.unlink(missing_ok=True)
        for place in (self.nbd, self.mount):
            place.mkdir(exist_ok=True)
        plugin = ["python", PLUGIN, f"image={self.image}", f"cut={self.cut_file}", f"seed={seed}", f"survive={survive}"]
        self.nbdkit = self.spawn("nbdkit", "-f", "-U", self.socket, *plugin)
        wait_for(self.socket.exists, "nbdkit does not listen")
        self.nbdfuse = self.spawn("nbdfuse", self.nbd, "--unix", self.socket)
        wait_for((self.nbd / "nbd").exists, "nbdfuse shows no device")
        loop = tool("losetup", "-f", "--show", self.nbd / "nbd")
        try:
            tool("mount", "-t", "ext4", loop, self.mount)
            self.mounted = True
        finally:
            # Detached as soon as it is not mounted any more, also when nobody is left to do it.
            tool("losetup", "-d", loop)

    def spawn(self, *words) -> subprocess.Popen:
        """Its complaints about a device without power go to a file."""
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def cut(self) -> None:
        self.cut_file.touch()

    def off(self) -> None:
        """Takes it down; every process that used the file system must be gone."""
        if self.mounted:
            subprocess.run(["umount", self.mount], check=False, capture_output=True, timeout=30)
            if self.mount.is_mount():
                subprocess.run(["umount", "-l", self.mount], check=False, capture_output=True, timeout=30)
            self.mounted = False
        if self.nbdfuse:
            wait_for(self.let_go, "the FUSE mount is still in use", 20)
            self.nbdfuse.wait(10)
            self.nbdfuse = None
        if self.nbdkit:
            self.nbdkit.terminate()
            self.nbdkit.wait(10)
            self.nbdkit = None

    def let_go(self) -> bool:
        """The loop device is detached a moment after the file system is gone."""
        done = subprocess.run(["fusermount3", "-u", self.nbd], check=False, capture_output=True)
        return done.returncode == 0 or self.nbdfuse.poll() is not None

    def remove(self) -> None:
        self.off()
        shutil.rmtree(self.folder, ignore_errors=True)
