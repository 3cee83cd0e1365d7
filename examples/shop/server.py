"""The server of the story: started, killed with -9 by the pid that was started here, started again."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("LINESIDE_BIN", ROOT / "target/release/lineside"))
USUAL_PORT = 4566
READY_WITHIN = 10.0  # seconds


def port_to_use() -> int:
    """The usual port, or 0 (any) when somebody else has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", USUAL_PORT))
            return USUAL_PORT
        except OSError:
            return 0


class Server:
    def __init__(self, folder: Path):
        self.folder = folder
        self.port = port_to_use()
        self.process = None
        self.url = ""

    def start(self) -> float:
        """Starts it on the same directory and port as before; milliseconds until it was ready."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [BINARY, "up", "--data", self.folder / "data", "--listen", f"127.0.0.1:{self.port}"]
        started = time.perf_counter()
        with (self.folder / "server.log").open("ab") as log:
            # A session of its own, so that the server may outlive the story and the terminal.
            self.process = subprocess.Popen(
                [*command, "--ready-file", ready],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.url = self.wait_for(ready)["endpoints"]["aws"]
        self.port = int(self.url.rsplit(":", 1)[1])
        return (time.perf_counter() - started) * 1000

    def wait_for(self, ready: Path) -> dict:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            if ready.exists():
                return json.loads(ready.read_text())
            time.sleep(0.001)
        raise SystemExit(f"the server did not get ready; it says in {self.folder / 'server.log'}:\n{self.words()}")

    def words(self) -> str:
        """The last lines of what the server printed."""
        return "\n".join((self.folder / "server.log").read_text(errors="replace").splitlines()[-20:])

    def kill(self) -> None:
        """kill -9: no warning, no goodbye."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit status, or that of a kill when it does not obey within 20 seconds."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode
