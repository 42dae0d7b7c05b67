"""Downloads by the clients: as tough as the downloader, under exactly the path that was asked for."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.client import AsyncClient, Client, Retries
from antiphon.download import DownloadError
from tests.integration.download.origin import Origin, answering, reset, right, serving, silent, truncated
from tests.waiting import wait_for_async

SIZE = 1_000_000
SWIFT = Retries(first=0.01)
API = "http://127.0.0.1:9"


@pytest.fixture
def origin() -> Iterator[Origin]:
    origin = Origin(b"fLaC" + os.urandom(SIZE))
    with serving(origin):
        yield origin


def saved(origin: Origin, target: Path, kind: str) -> int:
    if kind == "Client":
        with Client(API, "ak", retries=SWIFT) as client:
            return client.download(f"{origin.base}/stem", target)

    async def run() -> int:
        async with AsyncClient(API, "ak", retries=SWIFT) as client:
            return await client.download(f"{origin.base}/stem", target)

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_a_download_that_breaks_is_resumed_and_lands_under_its_path(origin: Origin, tmp_path: Path, kind: str) -> None:
    origin.plays = [answering("503 Busy"), truncated(300_000), reset(500_000), answering("404 Lost"), right]
    target = tmp_path / "new" / "vocal.anything"
    assert saved(origin, target, kind) == len(origin.data)
    assert target.read_bytes() == origin.data
    assert [path.name for path in target.parent.iterdir()] == ["vocal.anything"]
    assert 0 < origin.offsets()[-1] < SIZE


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_a_link_that_has_expired_is_not_asked_for_again(origin: Origin, tmp_path: Path, kind: str) -> None:
    origin.plays = [answering("410 Gone")]
    with pytest.raises(DownloadError, match="expired"):
        saved(origin, tmp_path / "vocal.flac", kind)
    assert len(origin.asked) == 1


async def test_a_cancelled_download_stops_and_is_resumed_later(origin: Origin, tmp_path: Path) -> None:
    over = threading.Event()
    origin.plays = [silent(400_000, over)]
    target = tmp_path / "vocal.flac"
    part = tmp_path / ".vocal.flac.part"
    async with AsyncClient(API, "ak") as client:
        task = asyncio.create_task(client.download(f"{origin.base}/stem", target))
        await wait_for_async(lambda: part.exists() and part.stat().st_size > 100_000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not target.exists()
        assert await client.download(f"{origin.base}/stem", target) == len(origin.data)
    over.set()
    assert target.read_bytes() == origin.data
