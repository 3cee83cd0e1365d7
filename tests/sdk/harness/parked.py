"""A call that waits at the server while the test does something else."""

import threading
import time

# Nothing on the wire says that a long poll has begun to wait, so the test gives it this long.
# Too short makes a test weaker (the poll finds the message at once), never wrong.
SETTLE = 0.25


class Parked:
    """Runs `call` on a thread; `result` gives what it returned and how long it took."""

    def __init__(self, call):
        self.started = time.monotonic()
        self.ended = None
        self.outcome = None
        self.thread = threading.Thread(target=self.run, args=(call,), daemon=True)
        self.thread.start()
        time.sleep(SETTLE)

    def run(self, call) -> None:
        try:
            self.outcome = call()
        except Exception as failure:  # handed to the test's own thread, which raises it
            self.outcome = failure
        self.ended = time.monotonic()

    def waiting(self) -> bool:
        return self.thread.is_alive()

    def result(self, within: float):
        """What the call returned; it must return within so many seconds from now."""
        self.thread.join(within)
        assert not self.waiting(), f"still waiting {within} s later"
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def seconds(self) -> float:
        return self.ended - self.started
