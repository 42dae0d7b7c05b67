"""A server that breaks, a disk that is small, and waiting with a deadline."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.download import Downloader
from tests.integration.download.origin import Origin, serving

SIZE = 3_000_000
DISK = 2_000_000


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


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, smaller than the file."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder)):
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def enlarge(disk: Path, size: str) -> None:
    """Free the disk up to ``size`` ("16m")."""
    assert mount("-o", f"remount,size={size}", str(disk))
