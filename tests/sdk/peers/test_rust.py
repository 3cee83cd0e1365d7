"""The official AWS SDK for Rust: the tests of `tests/sdk/rust`, whose names say what each shows."""

import os
import subprocess

import pytest
from harness.server import ROOT

CRATE = ROOT / "tests/sdk/rust"


@pytest.mark.timeout(900)  # as long as a build takes, where `make sdk-rust` did not run before
def test_the_sdk_for_rust_does_its_work(sqs):
    command = ["cargo", "test", "--locked", "--manifest-path", CRATE / "Cargo.toml"]
    command += ["--target-dir", ROOT / "target/sdk-rust"]
    environment = os.environ | {"LINESIDE_ENDPOINT": sqs.url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    named = len([line for line in (CRATE / "tests/sqs.rs").read_text().splitlines() if line == "#[tokio::test]"])
    assert f"test result: ok. {named} passed; 0 failed; 0 ignored" in done.stdout, done.stdout
