"""Tasks that end there and then, and the stream in which the server announces them."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import httpx

from antiphon.contract.events import CallbackEvent
from antiphon.listening import sse
from tests.integration.server import Server

NOTES = {"instruments": [{"name": "Drums", "notes": [{"pitch": 36, "start": 0.5, "end": 0.6, "velocity": 1.0}]}]}


class Ended:
    """Ends tasks of one key: there and then, as if a worker had."""

    def __init__(self, server: Server, key: str) -> None:
        self._server, self._key = server, key

    def __call__(self, state: str = "succeeded", **more: Any) -> str:
        more = {"result": NOTES, **more} if state == "succeeded" else {"error_message": "too noisy", **more}
        task_id = self._server.plant("midi", state, key=self._key, **more)
        self._server.sql("SELECT pg_notify('antiphon_task', %s)", task_id)
        return task_id


@contextlib.contextmanager
def streaming(server: Server, key: str, **how: Any) -> Iterator[Iterator[sse.ServerEvent]]:
    """The server's stream, as far as it has been read; its first event has been told to be ``ready``."""
    headers = {"Authorization": f"Bearer {key}", **how.pop("headers", {})}
    url = f"{server.url}/api/v1/callbacks/events"
    with httpx.stream("GET", url, headers=headers, timeout=20, trust_env=False, **how) as answer:
        assert answer.status_code == 200, answer.read()
        events = sse.read(bounded(60, answer.iter_lines()))
        first = next(events)
        assert (first.name, first.data) == ("ready", "{}")
        yield events


def bounded(seconds: float, lines: Iterator[str]) -> Iterator[str]:
    """A stream that stays silent gives a line every 15 s."""
    end = time.monotonic() + seconds
    for line in lines:
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came within {seconds} s")
        yield line


def task_of(event: sse.ServerEvent) -> str:
    assert event.name == "callback"
    return CallbackEvent.model_validate_json(event.data).taskId
