"""The device that forgets: what was flushed stays, what was not is gone, or partly gone."""

import errno
import sys
import types
from pathlib import Path

import pytest

SECTOR = 512


@pytest.fixture
def crashdev(monkeypatch):
    """The plugin, with nbdkit's own module played by the test."""
    nbdkit = types.ModuleType("nbdkit")
    nbdkit.set_error = lambda number: None
    monkeypatch.setitem(sys.modules, "nbdkit", nbdkit)
    sys.modules.pop("rig.crashdev", None)
    from rig import crashdev

    return crashdev


@pytest.fixture
def image(tmp_path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(bytes(16 * SECTOR))
    return path


def device(crashdev, image: Path, survive: int = 0):
    return crashdev.Device(str(image), str(image.with_name("cut")), "seed", survive)


def cut(disk, image: Path) -> None:
    image.with_name("cut").touch()
    with pytest.raises(OSError) as caught:
        disk.check()
    assert caught.value.errno == errno.EIO


def sector(image: Path, number: int) -> bytes:
    return image.read_bytes()[number * SECTOR : (number + 1) * SECTOR]


A, B = b"a" * SECTOR, b"b" * SECTOR


def test_what_was_not_flushed_is_gone(crashdev, image):
    disk = device(crashdev, image)
    disk.write(A, 0, durably=False)
    disk.flush()
    disk.write(B, 0, durably=False)
    disk.write(B, SECTOR, durably=False)
    cut(disk, image)
    assert sector(image, 0) == A and sector(image, 1) == bytes(SECTOR)


def test_a_forced_write_stays_and_outlives_an_older_one(crashdev, image):
    disk = device(crashdev, image, survive=100)
    disk.write(A, 0, durably=False)
    disk.write(B, 0, durably=True)
    cut(disk, image)
    assert sector(image, 0) == B


def test_a_cache_may_reach_the_disk_in_any_version(crashdev, image):
    found = set()
    for number in range(40):
        path = image.with_name(f"image-{number}")
        path.write_bytes(image.read_bytes())
        disk = crashdev.Device(str(path), str(path) + ".cut", str(number), 70)
        disk.write(A, 0, durably=False)
        disk.write(B, 0, durably=False)
        disk.die()
        found.add(sector(path, 0))
    assert found == {bytes(SECTOR), A, B}


def test_a_reader_sees_what_was_written_last(crashdev, image):
    disk = device(crashdev, image)
    disk.write(A + B, SECTOR, durably=False)
    into = bytearray(2 * SECTOR)
    disk.read(memoryview(into), SECTOR + 256)
    assert bytes(into) == A[:256] + B + bytes(256)


def test_without_power_everything_fails(crashdev, image):
    disk = device(crashdev, image)
    disk.check()
    cut(disk, image)
    with pytest.raises(OSError):
        disk.check()
