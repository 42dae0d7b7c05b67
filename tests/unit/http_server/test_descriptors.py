"""The limit of descriptors."""

import resource
import subprocess
import sys

import pytest

from antiphon.http_server.descriptors import connections_within

SCRIPT = """
import resource
from antiphon.http_server.descriptors import raise_descriptor_limit
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
print(raise_descriptor_limit() == hard == resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_the_limit_is_raised_as_far_as_it_goes() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize(
    ("limit", "connections"), [(resource.RLIM_INFINITY, 2000), (100_000, 2000), (1024, 712), (256, 56), (64, 1)]
)
def test_connections_leave_descriptors_for_everything_else(limit: int, connections: int) -> None:
    assert connections_within(limit, 2000) == connections
