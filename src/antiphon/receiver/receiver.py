"""``Receiver``: takes callbacks in any framework, acknowledges them once they are kept, and runs the follow-ups."""

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from antiphon.contract import signatures
from antiphon.contract.results import FailedResult, MidiResult, SeparationResult, UnknownResult, VideoResult, WavResult
from antiphon.errors import SettingsError
from antiphon.receiver.follow_up.backoff import Backoff
from antiphon.receiver.follow_up.handlers import HandlerStep
from antiphon.receiver.follow_up.notices import Notice, Watch
from antiphon.receiver.follow_up.step import Step
from antiphon.receiver.follow_up.worker import Worker
from antiphon.receiver.http import asgi, wsgi
from antiphon.receiver.http.intake import Answer, Body, Intake, Limits, accepted, refusal
from antiphon.receiver.http.verify import Require
from antiphon.receiver.inbox.inbox import Event, Inbox
from antiphon.receiver.inbox.key_trust import fingerprint

log = logging.getLogger("antiphon.receiver")

Function = TypeVar("Function", bound=Callable[..., Any])
Headers = Mapping[str, str]
Intercept = Callable[[Headers, bytes], Answer | None]

_LARGE_BODY_BYTES = 100_000  # hashing fewer takes less time than handing them to a thread
_CROWD_REQUESTS = 4  # at a time, above which the follow-ups let them pass first
_EXIT_TIMEOUT_S = 2.0  # that steps get to end when the interpreter does


@dataclass(frozen=True)
class _Open:
    """What there is while a receiver runs; it belongs to one process."""

    inbox: Inbox
    worker: Worker | None


class Receiver:
    """Takes callbacks and keeps them in the folder ``inbox``, then has ``steps`` and the registered functions run.

    The object is an ASGI app (``receiver``), has a WSGI app (``receiver.wsgi``), and ``handle`` for everything else.
    The follow-ups start with the ASGI server, with ``start`` or ``with receiver:``, at the latest with the first
    request. It may be made before a server forks.

    Args:
        inbox: Folder of the inbox, made if need be.
        keys: Webhook keys of the sender, several while one is being rotated.
        insecure: Start without keys, and take callbacks from any sender.
        require: With "standard", refuse callbacks that have only the documented signature, which covers the task id
            and nothing else; an Antiphon server sends both.
        allow_documented: Take the documented signature alone also by a key that has signed by Standard Webhooks in
            this inbox; that is refused otherwise, since somebody on the way may have removed the stronger one.
        steps: Steps before the functions. None means the files step: MIDI files are written, videos and stems
            downloaded.
        download: Whether the files step downloads.
        allow_private: Let links lead into your own network (loopback, private and carriers' addresses) where the whole
            body was signed or polled. A signature alone never opens it.
        allow_hosts: Hosts ("media.lan" or "media.lan:8080") whose links may lead anywhere.
        workers: Number of events that are followed up at the same time; with 0 this process only acknowledges, and
            another one follows up.
        watch: Gets a notice of each callback and of each change of its follow-ups.

    Raises:
        SettingsError: There are no keys.
        BadParameter: A key is damaged.
    """

    def __init__(
        self,
        inbox: Path | str,
        keys: Sequence[str] = (),
        *,
        insecure: bool = False,
        require: Require = "any",
        allow_documented: bool = False,
        steps: Sequence[Step] | None = None,
        download: bool = True,
        allow_private: bool = False,
        allow_hosts: Sequence[str] = (),
        workers: int = 4,
        backoff: Backoff = Backoff(),
        limits: Limits = Limits(),
        watch: Watch | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        keys = [keys] if isinstance(keys, str) else list(keys)
        if not keys and not insecure:
            raise SettingsError(
                "no webhook key given: pass the sender's key, or insecure=True (--insecure) to take everything"
            )
        for key in keys:
            signatures.check_key(key)
        if insecure:
            log.warning("INSECURE: signatures are not verified; anybody who reaches this can put anything in the inbox")
        if require not in ("any", "standard") or (insecure and require != "any"):
            raise SettingsError(f"require is {require!r}; expected 'any' or 'standard', and 'any' with insecure")
        if allow_documented and require == "standard":
            raise SettingsError("allow_documented (--allow-documented) and require 'standard' exclude each other")
        if workers < 0:
            raise SettingsError(f"workers is {workers}; expected 0 or more")
        self.folder = Path(inbox)
        self._keys = () if insecure else tuple(keys)
        self.intake = Intake(self._keys, limits, clock, require)
        self.intercept: Intercept | None = None
        """Sees each request before its signature is checked; what it answers is the answer, and nothing is kept."""
        self._allow_documented = allow_documented
        self._steps = steps
        self._download = download
        self._allow_private = allow_private
        self._allow_hosts = tuple(allow_hosts)
        self._workers = workers
        self._backoff = backoff
        self._watch = watch
        self._clock = clock
        self._handlers = HandlerStep()
        self._lock = threading.RLock()
        self._open: _Open | None = None
        _all.add(self)

    # The functions that follow

    def on_midi(self, function: Function) -> Function:
        """Have it called with each ``MidiResult``: ``f(result)`` or ``f(result, delivery)``, plain or async."""
        return self._handlers.register(MidiResult, function)

    def on_video(self, function: Function) -> Function:
        """The same for each ``VideoResult``, once the video is downloaded."""
        return self._handlers.register(VideoResult, function)

    def on_separation(self, function: Function) -> Function:
        """The same for each ``SeparationResult``, once the stems are downloaded."""
        return self._handlers.register(SeparationResult, function)

    def on_failure(self, function: Function) -> Function:
        """The same for each ``FailedResult``, of any kind."""
        return self._handlers.register(FailedResult, function)

    def on_wav(self, function: Function) -> Function:
        """The same for each ``WavResult``."""
        return self._handlers.register(WavResult, function)

    def on_unknown(self, function: Function) -> Function:
        """The same for each ``UnknownResult``: JSON that is none of the callbacks we know."""
        return self._handlers.register(UnknownResult, function)

    # Ways in

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await asgi.serve_lifespan(self, receive, send)
        elif scope["type"] == "http":
            await asgi.serve_http(self, scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    @property
    def asgi(self) -> asgi.App:
        return self

    def wsgi(self, environ: wsgi.Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
        """WSGI."""
        return wsgi.serve(self, environ, start_response)

    def handle(self, method: str, headers: Headers | Iterable[tuple[str, str]], body: bytes) -> Answer:
        """Take one request in any framework; blocks until the callback is kept.

        Args:
            method: The HTTP method.
            headers: Names in any case.
            body: The raw bytes, as they came.

        Returns:
            What to answer: 200 once it is kept, else the refusal. Nothing is raised.
        """
        try:
            pairs = headers.items() if isinstance(headers, Mapping) else headers
            found, _ = self.admit(method, [*pairs, ("content-length", str(len(body)))])
            if (answer := self._intercepted(found, body)) is not None:
                return answer
            self._tell(*self._submit(found, body).result())
        except Exception as error:
            return refusal(error)
        return accepted()

    def admit(self, method: str, headers: Iterable[tuple[str, str]], address: str = "") -> tuple[dict[str, str], Body]:
        """The headers of a request from ``address`` by lower-case name, and its body to come. Raises what
        ``intake.refusal`` words, for a request whose body need not be read."""
        found = self.intake.head(method, headers)
        body = self.intake.body(found, address)
        if self.intercept is None:  # which hears also what came without its signature
            self.intake.check_signature_headers(found)
        return found, body

    async def answer(self, headers: Headers, body: bytes) -> Answer:
        """Take one request on an event loop; done when the callback is kept.

        Args:
            headers: As ``admit`` gave them.
            body: The raw bytes, as they came.

        Raises:
            AntiphonError: It is refused; ``intake.refusal`` makes the answer of it.
        """
        self.adopt(asyncio.get_running_loop())
        if (answer := self._intercepted(headers, body)) is not None:
            return answer
        large = len(body) > _LARGE_BODY_BYTES
        kept = await asyncio.to_thread(self._submit, headers, body) if large else self._submit(headers, body)
        self._tell(*await asyncio.wrap_future(kept))
        return accepted()

    def _intercepted(self, headers: Headers, body: bytes) -> Answer | None:
        intercept = self.intercept  # another thread may take it away
        return None if intercept is None else intercept(headers, body)

    def _submit(self, headers: Headers, body: bytes) -> "Future[tuple[Event, bool]]":
        proof = self.intake.proof(headers, body)
        inbox = self._opened().inbox
        if proof is None:
            return inbox.submit(body)
        signed_by = [fingerprint(key) for key in proof.keys]
        return inbox.submit(body, scheme=proof.scheme, task_id=proof.task_id, signed_by=signed_by)

    def _tell(self, event: Event, new: bool) -> None:
        opened = self._open
        if new and opened is not None and opened.worker is not None:
            opened.worker.wake()
        if self._watch is not None:
            try:
                self._watch(Notice(event, "new" if new else "repeat"))
            except Exception:
                log.exception("who watches the receiver failed")

    # Its life

    def start(self) -> None:
        """Open the inbox and start the follow-ups; does nothing when that is done already.

        Raises:
            StorageError: The inbox cannot be opened.
        """
        self._opened()

    def stop(self, timeout: float = 5.0) -> bool:
        """Stop the follow-ups and release the inbox.

        What has not ended, as a handler that hangs, is left behind; it is done again after the next start.

        Args:
            timeout: Seconds to wait for what runs.

        Returns:
            Whether all that ran has ended.
        """
        with self._lock:
            opened, self._open = self._open, None
        if opened is None:
            return True
        if opened.worker is None:
            opened.inbox.close()
            return True
        ended = opened.worker.stop(timeout)
        if ended:
            self._handlers.loop.close()
        else:
            log.warning("stopped before all steps had ended; what was broken off is done again at the next start")
        return ended

    def __enter__(self) -> "Receiver":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @contextlib.asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """For an app that mounts it: ``FastAPI(lifespan=receiver.lifespan)``. A mounted app hears nothing of its
        server's start and end, and would start its follow-ups with the first request."""
        self.adopt(asyncio.get_running_loop())
        await asyncio.to_thread(self.start)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stop)

    @property
    def inbox(self) -> Inbox:
        """The open inbox; starts the receiver."""
        return self._opened().inbox

    @property
    def leading(self) -> bool:
        """Whether this process is the one that does the follow-ups now."""
        opened = self._open
        return opened is not None and opened.worker is not None and opened.worker.leading

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run async functions on this loop."""
        self._handlers.loop.adopt(loop)

    def _opened(self) -> _Open:
        opened = self._open
        if opened is None:
            with self._lock:
                opened = self._open = self._open or self._start()
        return opened

    def _start(self) -> _Open:
        for key in self._keys:
            fingerprint(key)  # which takes its time, and no callback shall wait for it
        inbox = Inbox(self.folder, allow_documented=self._allow_documented, clock=self._clock)
        if not self._workers:
            return _Open(inbox, None)
        try:
            steps = [*(self._default_steps() if self._steps is None else self._steps), self._handlers]
            worker = Worker(
                inbox,
                steps,
                workers=self._workers,
                backoff=self._backoff,
                crowded=lambda: self.intake.coming > _CROWD_REQUESTS,
                watch=self._watch,
                clock=self._clock,
            )
        except BaseException:
            inbox.close()
            raise
        worker.after = inbox.close
        worker.start()
        return _Open(inbox, worker)

    def _default_steps(self) -> list[Step]:
        from antiphon.download import Downloader  # heavy, and needed by no process that only acknowledges
        from antiphon.receiver.follow_up.files import FilesStep

        downloader = Downloader(allow_private=self._allow_private, allow_hosts=self._allow_hosts)
        return [FilesStep(downloader, download=self._download)]

    def _forget(self) -> None:
        """In a forked child: threads were not taken along, and locks may have been held."""
        self._lock = threading.RLock()
        self._left_behind = self._open  # never closed here: its file is the parent's
        self._open = None
        self._handlers.loop = type(self._handlers.loop)()
        self.intake.forget()


_all: "weakref.WeakSet[Receiver]" = weakref.WeakSet()


def _after_fork() -> None:
    for receiver in list(_all):
        receiver._forget()


def _at_exit() -> None:
    for receiver in list(_all):
        receiver.stop(_EXIT_TIMEOUT_S)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
