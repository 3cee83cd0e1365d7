"""Fetches the pinned botocore wheel and reads one service model out of it.

The wheel is a zip of data files; nothing in it is imported or run. A wheel whose
SHA-256 differs from the pinned one is refused, so the generated code can only
come from the bytes that its header names.
"""

import gzip
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

BOTOCORE = "1.44.5"
WHEEL = f"botocore-{BOTOCORE}-py3-none-any.whl"
WHEEL_SHA256 = "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921"


class Model(NamedTuple):
    """A service model and where it came from."""

    path: str
    sha256: str
    data: dict


def wheel(cache: Path) -> Path:
    """The pinned wheel in `cache`, downloaded when it is not there."""
    path = cache / WHEEL
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--dest", str(cache), f"botocore=={BOTOCORE}"], check=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"{path}: its sha256 is {found}, the pin says {WHEEL_SHA256}")
    return path


def model(cache: Path, service: str, version: str) -> Model:
    """The model of a service; its SHA-256 is that of the uncompressed JSON."""
    path = f"botocore/data/{service}/{version}/service-2.json"
    with zipfile.ZipFile(wheel(cache)) as zipped:
        packed = path + ".gz" in zipped.namelist()
        raw = gzip.decompress(zipped.read(path + ".gz")) if packed else zipped.read(path)
    return Model(path, hashlib.sha256(raw).hexdigest(), json.loads(raw))
