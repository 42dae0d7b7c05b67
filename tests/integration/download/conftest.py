import os
from collections.abc import Iterator

import pytest

from antiphon.download import Downloader
from tests.integration.download.origin import Origin, serving

SIZE = 3_000_000


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A server of a video, on loopback."""
    origin = Origin(b"\x00\x00\x00\x18ftypisom" + os.urandom(SIZE - 12))
    with serving(origin):
        yield origin


@pytest.fixture
def downloader() -> Downloader:
    """May go to loopback, and mends nothing by itself."""
    return Downloader(allow_private=True, resumes=0, stall=0.6, head=0.6, connect=2, reserve=0)
