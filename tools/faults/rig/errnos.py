"""Which failures fit which system call: what a kernel can say there, and what a system would."""

from rig.strace import MADE

# Not here: calls that cannot fail (exit, gettid, …), and futex: only its waiting may be interrupted, a
# wake-up that fails is a kernel's defect, and strace cannot tell the two apart.
FITTING = {
    "accept4": ("EMFILE", "ENFILE", "ECONNABORTED"),
    "access": ("EACCES",),
    "bind": ("EADDRINUSE",),
    "brk": ("retval=0",),  # it never says why: it does not move
    "clone3": ("EAGAIN",),
    "close": ("EIO", "EINTR"),
    "connect": ("ECONNREFUSED",),
    "copy_file_range": ("EIO", "ENOSPC", "EXDEV"),
    "dup": ("EMFILE",),
    "epoll_create1": ("EMFILE",),
    "epoll_ctl": ("ENOSPC", "ENOMEM"),
    "epoll_pwait": ("EINTR",),
    "epoll_wait": ("EINTR",),
    "eventfd2": ("EMFILE",),
    "fadvise64": ("EIO",),
    "fallocate": ("ENOSPC", "EIO", "EINTR"),
    "fcntl": ("EMFILE",),  # that is: F_DUPFD
    "fdatasync": ("EIO", "ENOSPC", "EINTR"),
    "flock": ("EIO", "EINTR"),
    "fstat": ("EIO",),
    "fstatfs": ("EIO", "EINTR"),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "ftruncate": ("EIO", "ENOSPC", "EINTR"),
    "getdents64": ("EIO",),
    "getrandom": ("EINTR", "ENOSYS"),
    "getsockname": ("ENOBUFS",),
    "getsockopt": ("ENOBUFS",),
    "link": ("EIO", "ENOSPC"),
    "linkat": ("EIO", "ENOSPC"),
    "listen": ("EADDRINUSE",),
    "lseek": ("EIO",),
    "madvise": ("EAGAIN",),
    "mkdir": ("ENOSPC", "EIO", "EACCES"),
    "mmap": ("ENOMEM",),
    "mprotect": ("ENOMEM",),
    "mremap": ("ENOMEM",),
    "munmap": ("ENOMEM",),
    "newfstatat": ("EIO",),
    "openat": ("EMFILE", "EIO", "EINTR"),
    "pipe2": ("EMFILE",),
    "poll": ("EINTR", "ENOMEM"),
    "pread64": ("EIO", "EINTR"),
    "preadv": ("EIO", "EINTR"),
    "pwrite64": ("EIO", "ENOSPC", "EINTR", "retval=0"),
    "pwritev": ("EIO", "ENOSPC", "EINTR", "retval=0"),
    "read": ("EIO", "EINTR"),
    "readlink": ("EIO",),
    "recvfrom": ("ECONNRESET", "ETIMEDOUT"),
    "rename": ("EIO", "ENOSPC"),
    "renameat2": ("EIO", "ENOSPC"),
    "sched_getaffinity": ("EPERM",),
    "sendto": ("ECONNRESET", "EPIPE"),
    "setsockopt": ("ENOBUFS",),
    "shutdown": ("ENOTCONN",),
    "sigaltstack": ("ENOMEM",),
    "socket": ("EMFILE",),
    "socketpair": ("EMFILE",),
    "statfs": ("EIO",),
    "statx": ("EIO",),
    "sync_file_range": ("EIO",),
    "unlink": ("EIO",),
    "unlinkat": ("EIO",),
    "write": ("EIO", "ENOSPC", "EINTR"),
    "writev": ("ECONNRESET", "EPIPE"),
}


# What a call can say on something that is no file: it never sleeps there, or has no disk to lose. The
# socket pair is the runtime's own note of a signal.
SPECIAL = {
    ("write", "eventfd"): ("EAGAIN",),
    ("read", "eventfd"): ("EAGAIN",),
    ("sendto", "UNIX-STREAM"): ("EAGAIN",),
    ("recvfrom", "UNIX-STREAM"): ("EAGAIN",),
    ("close", "eventfd"): ("EINTR",),
    ("close", "eventpoll"): ("EINTR",),
    ("close", "TCP"): ("EINTR",),
    ("close", "UNIX-STREAM"): ("EINTR",),
}


def fitting(call: str, target: str) -> tuple[str, ...]:
    """Nothing for a call that cannot fail."""
    found = SPECIAL.get((call, target), FITTING.get(call, ()))
    return (*found, "ENOSPC") if call == "openat" and target.endswith(MADE) else found


def injection(call: str, fault: str, ordinal: int) -> str:
    """The same for strace."""
    return f"{call}:{fault if '=' in fault else f'error={fault}'}:when={ordinal}"
