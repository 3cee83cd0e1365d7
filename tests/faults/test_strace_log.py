"""The log of strace, read: sites, ordinals, what was injected."""

from rig import strace
from rig.errnos import fitting, injection

LOG = """\
100 1700000000.000001 openat(AT_FDCWD</srv>, "/srv/data/lock", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3</srv/data/lock>
 > /usr/lib/libc.so.6(openat64+0x4f) [0x1]
 > /srv/lineside() [0xaa]
 > /srv/lineside() [0xbb]
101 1700000000.100000 pwrite64(4</srv/data/0000000000000001.segment>, "x", 1, 0) = 1
 > /usr/lib/libc.so.6(pwrite+0x57) [0x2]
 > /srv/lineside() [0xcc]
101 1700000000.200000 pwrite64(4</srv/data/0000000000000001.segment>, "y", 1, 1 <unfinished ...>
100 1700000000.250000 close(3</srv/data/lock>) = 0
 > /srv/lineside() [0xdd]
101 1700000000.300000 <... pwrite64 resumed>) = -1 EIO (Input/output error) (INJECTED)
 > /usr/lib/libc.so.6(pwrite+0x57) [0x2]
 > /srv/lineside() [0xcc]
100 1700000000.400000 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, -1, 0) = 0x7f
 > /usr/lib/libc.so.6(mmap+0x57) [0x2]
 > /usr/lib/libc.so.6(malloc+0x57) [0x3]
 > /srv/lineside() [0xee]
100 1700000000.500000 write(5<anon_inode:[eventfd]>, "1", 8) = 8
100 1700000000.600000 +++ exited with 0 +++
"""


def calls(tmp_path) -> list[strace.Call]:
    log = tmp_path / "log"
    log.write_text(LOG)
    return strace.read(log)


def test_calls_have_sites_paths_and_ordinals(tmp_path):
    found = [(call.site.call, call.site.target, call.site.frames, call.path, call.ordinal) for call in calls(tmp_path)]
    segment = "/srv/data/0000000000000001.segment"
    assert found == [
        ("openat", "lock" + strace.MADE, ("0xaa", "0xbb"), "/srv/data/lock", 1),
        ("pwrite64", "N.segment", ("0xcc",), segment, 1),
        ("close", "lock", ("0xdd",), "/srv/data/lock", 1),
        ("pwrite64", "N.segment", ("0xcc",), segment, 2),
        ("mmap", "", ("mmap", "malloc"), "", 1),
        ("write", "eventfd", (), "", 1),
    ]


def test_one_site_for_the_same_place(tmp_path):
    found = calls(tmp_path)
    assert found[1].site == found[3].site


def test_what_was_injected_and_when_it_began(tmp_path):
    assert [(call.site.call, call.at) for call in calls(tmp_path) if call.injected] == [("pwrite64", 1700000000.2)]


def test_errnos_fit():
    assert "ENOSPC" in fitting("openat", "lock" + strace.MADE)
    assert "ENOSPC" not in fitting("openat", "lock")
    assert fitting("write", "eventfd") == ("EAGAIN",)
    assert fitting("exit_group", "") == ()


def test_injections_are_straces_words():
    assert injection("read", "EIO", 3) == "read:error=EIO:when=3"
    assert injection("pwrite64", "retval=0", 1) == "pwrite64:retval=0:when=1"
