"""The step "handler": the user's own functions, called last."""

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from antiphon.contract.results import (
    FailedResult,
    MidiResult,
    Result,
    SeparationResult,
    UnknownResult,
    VideoResult,
    WavResult,
)
from antiphon.errors import SettingsError
from antiphon.receiver.follow_up.step import Delivery, TryAgain

Handler = TypeVar("Handler", bound=Callable[..., Any])
"""``f(result)`` or ``f(result, delivery)``, plain or async."""

_NAMES: Mapping[type[Result], str] = {
    MidiResult: "on_midi",
    VideoResult: "on_video",
    SeparationResult: "on_separation",
    FailedResult: "on_failure",
    UnknownResult: "on_unknown",
    WavResult: "on_wav",
}
_LOOK_INTERVAL_S = 0.1  # between looks whether the worker is being stopped
_CANCEL_TIMEOUT_S = 2.0  # for a cancelled handler to end


class Loop:
    """The event loop on which async handlers run: the app's where there is one, else one in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._theirs: asyncio.AbstractEventLoop | None = None
        self._ours: asyncio.AbstractEventLoop | None = None

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this running loop from now on."""
        self._theirs = loop

    def run(self, coroutine: Coroutine[Any, Any, Any], stopping: threading.Event) -> None:
        """Run ``coroutine`` to its end from another thread, and cancel it when ``stopping`` is set.

        How it ended is taken from the coroutine itself, never from the wait for it: one that ends in the moment in
        which a wait times out, or in which it is cancelled, has ended, and is not run again.

        Raises:
            TryAgain: It was cancelled, or its loop ended before it did.
            Exception: What the coroutine raised, its own ``TimeoutError`` too.
        """
        loop = self.current()
        ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        task = asyncio.run_coroutine_threadsafe(_carry_out(coroutine, ended), loop)
        cancelled = "the handler was cancelled"
        while not concurrent.futures.wait([ended], _LOOK_INTERVAL_S).done:
            if stopping.is_set():
                cancelled = "the receiver was stopped while the handler ran"
                task.cancel()
                if not concurrent.futures.wait([ended], _CANCEL_TIMEOUT_S).done:
                    raise TryAgain(cancelled)
                break
            if not loop.is_running():
                raise TryAgain("the event loop of the app ended while the handler ran")
        try:
            ended.result()
        except asyncio.CancelledError:
            raise TryAgain(cancelled) from None

    def close(self) -> None:
        """Stop our own loop; that of others is theirs."""
        with self._lock:
            if self._ours is not None:
                self._ours.call_soon_threadsafe(self._ours.stop)
                self._ours = None

    def current(self) -> asyncio.AbstractEventLoop:
        """The loop on which the next handler runs."""
        theirs = self._theirs
        if theirs is not None and theirs.is_running():
            return theirs
        with self._lock:
            if self._ours is None:
                self._ours = asyncio.new_event_loop()
                running = threading.Event()
                self._ours.call_soon(running.set)
                threading.Thread(target=_forever, args=[self._ours], name="antiphon-handlers", daemon=True).start()
                running.wait()  # a loop that does not run yet would be taken for one that has ended
            return self._ours


async def _carry_out(coroutine: Coroutine[Any, Any, Any], ended: "concurrent.futures.Future[None]") -> None:
    try:
        await coroutine
    except BaseException as error:  # an exit, too, must not end the loop of the app
        ended.set_exception(error)
    else:
        ended.set_result(None)


def _forever(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    finally:
        loop.close()


class HandlerStep:
    """The step "handler": calls what was registered for the result's type. One function per type."""

    name = "handler"

    def __init__(self) -> None:
        self.loop = Loop()
        self._handlers: dict[type[Any], tuple[Callable[..., Any], int]] = {}

    def register(self, kind: type[Result], handler: Handler) -> Handler:
        """Raises ``SettingsError`` when there is one for this type already, or it cannot take what it will be given."""
        name = _NAMES[kind]
        if kind in self._handlers:
            raise SettingsError(f"{name} is set twice; call both functions from one")
        self._handlers[kind] = (handler, _arguments(name, handler))
        return handler

    @property
    def reads_unknown(self) -> bool:
        """Whether a function takes what this version does not understand."""
        return UnknownResult in self._handlers

    def run(self, delivery: Delivery) -> Mapping[str, Path]:
        found = next((known for kind, known in self._handlers.items() if isinstance(delivery.result, kind)), None)
        if found is None:
            return {}
        handler, count = found
        outcome = handler(*(delivery.result, delivery)[:count])
        if inspect.iscoroutine(outcome):
            self.loop.run(outcome, delivery.stopping)
        return {}


def _arguments(name: str, handler: Callable[..., Any]) -> int:
    if not callable(handler):
        raise SettingsError(f"{name} takes a function, not {type(handler).__name__}")
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):  # some functions written in C do not tell
        return 1
    for count in (2, 1):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            continue
        return count
    raise SettingsError(f"{name} calls its function with (result) or (result, delivery); this one takes {signature}")
