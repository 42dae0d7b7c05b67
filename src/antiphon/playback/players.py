"""Pool of the processes that decode pieces of sound."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

from antiphon.errors import EngineError, EngineTimeout, NotAudio, NotFound, StorageError

PIECE_TIMEOUT_S = 30.0  # for one piece, waiting for a free process not counted
CLASSES = (NotAudio, NotFound)  # what a process may tell; all else is that it could not read the storage
UNPLAYABLE = "this part of the file is damaged and cannot be played; download the file, or export it again"


class PlayerDied(EngineError):
    """The process that decodes sound has died; the server's log may say why."""


class Players:
    """Decodes pieces of the artifacts in one storage, ``most`` at a time."""

    def __init__(self, storage: str, *, most: int) -> None:
        self._storage = storage
        self._slots = asyncio.Semaphore(most)
        self._idle: list[Process] = []

    async def piece(self, key: str, number: int, codec: str) -> bytes:
        """A piece of an artifact as a file of ``codec``; empty behind the artifact's end.

        Args:
            key: The artifact's key in the storage.
            number: Counts pieces of ten seconds from 0.

        Raises:
            NotFound: There is no such artifact.
            NotAudio: It has no sound.
            StorageError: It cannot be read.
            EngineTimeout: It was not decoded in time.
            PlayerDied: The process that decoded it has died.
        """
        request = {"storage": self._storage, "key": key, "number": number, "codec": codec}
        async with self._slots:
            while self._idle:
                with contextlib.suppress(PlayerDied):  # it had been idle for long, and ended in this very moment
                    return await self._ask(self._idle.pop(), request)
            return await self._ask(await _start(), request)

    async def _ask(self, player: Process, request: dict[str, Any]) -> bytes:
        keep = False
        try:
            async with asyncio.timeout(PIECE_TIMEOUT_S):
                answer, content = await _converse(player, request)
            keep = True
        except TimeoutError:
            raise EngineTimeout(f"a piece of sound was not decoded within {PIECE_TIMEOUT_S:g} s; try again") from None
        finally:
            if keep:
                self._idle.append(player)
            else:
                await _end(player)
        if error := answer.get("error"):
            kind = next((kind for kind in CLASSES if kind.code == error["code"]), StorageError)
            raise kind(error["message"])
        return content

    async def close(self) -> None:
        """End the idle processes; those at work end with their callers."""
        while self._idle:
            await _end(self._idle.pop())


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "antiphon.playback", stdin=PIPE, stdout=PIPE, start_new_session=True
    )


async def _converse(player: Process, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    assert player.stdin and player.stdout
    try:
        player.stdin.write(json.dumps(request).encode() + b"\n")
        await player.stdin.drain()
        answer = json.loads(await player.stdout.readuntil(b"\n"))
        return answer, await player.stdout.readexactly(answer.get("size", 0))
    except (OSError, asyncio.IncompleteReadError, RuntimeError):  # the last is uvloop's, for a pipe that is closed
        raise PlayerDied from None


async def _end(player: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(player.pid, signal.SIGKILL)
    await asyncio.shield(player.wait())
