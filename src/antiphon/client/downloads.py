"""Downloads of the files that records link to, retried like calls."""

import asyncio
import random
import threading
from collections.abc import Callable
from pathlib import Path

from antiphon.client.answers import Unreachable
from antiphon.client.retries import Retries
from antiphon.download import Downloader, Progress, TransferBroken


def save(
    url: str,
    path: Path,
    *,
    retries: Retries,
    sleep: Callable[[float], object],
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Save a file under exactly this path; gives its size in bytes.

    The link may lead to any address: it comes from the API that the caller has chosen.

    Args:
        stop: Breaks it off within a second once set.

    Raises:
        DownloadError: It cannot be had, or not within ``retries``.
    """
    downloader = Downloader(allow_private=True)
    attempt, waited = 1, 0.0
    while True:
        try:
            saved = downloader.fetch(url, path.parent, path.name, suffix="", progress=progress, stop=stop)
            return saved.stat().st_size
        except TransferBroken as error:
            failure = Unreachable(error.message, sent=True)
            failure.retry_after = error.retry_after
            pause = retries.pause(attempt, failure, waited=waited, chance=random.random())
            if pause is None:
                raise
        sleep(pause)
        attempt, waited = attempt + 1, waited + pause


async def save_in_thread(url: str, path: Path, *, retries: Retries, progress: Progress | None = None) -> int:
    """``save`` beside a running event loop; a cancel breaks it off and waits until the file is released."""
    stop = threading.Event()
    thread = asyncio.to_thread(save, url, path, retries=retries, sleep=stop.wait, progress=progress, stop=stop)
    saving = asyncio.ensure_future(thread)
    try:
        return await asyncio.shield(saving)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(saving, return_exceptions=True)  # how the thread ended is of no interest any more
        raise
