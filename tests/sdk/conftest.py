"""Fixtures: a server on real time, a server on steerable time, and a face to each.

Both live for the whole run; a test takes queues of fresh names, so tests do not meet.
`LINESIDE_ENDPOINT=http://127.0.0.1:PORT` runs what needs no process of ours against
a server that is already there, for example another product.
"""

import os
import resource

import pytest
from harness.face import Face, TimedFace
from harness.server import ENDPOINT, serve

# Nothing of the user's own configuration may reach the SDK.
os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "HTTP_PROXY", "http_proxy"):
    os.environ.pop(variable, None)


def pytest_sessionstart(session):
    """A thousand pollers need their descriptors, here and in the servers started from here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The shared server, on real time."""
    yield from serve(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="session")
def timed_server(tmp_path_factory):
    """The shared server whose clock is steered."""
    yield from serve(tmp_path_factory.mktemp("steered"), "--clock", "steerable")


@pytest.fixture
def own_server(tmp_path):
    """A server for this test alone, which it may stop, kill and start again."""
    yield from serve(tmp_path / "own")


@pytest.fixture(scope="session")
def sqs(request):
    """SQS on real time."""
    return Face(ENDPOINT or request.getfixturevalue("server").url)


@pytest.fixture(scope="session")
def timed(timed_server):
    """SQS with `advance`."""
    return TimedFace(timed_server.url)
