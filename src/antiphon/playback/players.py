"""Pool of the processes that decode pieces of sound."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from antiphon.errors import EngineError, EngineTimeout, NotAudio, NotFound, StorageError
from antiphon.music.confinement import Cage, EngineLimits, child_environment
from antiphon.music.confinement.environment import remote_storage_environment, remote_storage_reads
from antiphon.music.confinement.limits import READING_MEMORY_BYTES

PIECE_TIMEOUT_S = 30.0  # for one piece, waiting for a free process not counted
LIMITS = EngineLimits(memory_bytes=READING_MEMORY_BYTES, cpu_s=3600, file_bytes=100_000_000)
"""Of one process for all the pieces that it decodes; the clock bounds each."""

CLASSES = (NotAudio, NotFound)  # what a process may tell; all else is that it could not read the storage
UNPLAYABLE = "this part of the file is damaged and cannot be played; download the file, or export it again"


class PlayerDied(EngineError):
    """The process that decodes sound has died; the server's log may say why."""


@dataclass(frozen=True)
class _Player:
    """A process and the folder in which it works."""

    process: Process
    folder: TemporaryDirectory[str]


class Players:
    """Decodes pieces of the artifacts in one storage, ``most`` at a time."""

    def __init__(self, storage: str, *, most: int) -> None:
        self._storage = storage
        self._slots = asyncio.Semaphore(most)
        self._idle: list[_Player] = []

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
            return await self._ask(await self._start(), request)

    async def _start(self) -> _Player:
        """A process in its cage, which reads the storage and nothing else; one in a bucket by the network."""
        folder = TemporaryDirectory(prefix="antiphon-playback-")
        remote, place = "://" in self._storage, Path(folder.name)
        environment = remote_storage_environment() if remote else child_environment(folder=place)
        reads = remote_storage_reads(environment) if remote else (Path(self._storage),)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "antiphon.playback"),
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
            env=environment,
        )
        cage = Cage(LIMITS, place, reads, sockets=remote)
        assert process.stdin
        process.stdin.write(json.dumps(cage.to_json()).encode() + b"\n")
        return _Player(process, folder)

    async def _ask(self, player: _Player, request: dict[str, Any]) -> bytes:
        keep = False
        try:
            async with asyncio.timeout(PIECE_TIMEOUT_S):
                answer, content = await _converse(player.process, request)
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


async def _converse(player: Process, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    assert player.stdin and player.stdout
    try:
        player.stdin.write(json.dumps(request).encode() + b"\n")
        await player.stdin.drain()
        answer = json.loads(await player.stdout.readuntil(b"\n"))
        return answer, await player.stdout.readexactly(answer.get("size", 0))
    except (OSError, asyncio.IncompleteReadError, RuntimeError):  # the last is uvloop's, for a pipe that is closed
        raise PlayerDied from None


async def _end(player: _Player) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(player.process.pid, signal.SIGKILL)
    await asyncio.shield(player.process.wait())
    player.folder.cleanup()
