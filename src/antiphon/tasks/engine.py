"""Engine in a child process: caged, with a time limit, killable, and unable to take the worker down with it."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antiphon import errors
from antiphon.errors import AntiphonError, EngineError, EngineTimeout
from antiphon.music import separators
from antiphon.music.confinement import Cage, EngineLimits, child_environment
from antiphon.music.confinement.limits import READING_MEMORY_BYTES, limits_of, out_of_memory, out_of_time

MAX_LINE_BYTES = 1 << 20
MAX_STDERR_BYTES = 2000
_NO_MEMORY = re.compile(r"memory allocation of|bad_alloc|MemoryError|Cannot allocate memory|Failed to allocate memory")


async def run_engine(
    engine: str,
    arguments: dict[str, Any],
    *,
    folder: Path | None,
    timeout: float,
    memory_bytes: int = READING_MEMORY_BYTES,
    caged: bool = True,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
) -> dict[str, Any]:
    """Run an engine of ``antiphon.music`` in its cage and give its result. Cancelling the caller kills the child.

    Args:
        engine: Its name.
        arguments: What it takes.
        folder: The only folder that it may use, in which all files lie that it is to read and to write; it is handed
            over to the engine's user. The weights it reads from the argument ``models``.
        timeout: Seconds that it may run.
        memory_bytes: What separation, MIDI and video may take.
        caged: False for what reads nothing of strangers.
        progress: Is told the share that is done, and the stage.

    Raises:
        EngineTimeout: It ran longer than ``timeout``.
        EngineError: It died, or needed more than it may have.
        AntiphonError: Its own error.
    """
    limits = limits_of(engine, arguments, memory_bytes=memory_bytes, timeout_s=timeout)
    cage = Cage(limits, folder, _read_only(arguments))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the folder in which the server was started is no place for its modules
        "-m",
        "antiphon.music",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_LINE_BYTES,
        start_new_session=True,
        env=child_environment(folder=folder) if caged else None,
    )
    request = {"engine": engine, "arguments": arguments, "cage": cage.to_json() if caged else None}
    try:
        async with asyncio.timeout(timeout):
            return await _converse(child, request, limits, progress)
    except TimeoutError:
        raise EngineTimeout(
            f"the engine '{engine}' took longer than {timeout:.0f} s; try a shorter song, "
            "or raise ANTIPHON_ENGINE_TIMEOUT on the server"
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await asyncio.shield(child.wait())


async def _converse(
    child: asyncio.subprocess.Process,
    request: dict[str, Any],
    limits: EngineLimits,
    progress: Callable[[float, str], None],
) -> dict[str, Any]:
    assert child.stdin and child.stdout and child.stderr
    stderr, engine = asyncio.create_task(_tail(child.stderr)), request["engine"]
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
        await child.stdin.drain()
        async for line in child.stdout:
            answer = json.loads(line)
            if "result" in answer:
                result: dict[str, Any] = answer["result"]
                return result
            if "error" in answer:
                raise _error(answer["error"])
            if "exceeded" in answer:
                raise out_of_memory(engine, limits)
            progress(answer["progress"], answer["stage"])
        raise explain(engine, limits, await child.wait(), await stderr)
    except (BrokenPipeError, ConnectionResetError):
        raise explain(engine, limits, await child.wait(), await stderr) from None
    finally:
        stderr.cancel()


async def _tail(stream: asyncio.StreamReader) -> str:
    kept = b""
    while chunk := await stream.read(4096):
        kept = (kept + chunk)[-MAX_STDERR_BYTES:]
    return kept.decode(errors="replace").strip()


def explain(engine: str, limits: EngineLimits, status: int, stderr: str) -> AntiphonError:
    """Why an engine ended without an answer.

    Args:
        engine: Its name.
        limits: What it was allowed.
        status: Its exit status, or the negative number of the signal that ended it.
        stderr: The end of what it printed.
    """
    if status == -signal.SIGXCPU:
        return out_of_time(engine, limits)
    if _NO_MEMORY.search(stderr):
        return out_of_memory(engine, limits)
    if status == -signal.SIGKILL:
        return EngineError(f"the engine '{engine}' was killed, most likely because memory ran out; try a shorter song")
    if status < 0:
        return EngineError(f"the engine '{engine}' crashed ({signal.Signals(-status).name})")
    last = stderr.splitlines()[-1] if stderr else f"exit status {status}"
    return EngineError(f"the engine '{engine}' failed: {last}")


def _error(answer: dict[str, Any]) -> AntiphonError:
    classes = [errors.NotAudio, errors.TooLarge, errors.BadParameter]
    kind = next((kind for kind in classes if kind.code == answer["code"]), EngineError)
    return kind(answer["message"])


def _read_only(arguments: dict[str, Any]) -> tuple[Path, ...]:
    """The folders outside its own that an engine may read: the weights', and that of a network with a manifest."""
    manifest = str(arguments.get("engine") or "")
    read = [Path(arguments["models"])] if "models" in arguments else []
    return (*read, *([Path(manifest).absolute().parent] if separators.is_manifest(manifest) else []))
