"""Every line of `make faults`: what it is called, how much it does, what it needs.

A line that is in the table and has no result is a failure: nothing here can be forgotten quietly.
"""

from dataclasses import dataclass, field

# Lines that other programs run, and how they say how much they did: numbers that a pattern finds, or so
# many for each time that it is found. {count} is the table's, {seed} the run's.
STORE = ["cargo", "test", "-p", "lineside-store", "--release", "--test", "it", "--"]
IMAGES = {
    "command": [*STORE, "images::"],
    "unit": "images",
    "pattern": r"images::any_moment_with_any_of_what_was_not_synced \.\.\. ok",
    "each": 2000,  # `IMAGES` in crates/store/tests/it/images.rs, in a release build
}
BYTES = {
    "command": [*STORE, "rot::"],
    "unit": "bytes",
    "pattern": r"rot::(?:every_byte_flipped|every_length_cut) \.\.\. ok",
    "each": 64 << 10,  # at least: crates/store/tests/it/rot.rs makes its log no smaller
}
SIM = {
    "command": ["cargo", "run", "--release", "-p", "lineside-testkit", "--bin", "sim", "--"]
    + ["--seeds", "{count}", "--start", "{seed}"],
    "unit": "seeds",
    "pattern": r"(?m)^([\d,_]+) seeds, .* facts/s\Z",
}
RIGS = {
    "command": ["{python}", "-B", "-m", "pytest", "-q", "tests/faults", "-c", "tests/faults/pytest.ini", "--rootdir", "."],
    "unit": "tests",
    "pattern": r"(\d+) passed",
}

# Debian's packages for tools that a line needs; root gets them, everybody else is told.
PACKAGES = {
    "strace": "strace",
    "nbdkit": "nbdkit nbdkit-plugin-python",
    "nbdfuse": "libnbd-bin",
    "fusermount3": "fuse3",
    "mkfs.ext4": "e2fsprogs",
    "losetup": "mount",
    "unshare": "util-linux",
    "cc": "gcc libc6-dev",
    "cargo": "",  # not Debian's: the toolchain that builds Lineside
}
POWER = ("nbdkit", "nbdfuse", "fusermount3", "losetup", "mkfs.ext4", "unshare")


@dataclass(frozen=True)
class Line:
    name: str
    title: str
    module: str  # in `lines`
    short: int  # how many of the line's unit in the short form
    long: int  # and in the long one; 0: all there are
    patience: int  # seconds that the short form may take; the long one may take sixty times that
    tools: tuple[str, ...] = ()
    root: bool = False
    mounts: bool = False  # runs in mounts of its own, so that nothing is left of them
    options: dict = field(default_factory=dict)  # for the module


LINES = (
    Line("rigs", "the instruments work, and can fail", "command", 1, 1, 120, options=RIGS),
    Line("kill", "kill -9 at random moments under load", "kill", 200, 1000, 300),
    Line("moves", "kill -9 while messages are moved back", "moves", 60, 600, 120),
    Line("appends", "kill -9 while events are appended", "appends", 60, 600, 180),
    Line("power", "power cut: all that was not flushed is gone", "power", 20, 200, 300, POWER, root=True, mounts=True),
    Line("images", "crash images of one recorded run", "command", 2000, 2000, 900, ("cargo",), options=IMAGES),
    Line("syscalls", "each system call site fails once", "syscalls", 100, 0, 300, ("strace", "cc")),
    Line("bytes", "each byte flipped, each length cut", "command", 2 << 16, 2 << 16, 900, ("cargo",), options=BYTES),
    Line("full", "the disk is full, and space is given back", "full", 50, 500, 300, ("unshare",), mounts=True),
    Line("fsync", "a sync or a write of the log fails", "fsync", 10, 100, 120, ("strace", "cc")),
    Line("pause", "SIGSTOP under load, so many seconds", "pause", 6, 30, 60),
    Line("clock", "the wall clock an hour and ten years away", "clock", 8, 8, 90, ("cc",)),
    Line("sim", "simulation: so many seeds from this one on", "command", 100, 20_000, 900, ("cargo",), options=SIM),
)
