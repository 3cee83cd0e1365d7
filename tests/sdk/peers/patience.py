"""Waiting for what another program does, which has no event to wait for."""

import time

NAP = 0.02  # seconds between two looks


def until(look, within: float = 30.0, says=lambda: ""):
    """The first answer of `look` that is true, at most so many seconds from now; `says` explains a failure."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing within {within} s; last {found!r}\n{says()}"
        time.sleep(NAP)
    return found
