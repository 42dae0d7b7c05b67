"""Client of the API for event loops. ``blocking.py`` is made from this file: ``python tools/blocking_client.py``."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from antiphon.client import calls, conversations, wire
from antiphon.client.answers import ApiAnswer, Unreachable
from antiphon.client.calls import Call, Look, Record
from antiphon.client.conversations import Conversation, ServerTraits
from antiphon.client.downloads import save_in_thread
from antiphon.client.records import (
    DeliveryDict,
    MidiRecordDict,
    SeparationRecordDict,
    TaskItemDict,
    UploadedDict,
    VideoRecordDict,
)
from antiphon.client.retries import Retries
from antiphon.client.watch import TaskWatch
from antiphon.contract.kinds import Aspect, FrameRate, Kind, Resolution, SeparationType, State, ThemeName, VideoSound
from antiphon.download import Progress

if TYPE_CHECKING:
    import httpx

Result = TypeVar("Result")


class AsyncClient:
    """``Client`` for asyncio: the same methods and errors, to be awaited; ``tasks`` is an asynchronous iterator.

    Use it in ``async with``. Downloads are written in a thread of their own.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 120.0,
        retries: Retries | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        import httpx

        self.base_url = wire.base_url(base_url)
        self._timeout = timeout
        self._retries = retries or Retries()
        self._clock, self._sleep = clock, sleep
        self._server = ServerTraits()
        self._http = httpx.AsyncClient(**wire.settings(wire.key_of(api_key)), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. The client cannot be used afterwards."""
        await self._http.aclose()

    async def upload(
        self,
        path: Path | str,
        *,
        title: str | None = None,
        author: str | None = None,
        lyrics: str | None = None,
        cover: Path | str | None = None,
        idempotency_key: str | None = None,
    ) -> UploadedDict:
        """Upload a song. Our server only.

        Args:
            path: An audio file, or a video with sound.
            lyrics: LRC or plain text.
            cover: A picture.
            idempotency_key: Makes the call safe to repeat within 24 h, by another process too; so in every method.
        """
        fields = {"title": title, "author": author, "lyrics": lyrics}
        return await self._ask(calls.upload(Path(path), fields, Path(cover) if cover else None, idempotency_key))

    async def upload_url(
        self,
        url: str,
        *,
        title: str | None = None,
        author: str | None = None,
        lyrics: str | None = None,
        cover: str | None = None,
        idempotency_key: str | None = None,
    ) -> UploadedDict:
        """Let the server fetch a song from a public URL. Our server only.

        Args:
            lyrics: LRC or plain text.
            cover: A picture's public URL.
        """
        fields = {"title": title, "author": author, "lyrics": lyrics}
        return await self._ask(calls.upload_url(url, fields, cover, idempotency_key))

    async def separate(
        self,
        task_id: str,
        audio_id: str,
        kind: SeparationType | str = SeparationType.SEPARATE_VOCAL,
        callback_url: str | None = None,
        *,
        engine: str | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Ask for stems; gives the task's id.

        Args:
            task_id: The task of the song.
            audio_id: The track of it.
            engine: What separates; None: the server's choice.
            callback_url: Where the result is announced; None where it is polled, on our server only.
        """
        return await self._ask(calls.separate(task_id, audio_id, kind, callback_url, engine, idempotency_key))

    async def midi(
        self,
        task_id: str,
        callback_url: str | None = None,
        audio_id: str | None = None,
        *,
        quantize: str | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Ask for the MIDI of a separation; gives the task's id.

        Args:
            task_id: The task of the separation.
            callback_url: Where the result is announced; None where it is polled, on our server only.
            audio_id: One stem of it; None for all.
            quantize: The grid that notes are moved to, such as ``1/16``; None: as they were played.
        """
        return await self._ask(calls.midi(task_id, callback_url, audio_id, quantize, idempotency_key))

    async def video(
        self,
        task_id: str,
        audio_id: str,
        callback_url: str | None = None,
        *,
        author: str | None = None,
        domain: str | None = None,
        theme: ThemeName | None = None,
        aspect: Aspect | None = None,
        resolution: Resolution | None = None,
        fps: FrameRate | None = None,
        audio: VideoSound | None = None,
        lyrics: str | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Ask for a music video; gives the task's id.

        Args:
            task_id: The task of the song or the separation.
            audio_id: The track of it.
            callback_url: Where the result is announced; None where it is polled, on our server only.
            author: Shown below the title.
            domain: Shown at the bottom.
            theme: This and what follows is known to our server only.
            lyrics: LRC or plain text instead of the upload's; an empty text shows none.
        """
        shown = {"author": author, "domainName": domain, "lyrics": lyrics}
        look = {"theme": theme, "aspect": aspect, "resolution": resolution, "fps": fps, "audio": audio}
        return await self._ask(calls.video(task_id, audio_id, callback_url, {**shown, **look}, idempotency_key))

    async def wav(
        self, task_id: str, audio_id: str, callback_url: str | None = None, *, idempotency_key: str | None = None
    ) -> str:
        """Ask for a song or a stem as WAV; gives the task's id.

        Args:
            callback_url: Where the result is announced; None where it is polled, on our server only.
        """
        return await self._ask(calls.wav(task_id, audio_id, callback_url, idempotency_key))

    async def credits(self) -> int:
        """How many tasks this key may still queue; what a server that bills has left of its credits."""
        return await self._ask(calls.credits())

    async def record(self, kind: Kind | str, task_id: str) -> Record:
        """The record of a task of any kind, as it came."""
        return (await self._ask(calls.look(calls.kind_of(kind), task_id))).record

    async def midi_record(self, task_id: str) -> MidiRecordDict:
        """The record of a MIDI task: the notes, and a link to a Standard MIDI File."""
        return cast(MidiRecordDict, await self.record(Kind.MIDI, task_id))

    async def video_record(self, task_id: str) -> VideoRecordDict:
        """The record of a music video, with a link to it."""
        return cast(VideoRecordDict, await self.record(Kind.VIDEO, task_id))

    async def separation_record(self, task_id: str) -> SeparationRecordDict:
        """The record of a separation, with a link to each stem."""
        return cast(SeparationRecordDict, await self.record(Kind.SEPARATION, task_id))

    async def look(self, task_id: str, kind: Kind | str | None = None, *, timeout: float | None = None) -> Look:
        """Poll once, without retries: the record, how the task stands, and the pause that the server advises.

        Args:
            kind: None: it is found out by asking.
            timeout: Seconds for each step of the call; None: the client's.
        """
        return await self._hold(conversations.look(task_id, calls.kind_of(kind) if kind else None, timeout))

    async def wait(
        self,
        task_id: str,
        kind: Kind | str | None = None,
        *,
        deadline: float,
        every: float | None = None,
        seen: Callable[[Mapping[str, Any]], None] = lambda record: None,
    ) -> Record:
        """Poll until the task has ended, however it ended, and give its record.

        Args:
            deadline: Seconds from now; the last look is then.
            every: Seconds between two looks, instead of the documented intervals (MIDI 10–30 s, video 30 s) and of
                ``Retry-After``.
            seen: Gets each record.

        Raises:
            NotEnded: The task has not ended by the deadline; a ``TimeoutError``.
        """
        now = self._clock()
        watch = TaskWatch(task_id, calls.kind_of(kind) if kind else None, now=now, end=now + deadline, every=every)
        return await self._hold(
            conversations.wait(watch, timeout=self._timeout, clock=self._clock, chance=random.random, seen=seen)
        )

    async def task(self, task_id: str) -> TaskItemDict:
        """The task's line in the list of tasks. Our server only."""
        return await self._ask(calls.task(task_id))

    async def tasks(
        self, *, kind: Kind | str | None = None, state: State | str | None = None, search: str | None = None
    ) -> AsyncIterator[TaskItemDict]:
        """This key's tasks, newest first, fetched page by page. Our server only."""
        wanted, cursor = calls.kind_of(kind) if kind else None, None
        while True:
            page = await self._ask(calls.task_page(wanted, state, search, cursor=cursor))
            for item in page["tasks"]:
                yield item
            cursor = page["nextCursor"]
            if not cursor:
                return

    async def cancel(self, task_id: str) -> TaskItemDict:
        """Cancel a queued or running task; gives the task as it is then. Our server only."""
        return await self._ask(calls.cancel(task_id))

    async def callbacks(self, task_id: str) -> list[DeliveryDict]:
        """Every attempt to deliver the task's callback. Our server only."""
        return await self._ask(calls.callbacks(task_id))

    async def resend(self, task_id: str, *, idempotency_key: str | None = None) -> list[DeliveryDict]:
        """Have the callback delivered again, with the same identity. Our server only."""
        return await self._ask(calls.resend(task_id, idempotency_key))

    async def download(self, url: str, path: Path | str, *, progress: Progress | None = None) -> int:
        """Save what a record's link leads to, under exactly this path; gives its size in bytes.

        It appears there only when it is whole. One that broke off is resumed, by the next call too.

        Args:
            progress: Told the bytes so far and in all (None: not known).

        Raises:
            DownloadError: It failed; ``retryable`` says whether the same call may succeed later.
        """
        return await save_in_thread(url, Path(path), retries=self._retries, progress=progress)

    async def _ask(self, call: Call[Result]) -> Result:
        return await self._hold(conversations.ask(call, self._retries, self._server, random.random))

    async def _hold(self, conversation: Conversation[Result]) -> Result:
        reply: ApiAnswer | Unreachable | None = None
        while True:
            try:
                step = conversation.send(reply)
            except StopIteration as end:
                result: Result = end.value
                return result
            if isinstance(step, Call):
                reply = await self._exchange(step)
            else:
                await self._sleep(step.seconds)
                reply = None

    async def _exchange(self, call: Call[Any]) -> ApiAnswer | Unreachable:
        import httpx

        try:
            with ExitStack() as files:
                wanted = wire.request(call, self.base_url, self._timeout, files)
                async with self._http.stream(**wanted) as response:
                    intake = wire.AnswerBody(response)
                    async for block in response.aiter_bytes():
                        intake.take(block)
                    return intake.answer()
        except httpx.HTTPError as error:
            return wire.explain(error, self.base_url)
        except Unreachable as error:
            return error
