"""Engine in a child process: with a time limit, killable, and unable to take the worker down with it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from antiphon import errors
from antiphon.errors import AntiphonError, EngineError, EngineTimeout

MAX_LINE_BYTES = 1 << 20
MAX_STDERR_BYTES = 2000


async def run_engine(
    engine: str,
    arguments: dict[str, Any],
    *,
    timeout: float,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
) -> dict[str, Any]:
    """Run an engine of ``antiphon.music`` in a child process; gives its result. Cancelling the caller kills the child.

    Args:
        engine: Its name.
        arguments: What it is given; JSON.
        timeout: Seconds.
        progress: Told the fraction done, 0–1, and the stage in a word.

    Raises:
        EngineTimeout: It took longer than ``timeout``.
        EngineError: The child died.
        AntiphonError: The engine's own error.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "antiphon.music",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_LINE_BYTES,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout):
            return await _converse(child, engine, arguments, progress)
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
    child: asyncio.subprocess.Process, engine: str, arguments: dict[str, Any], progress: Callable[[float, str], None]
) -> dict[str, Any]:
    assert child.stdin and child.stdout and child.stderr
    stderr = asyncio.create_task(_tail(child.stderr))
    try:
        child.stdin.write(json.dumps({"engine": engine, "arguments": arguments}).encode() + b"\n")
        await child.stdin.drain()
        async for line in child.stdout:
            answer = json.loads(line)
            if "result" in answer:
                result: dict[str, Any] = answer["result"]
                return result
            if "error" in answer:
                raise _error(answer["error"])
            progress(answer["progress"], answer["stage"])
        status = await child.wait()
        raise EngineError(_obituary(engine, status, await stderr))
    except (BrokenPipeError, ConnectionResetError):
        raise EngineError(_obituary(engine, await child.wait(), await stderr)) from None
    finally:
        stderr.cancel()


async def _tail(stream: asyncio.StreamReader) -> str:
    kept = b""
    while chunk := await stream.read(4096):
        kept = (kept + chunk)[-MAX_STDERR_BYTES:]
    return kept.decode(errors="replace").strip()


def _obituary(engine: str, status: int, stderr: str) -> str:
    if status == -signal.SIGKILL:
        return f"the engine '{engine}' was killed, most likely because memory ran out; try a shorter song"
    if status < 0:
        return f"the engine '{engine}' crashed ({signal.Signals(-status).name})"
    last = stderr.splitlines()[-1] if stderr else f"exit status {status}"
    return f"the engine '{engine}' failed: {last}"


def _error(answer: dict[str, Any]) -> AntiphonError:
    classes = [errors.NotAudio, errors.TooLarge, errors.BadParameter]
    kind = next((kind for kind in classes if kind.code == answer["code"]), EngineError)
    return kind(answer["message"])
