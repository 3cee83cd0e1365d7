"""Fetches the pinned botocore wheels and reads service models out of them.

A wheel is a zip of data files; nothing in it is imported or run. A wheel whose
SHA-256 differs from the pinned one is refused, so the generated code can only
come from the bytes that its header names.

Two are pinned: the present one, and the last whose model of SQS speaks the Query
protocol (later ones name no parameter, no element and no error code of it).
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
BOTOCORE_WITH_QUERY = "1.31.80"
WHEEL_SHA256 = {
    BOTOCORE: "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921",
    BOTOCORE_WITH_QUERY: "1c693c0f8b2553fcbe0df223241191e6f9f60b4245d65c1822c08f659274fef2",
}


class Model(NamedTuple):
    """A service model and where it came from."""

    botocore: str
    path: str
    sha256: str
    data: dict


def wheel(cache: Path, botocore: str) -> Path:
    """A pinned wheel in `cache`, downloaded when it is not there."""
    path = cache / f"botocore-{botocore}-py3-none-any.whl"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--dest", str(cache), f"botocore=={botocore}"], check=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WHEEL_SHA256[botocore]:
        sys.exit(f"{path}: its sha256 is {found}, the pin says {WHEEL_SHA256[botocore]}")
    return path


def model(cache: Path, botocore: str, service: str, version: str) -> Model:
    """The model of a service; its SHA-256 is that of the uncompressed JSON."""
    path = f"botocore/data/{service}/{version}/service-2.json"
    with zipfile.ZipFile(wheel(cache, botocore)) as zipped:
        packed = path + ".gz" in zipped.namelist()
        raw = gzip.decompress(zipped.read(path + ".gz")) if packed else zipped.read(path)
    return Model(botocore, path, hashlib.sha256(raw).hexdigest(), json.loads(raw))
