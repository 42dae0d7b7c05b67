"""One file, fetched as these tests fetch it."""

from pathlib import Path

import pytest

from antiphon.download import Downloader, TransferBroken
from tests.integration.download.origin import (
    Origin,
)

LINK = "/files/song.mp4?signature=x"


def fetch(downloader: Downloader, origin: Origin, folder: Path) -> Path:
    return downloader.fetch(origin.base + LINK, folder, "video", expect="video")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail(downloader: Downloader, origin: Origin, folder: Path) -> TransferBroken:
    with pytest.raises(TransferBroken) as caught:
        fetch(downloader, origin, folder)
    assert caught.value.retryable
    assert not (folder / "video.mp4").exists()
    return caught.value
