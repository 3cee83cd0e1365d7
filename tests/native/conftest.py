"""Fixtures for the native API: a server for the whole run, and one for a test alone."""

import resource

import pytest
from harness.native import Native
from harness.server import serve


def pytest_sessionstart(session):
    """A thousand connections need their descriptors, here and in the servers started from here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The shared server; tests take names of their own, so they do not meet."""
    yield from serve(tmp_path_factory.mktemp("native"))


@pytest.fixture
def own_server(tmp_path):
    """A server for this test alone, which it may stop, kill and start again."""
    yield from serve(tmp_path / "own")


@pytest.fixture(scope="session")
def api(server):
    return Native(server.url)
