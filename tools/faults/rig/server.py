"""A server under a tool (strace, faketime, a preloaded library), found by its port alone.

A fault may hit the very write of the ready file or of the banner, so nothing here reads them: the
port is chosen before the start, and the health answer says when the server is ready.
"""

import http.client
import os
import socket
import subprocess
import time
from pathlib import Path

from harness.server import BINARY, Server

POLL = 0.003  # seconds between two looks at a process that starts


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Rigged(Server):
    """A server of the SDK tests with a command in front and more in its environment."""

    def __init__(self, folder: Path, *arguments: str, data: Path | None = None, port: int = 0):
        super().__init__(folder, *arguments, port=port or free_port())
        self.data = data or self.data
        self.url = f"http://127.0.0.1:{self.port}"
        self.said_before = 0

    def spawn(self, environment=None, prefix=()) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.said_before = self.log.stat().st_size if self.log.exists() else 0
        command = [*prefix, str(BINARY), "up", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A backtrace under a tracer takes longer than anybody's patience.
                env={**os.environ, "RUST_BACKTRACE": "0", **(environment or {})},
            )

    def start(self, environment=None, prefix=(), within: float = 20.0) -> "Rigged":
        self.spawn(environment, prefix)
        state = self.wait_until_ready(within)
        assert state == "ready", f"{state}:\n{self.said()}"
        return self

    def wait_until_ready(self, within: float = 20.0) -> str:
        """"ready", "exited", or "hangs"."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.is_ready():
                return "ready"
            if self.process.poll() is not None:
                return "exited"
            time.sleep(POLL)
        return "hangs"

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/_lineside/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def said(self) -> str:
        """What it printed since the last start."""
        with self.log.open("rb") as log:
            log.seek(self.said_before)
            return log.read().decode(errors="replace")

    def sentences(self) -> list[str]:
        """What it said of a fault: its own lines, without the two that every start prints."""
        own = (line.removeprefix("lineside: ") for line in self.said().splitlines() if line.startswith("lineside: "))
        return [line for line in own if not line.startswith(("listening on ", "ready; "))]

    def exit_within(self, seconds: float) -> int | None:
        """The exit status, or None when it goes on."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Kills it if it is still there; for the end of a line, whatever happened."""
        if self.running():
            self.kill()
