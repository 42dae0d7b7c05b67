"""Polling with a deadline: what tests do instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar, overload

Found = TypeVar("Found")
Words = str | Callable[[], str]

TIMEOUT_S = 60.0  # of a machine that is busy with other things, too
MIN_PAUSE_S, MAX_PAUSE_S = 0.002, 0.05


def wait_for(look: Callable[[], Found | None], what: Words = "", *, seconds: float = TIMEOUT_S) -> Found:
    """What ``look`` gives, as soon as it is true. The pauses between two looks grow, from 2 ms to 50 ms.

    Args:
        look: Asked again and again; what it raises is raised.
        what: What is awaited, for the message of a failure: a noun, or a function that gives it when it did not come.
            Without it the message quotes the source of ``look``.
        seconds: The deadline.

    Raises:
        AssertionError: It did not come in time.
    """
    for pause in _pauses(look, what, seconds):
        if found := look():
            return found
        time.sleep(pause)
    raise AssertionError  # _pauses says it better


@overload
async def wait_for_async(
    look: Callable[[], Awaitable[Found | None]], what: Words = "", *, seconds: float = TIMEOUT_S
) -> Found: ...


@overload
async def wait_for_async(
    look: Callable[[], Found | None], what: Words = "", *, seconds: float = TIMEOUT_S
) -> Found: ...


async def wait_for_async(look: Callable[[], Any], what: Words = "", *, seconds: float = TIMEOUT_S) -> Any:
    """``wait_for`` on an event loop. ``look`` may be a coroutine function; it is not interrupted at the deadline."""
    for pause in _pauses(look, what, seconds):
        looked = look()
        if found := await looked if inspect.isawaitable(looked) else looked:
            return found
        await asyncio.sleep(pause)
    raise AssertionError


def _pauses(look: Callable[[], object], what: Words, seconds: float) -> Iterator[float]:
    """Pauses until the deadline; then it fails, in words."""
    deadline, pause = time.monotonic() + seconds, MIN_PAUSE_S
    while (left := deadline - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(1.3 * pause, MAX_PAUSE_S)
    raise AssertionError(f"waited {seconds:g} s in vain for {what() if callable(what) else what or _source(look)}")


def _source(look: Callable[[], object]) -> str:
    try:
        return " ".join(inspect.getsource(look).split())
    except (OSError, TypeError):
        return repr(look)
