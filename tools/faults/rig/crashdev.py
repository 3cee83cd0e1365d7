"""A block device with a write cache that a power cut empties: a plugin for nbdkit.

    nbdkit -U SOCKET python crashdev.py image=FILE cut=FILE seed=N survive=PERCENT

What is written lies in memory until a flush takes it to the image. When the file `cut` appears (or
nbdkit ends), the power is gone: of each sector of 512 bytes that was written and not flushed, one of
the versions since the last flush may have reached the disk, by chance; then every call fails. With
`survive=0` none has.
"""

import errno
import os
import random

import nbdkit

API_VERSION = 2
SECTOR = 512
OPTIONS = {}


class Device:
    """The image, and what is not in it yet: each sector's versions, oldest first."""

    def __init__(self, image: str, cut: str, seed: str, survive: int):
        self.file = os.open(image, os.O_RDWR)
        self.size = os.fstat(self.file).st_size
        self.cut, self.chance, self.survive = cut, random.Random(seed), survive
        self.pending = {}
        self.dead = False

    def check(self) -> None:
        if not self.dead and os.path.exists(self.cut):
            self.die()
        if self.dead:
            nbdkit.set_error(errno.EIO)
            raise OSError(errno.EIO, "the power is gone")

    def die(self) -> None:
        """Some of the cache may have been on its way; the rest never was."""
        for sector in sorted(self.pending):
            if self.chance.random() * 100 < self.survive:
                os.pwrite(self.file, self.chance.choice(self.pending[sector]), sector * SECTOR)
        self.pending = {}
        self.dead = True

    def read(self, into, offset: int) -> None:
        into[:] = os.pread(self.file, len(into), offset)
        for sector in range(offset // SECTOR, -(-(offset + len(into)) // SECTOR)):
            if sector in self.pending:
                self.overlay(into, offset, sector)

    def overlay(self, into, offset: int, sector: int) -> None:
        begin, end = max(offset, sector * SECTOR), min(offset + len(into), (sector + 1) * SECTOR)
        part = self.pending[sector][-1][begin - sector * SECTOR : end - sector * SECTOR]
        into[begin - offset : end - offset] = part

    def write(self, data: bytes, offset: int, durably: bool) -> None:
        if durably:
            os.pwrite(self.file, data, offset)
        for begin in range(0, len(data), SECTOR):
            sector = (offset + begin) // SECTOR
            if durably:
                self.pending.pop(sector, None)
            else:
                self.pending.setdefault(sector, []).append(data[begin : begin + SECTOR])

    def flush(self) -> None:
        for sector, versions in self.pending.items():
            os.pwrite(self.file, versions[-1], sector * SECTOR)
        self.pending = {}


def config(key, value):
    OPTIONS[key] = value


def config_complete():
    OPTIONS["device"] = Device(OPTIONS["image"], OPTIONS["cut"], OPTIONS["seed"], int(OPTIONS["survive"]))


def unload():
    OPTIONS["device"].die()


def thread_model():
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(readonly):  # noqa: A001  (nbdkit's name)
    return OPTIONS["device"]


def get_size(device):
    return device.size


def block_size(device):
    return (SECTOR, 4096, 1 << 25)


def can_write(device):
    return True


def can_flush(device):
    return True


def can_fua(device):
    return nbdkit.FUA_NATIVE


def pread(device, into, offset, flags):
    device.check()
    device.read(memoryview(into), offset)


def pwrite(device, data, offset, flags):
    device.check()
    device.write(bytes(data), offset, bool(flags & nbdkit.FLAG_FUA))


def flush(device, flags):
    device.check()
    device.flush()
