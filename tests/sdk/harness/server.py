"""A Lineside process under test: start, wait until it is ready, stop, kill, restart."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("LINESIDE_BIN", ROOT / "target/release/lineside"))
ENDPOINT = os.environ.get("LINESIDE_ENDPOINT")
READY_WITHIN = 10.0  # seconds; a start takes milliseconds, a loaded machine more


class Server:
    """One data directory and, at times, a process that serves it."""

    def __init__(self, folder: Path, *arguments: str, port: int = 0, limits: tuple[str, ...] = ()):
        """`limits` are arguments of the shell's `ulimit`, under which the process starts."""
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.ready_file = self.folder / "ready.json"
        self.log = self.folder / "server.log"
        self.arguments = arguments
        self.port = port
        self.limits = limits
        self.process = None
        self.url = ""

    def spawn(self) -> None:
        """Starts the process and does not wait for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ready_file.unlink(missing_ok=True)
        command = self.command()
        if self.limits:
            command = ["sh", "-c", f'ulimit {" ".join(self.limits)} && exec "$0" "$@"', *command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def command(self) -> list:
        command = [BINARY, "up", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        return [*command, "--ready-file", self.ready_file, *self.arguments]

    def start(self) -> "Server":
        """Starts it and returns when the ready file says where it listens."""
        self.spawn()
        ready = self.wait_ready()
        assert ready["pid"] == self.process.pid, ready
        self.url = ready["endpoints"]["aws"]
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def wait_ready(self) -> dict:
        """The content of the ready file; a file has no event to wait for, hence the short naps."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.ready_file.exists():
                return json.loads(self.ready_file.read_text())
            if self.process.poll() is not None:
                raise AssertionError(f"exited with {self.process.returncode}:\n{self.tail()}")
            time.sleep(0.002)
        raise AssertionError(f"not ready after {READY_WITHIN} s:\n{self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self, within: float = 20.0) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(within)

    def wait(self, within: float) -> int:
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {within} s later:\n{self.tail()}") from None

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.process.kill()
        self.process.wait()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def health(self) -> dict:
        with urllib.request.urlopen(self.url + "/_lineside/health", timeout=5) as answer:
            return json.load(answer)

    def assert_alive(self) -> None:
        """The same process, ready, and nothing in its log that looks like a panic."""
        assert self.process.poll() is None, f"exited with {self.process.returncode}:\n{self.tail()}"
        assert self.health() == {"live": True, "ready": True}
        assert "panicked" not in self.tail(), self.tail()

    def resident_bytes(self) -> int:
        return self.status("VmRSS") * 1024

    def status(self, name: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {name} in /proc/{self.process.pid}/status")

    def cpu_seconds(self) -> float:
        """Processor time used so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def require_binary() -> None:
    """Ends the run when there is nothing to start; skips when another server stands in for ours."""
    if ENDPOINT:
        pytest.skip("needs a server of its own; LINESIDE_ENDPOINT is set")
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run `cargo build --release`, or set LINESIDE_BIN", 2)


def serve(folder: Path, *arguments: str):
    """Runs a server for a fixture; in the end it must obey SIGTERM and exit with 0."""
    require_binary()
    server = Server(folder, *arguments).start()
    try:
        yield server
        if server.running():
            assert server.stop() == 0, server.tail()
    finally:
        if server.running():
            server.kill()
